//! How long the oldest record has been in flight.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Remembers when records were dispatched, one entry a millisecond at most.
#[derive(Debug, Default)]
pub(crate) struct OldestInFlight {
    /// Sequence of the first record of an interval, and when it was dispatched.
    marks: VecDeque<(u64, Instant)>,
    dispatched: u64,
}

impl OldestInFlight {
    /// Notes that record `sequence` is dispatched at `now`.
    pub(crate) fn dispatched(&mut self, sequence: u64, now: Instant) {
        self.dispatched = sequence + 1;
        let is_new_mark = self
            .marks
            .back()
            .is_none_or(|(_, marked)| now.duration_since(*marked) >= RESOLUTION);
        if is_new_mark {
            self.marks.push_back((sequence, now));
        }
    }

    /// Returns the age of the oldest record at or above `settled`; zero if there is none.
    pub(crate) fn age(&mut self, settled: u64, now: Instant) -> Duration {
        // A mark stands for all records up to the next one.
        while self.marks.get(1).is_some_and(|(next, _)| *next <= settled) {
            self.marks.pop_front();
        }
        if settled >= self.dispatched {
            self.marks.clear();
        }
        self.marks
            .front()
            .map_or(Duration::ZERO, |(_, since)| now.duration_since(*since))
    }
}

const RESOLUTION: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn is_the_age_of_the_oldest_unsettled_record(
            steps in prop::collection::vec((0_u64..5, 0_usize..4), 1..100),
        ) {
            let start = Instant::now();
            let mut now = start;
            let mut oldest = OldestInFlight::default();
            let mut dispatched: Vec<Instant> = Vec::new();
            let mut settled = 0;
            for (pause_ms, newly_settled) in steps {
                now += Duration::from_millis(pause_ms);
                oldest.dispatched(dispatched.len() as u64, now);
                dispatched.push(now);
                settled = (settled + newly_settled).min(dispatched.len());
                let expected = dispatched.get(settled).map_or(Duration::ZERO, |since| now - *since);
                let actual = oldest.age(settled as u64, now);
                prop_assert!(actual >= expected && actual < expected + RESOLUTION, "{actual:?} {expected:?}");
            }
        }
    }
}

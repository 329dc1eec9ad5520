//! How much may be in flight.

/// Bounds what has been dispatched and is not yet acknowledged, in events and in bytes.
///
/// Admission stops at either limit; a consumer that has paused because of it resumes when *both* are down to half,
/// so that pausing, which throws away prefetched data, stays rare.
#[derive(Debug)]
pub struct InFlightBudget {
    max_events: usize,
    max_bytes: usize,
    events: usize,
    bytes: usize,
}

impl InFlightBudget {
    /// Makes an empty budget. Limits below one count as one.
    pub fn new(max_events: usize, max_bytes: usize) -> Self {
        Self {
            max_events: max_events.max(1),
            max_bytes: max_bytes.max(1),
            events: 0,
            bytes: 0,
        }
    }

    /// Takes room for one event of `bytes`, or returns `false` if there is none.
    ///
    /// An event that is larger than the whole budget is admitted when nothing else is in flight: it must not stop its
    /// partition.
    pub fn admit(&mut self, bytes: usize) -> bool {
        let fits = self.events < self.max_events && self.bytes + bytes <= self.max_bytes;
        if !fits && self.events > 0 {
            return false;
        }
        self.events += 1;
        self.bytes += bytes;
        true
    }

    /// Gives back the room of `events` with `bytes` in all.
    pub fn release(&mut self, events: usize, bytes: usize) {
        debug_assert!(
            events <= self.events && bytes <= self.bytes,
            "released more than was admitted"
        );
        self.events = self.events.saturating_sub(events);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Returns whether a paused consumer may resume.
    pub fn may_resume(&self) -> bool {
        self.events <= self.max_events / 2 && self.bytes <= self.max_bytes / 2
    }

    /// Returns the events in flight.
    pub fn events(&self) -> usize {
        self.events
    }

    /// Returns the bytes in flight.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_a_list_of_admitted_events(
            max_events in 1_usize..6,
            max_bytes in 1_usize..60,
            steps in prop::collection::vec(prop::option::weighted(0.6, 0_usize..80), 0..200),
        ) {
            let mut budget = InFlightBudget::new(max_events, max_bytes);
            let mut model: Vec<usize> = Vec::new();
            for step in steps {
                match step {
                    Some(bytes) => {
                        let sum: usize = model.iter().sum();
                        let expected = model.is_empty() || (model.len() < max_events && sum + bytes <= max_bytes);
                        prop_assert_eq!(budget.admit(bytes), expected);
                        if expected {
                            model.push(bytes);
                        }
                    }
                    None => {
                        if let Some(bytes) = model.pop() {
                            budget.release(1, bytes);
                        }
                    }
                }
                let sum: usize = model.iter().sum();
                prop_assert_eq!((budget.events(), budget.bytes()), (model.len(), sum));
                prop_assert!(budget.events() <= max_events);
                prop_assert!(budget.bytes() <= max_bytes || budget.events() == 1);
                prop_assert_eq!(budget.may_resume(), model.len() * 2 <= max_events && sum * 2 <= max_bytes);
            }
        }
    }
}

//! When things happen, counted from the beginning of the load.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use moderation::Timestamp;

/// Ticks of the ledger: small enough to measure ages by, large enough that 32 bits last for days.
const TICK: Duration = Duration::from_micros(100);

/// One moment in both of the machine's clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    started_wall: Timestamp,
}

impl Clock {
    /// Starts now.
    #[expect(
        clippy::disallowed_methods,
        reason = "producers stamp their events with the wall clock, and this is one"
    )]
    pub(crate) fn start() -> Self {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let started_wall =
            Timestamp::from_millis(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX));
        Self {
            started: Instant::now(),
            started_wall,
        }
    }

    /// Returns the time since the start in ticks, for the ledger.
    pub(crate) fn ticks(elapsed: Duration) -> u32 {
        u32::try_from(elapsed.as_micros() / TICK.as_micros()).unwrap_or(u32::MAX)
    }

    /// Returns how long ago the clock started.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Returns the wall-clock time of a tick.
    pub(crate) fn wall(&self, ticks: u32) -> Timestamp {
        self.started_wall.saturating_add(TICK * ticks)
    }

    /// Returns how long after a tick `at` was.
    pub(crate) fn age(&self, ticks: u32, at: Instant) -> Duration {
        at.saturating_duration_since(self.started + TICK * ticks)
    }

    /// Writes a wall-clock time as milliseconds since the start.
    pub(crate) fn offset_ms(&self, time: Timestamp) -> i32 {
        let offset = time
            .as_millis()
            .saturating_sub(self.started_wall.as_millis());
        i32::try_from(offset).unwrap_or(if offset < 0 { i32::MIN } else { i32::MAX })
    }

    /// Reads what [`offset_ms`](Self::offset_ms) wrote.
    pub(crate) fn at_offset_ms(&self, offset: i32) -> Timestamp {
        Timestamp::from_millis(self.started_wall.as_millis().saturating_add(offset.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_as_they_were_written() {
        let clock = Clock::start();
        for offset in [-5_000, 0, 1, i32::MAX] {
            assert_eq!(clock.offset_ms(clock.at_offset_ms(offset)), offset);
        }
        assert_eq!(Clock::ticks(Duration::from_millis(3)), 30);
        assert_eq!(clock.wall(30), clock.at_offset_ms(3));
        assert_eq!(
            clock.age(30, clock.started + Duration::from_millis(5)),
            Duration::from_millis(2)
        );
    }
}

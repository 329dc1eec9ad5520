//! Whether what was read of the control topic can still be trusted. Pure: `now` is an argument.

use std::time::{Duration, Instant};

/// How old the last proof of a readable control topic may be.
pub const STALE_AFTER: Duration = Duration::from_secs(5);

/// What the follower knows about its own knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// The end has not been reached since the follower (re)started.
    CatchingUp,
    /// The end was reached, and nothing speaks against being there.
    Current,
    /// The end was reached, and the brokers have been out of reach since then.
    Doubtful {
        /// Since when.
        since: Instant,
    },
    /// Too long without proof. Only reading to the end again ends it.
    Stale,
}

impl Freshness {
    /// The end of the topic was reached.
    pub(crate) fn reach_end(&mut self) {
        *self = Self::Current;
    }

    /// A record came: the brokers answer, so doubt is over, but staleness is not.
    pub(crate) fn see_record(&mut self) {
        if matches!(self, Self::Doubtful { .. }) {
            *self = Self::Current;
        }
    }

    /// The brokers went out of reach.
    pub(crate) fn lose_brokers(&mut self, now: Instant) {
        if *self == Self::Current {
            *self = Self::Doubtful { since: now };
        }
    }

    /// Lets time pass since `last_look`; returns whether this is the moment of becoming stale.
    ///
    /// A process that was stopped and continued has not looked for as long, and may have missed anything.
    pub(crate) fn pass_time(&mut self, last_look: Instant, now: Instant) -> bool {
        let without_proof = match self {
            Self::Current => now.saturating_duration_since(last_look),
            Self::Doubtful { since } => now.saturating_duration_since(*since),
            Self::CatchingUp | Self::Stale => return false,
        };
        let is_stale = without_proof >= STALE_AFTER;
        if is_stale {
            *self = Self::Stale;
        }
        is_stale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Step {
        End,
        Record,
        Lost,
        /// Milliseconds, looked at every 500 ms.
        Wait(u64),
        /// Milliseconds without a look in between.
        Stopped(u64),
    }
    use Step::{End, Lost, Record, Stopped, Wait};

    #[track_caller]
    fn check(steps: &[Step], is_expected: impl Fn(Freshness) -> bool) {
        let mut now = Instant::now();
        let mut freshness = Freshness::CatchingUp;
        for step in steps {
            match step {
                End => freshness.reach_end(),
                Record => freshness.see_record(),
                Lost => freshness.lose_brokers(now),
                Wait(millis) => {
                    for _ in 0..millis / 500 {
                        let last_look = now;
                        now += Duration::from_millis(500);
                        freshness.pass_time(last_look, now);
                    }
                }
                Stopped(millis) => {
                    let last_look = now;
                    now += Duration::from_millis(*millis);
                    freshness.pass_time(last_look, now);
                }
            }
        }
        assert!(is_expected(freshness), "{freshness:?}");
    }

    #[test]
    fn silence_alone_is_no_doubt() {
        check(&[Wait(60_000)], |f| f == Freshness::CatchingUp);
        check(&[End, Wait(60_000)], |f| f == Freshness::Current);
        check(&[Record, Record], |f| f == Freshness::CatchingUp);
    }

    #[test]
    fn five_seconds_without_brokers_are_stale_until_the_end_is_reached() {
        check(&[End, Lost, Wait(4_500)], |f| {
            matches!(f, Freshness::Doubtful { .. })
        });
        check(&[End, Lost, Wait(3_000), Lost, Wait(2_000)], |f| {
            f == Freshness::Stale
        });
        check(&[End, Lost, Wait(5_000), Record, Wait(500)], |f| {
            f == Freshness::Stale
        });
        check(&[End, Lost, Wait(5_000), End], |f| f == Freshness::Current);
    }

    #[test]
    fn any_sign_of_the_brokers_ends_the_doubt() {
        check(&[End, Lost, Wait(4_500), Record, Wait(60_000)], |f| {
            f == Freshness::Current
        });
        check(&[End, Lost, Wait(4_500), End, Wait(60_000)], |f| {
            f == Freshness::Current
        });
    }

    #[test]
    fn a_process_that_was_stopped_has_to_catch_up() {
        check(&[End, Stopped(4_999)], |f| f == Freshness::Current);
        check(&[End, Stopped(5_000)], |f| f == Freshness::Stale);
        check(&[Stopped(60_000)], |f| f == Freshness::CatchingUp);
    }
}

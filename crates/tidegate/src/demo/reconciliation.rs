//! What must have come of an event against what was seen to come of it.

use std::ops::AddAssign;

use super::ledger::Entry;

/// What the libraries say must come of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// A decision, and what it makes.
    Decided {
        /// Print of the decision.
        print: u64,
        /// Number of actions.
        actions: u8,
        /// Number of reviews.
        reviews: u8,
        /// Sum of the prints of both.
        outputs: u64,
    },
    /// A dead letter with these bytes and nothing else.
    DeadLettered {
        /// Print of the record's value.
        print: u64,
    },
}

/// How what was seen differs from what must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Discrepancies {
    /// Records that are missing.
    pub(crate) lost: u64,
    /// Records that came again.
    pub(crate) duplicates: u64,
    /// Records that say something else, or should not be.
    pub(crate) contradictory: u64,
}

impl AddAssign for Discrepancies {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.duplicates += other.duplicates;
        self.contradictory += other.contradictory;
    }
}

impl Discrepancies {
    fn count(&mut self, seen: u8, expected: u8) {
        self.lost += u64::from(expected.saturating_sub(seen));
        self.duplicates += u64::from(seen.saturating_sub(expected));
    }
}

/// Compares one event.
pub(crate) fn reconcile(entry: &Entry, expected: &Expected) -> Discrepancies {
    let mut found = Discrepancies::default();
    match *expected {
        Expected::DeadLettered { print } => {
            found.count(entry.dead_letters, 1);
            let strangers =
                u64::from(entry.decisions) + u64::from(entry.actions) + u64::from(entry.reviews);
            found.contradictory += strangers
                + u64::from(strangers == 0 && entry.dead_letters > 0 && entry.print != print);
        }
        Expected::Decided {
            print,
            actions,
            reviews,
            outputs,
        } => {
            found.count(entry.decisions, 1);
            found.count(entry.actions, actions);
            found.count(entry.reviews, reviews);
            found.contradictory += u64::from(entry.dead_letters);
            let is_complete = (entry.actions, entry.reviews) == (actions, reviews);
            let says_otherwise = entry.decisions > 0 && entry.print != print;
            let makes_otherwise = is_complete && entry.outputs != outputs;
            found.contradictory += u64::from(says_otherwise || makes_otherwise);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECIDED: Expected = Expected::Decided {
        print: 7,
        actions: 2,
        reviews: 1,
        outputs: 60,
    };
    const GOOD: Entry = Entry {
        scheduled: 0,
        bytes: 0,
        evaluated_ms: 0,
        policy: 1,
        deployment: 1,
        decisions: 1,
        dead_letters: 0,
        named_actions: 2,
        actions: 2,
        named_reviews: 1,
        reviews: 1,
        print: 7,
        outputs: 60,
    };

    fn check(expected: Expected, entry: Entry, [lost, duplicates, contradictory]: [u64; 3]) {
        assert_eq!(
            reconcile(&entry, &expected),
            Discrepancies {
                lost,
                duplicates,
                contradictory
            },
            "{entry:?}"
        );
    }

    #[test]
    fn what_happens_to_a_decided_event_is_found() {
        check(DECIDED, GOOD, [0, 0, 0]);
        // Dropped.
        check(
            DECIDED,
            Entry {
                decisions: 0,
                print: 0,
                ..GOOD
            },
            [1, 0, 0],
        );
        check(
            DECIDED,
            Entry {
                actions: 1,
                outputs: 20,
                ..GOOD
            },
            [1, 0, 0],
        );
        check(
            DECIDED,
            Entry {
                reviews: 0,
                outputs: 30,
                ..GOOD
            },
            [1, 0, 0],
        );
        check(DECIDED, Entry::default(), [4, 0, 0]);
        // Repeated.
        check(
            DECIDED,
            Entry {
                decisions: 2,
                ..GOOD
            },
            [0, 1, 0],
        );
        check(
            DECIDED,
            Entry {
                actions: 4,
                outputs: 90,
                ..GOOD
            },
            [0, 2, 0],
        );
        // Altered.
        check(DECIDED, Entry { print: 8, ..GOOD }, [0, 0, 1]);
        check(
            DECIDED,
            Entry {
                outputs: 61,
                ..GOOD
            },
            [0, 0, 1],
        );
        check(
            DECIDED,
            Entry {
                dead_letters: 1,
                ..GOOD
            },
            [0, 0, 1],
        );
    }

    #[test]
    fn what_happens_to_an_unreadable_record_is_found() {
        let expected = Expected::DeadLettered { print: 9 };
        let good = Entry {
            dead_letters: 1,
            print: 9,
            ..Entry::default()
        };
        check(expected, good, [0, 0, 0]);
        check(expected, Entry::default(), [1, 0, 0]);
        check(
            expected,
            Entry {
                dead_letters: 2,
                ..good
            },
            [0, 1, 0],
        );
        check(expected, Entry { print: 1, ..good }, [0, 0, 1]);
        check(
            expected,
            Entry {
                decisions: 1,
                ..good
            },
            [0, 0, 1],
        );
    }
}

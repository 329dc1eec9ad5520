//! Forms batches from what waits: a plain structure without threads, channels or a clock.
//!
//! - A batch always holds what has waited longest, so that nothing starves, and then what is closest to it in cost.
//! - Its cost is within the budget, unless a single item alone exceeds that.
//! - Items with the same key are one piece of work: they share a batch and are paid for once.
//! - Work is never held back for company, unless a wait is configured.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What batches may cost and wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Most cost of one batch of several items.
    pub budget: u32,
    /// How long what waits may be held back while it does not fill the budget.
    pub max_wait: Duration,
}

/// Why a batch was released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseReason {
    /// Something that waits did not fit any more.
    Budget,
    /// Nothing else waits.
    Drained,
}

impl ReleaseReason {
    /// Returns the word for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Drained => "drained",
        }
    }
}

/// Items with the same key.
#[derive(Debug, PartialEq, Eq)]
pub struct Group<T> {
    /// What they share.
    pub key: u128,
    /// What one of them costs.
    pub cost: u32,
    /// The items, oldest first.
    pub members: Vec<T>,
}

/// Work for one run.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch<T> {
    /// The items, by key; the first holds what waited longest.
    pub groups: Vec<Group<T>>,
    /// Sum of the groups' costs.
    pub cost: u64,
    /// Why it was released.
    pub reason: ReleaseReason,
    /// How long its oldest item waited.
    pub waited: Duration,
}

/// What waits to be run, sorted by cost.
#[derive(Debug)]
pub struct Batcher<T> {
    limits: BatchLimits,
    by_cost: BTreeMap<Place, T>,
    by_age: BTreeMap<u64, Waiting>,
    next_sequence: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    cost: u32,
    key: u128,
    sequence: u64,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    place: Place,
    since: Instant,
}

impl<T> Batcher<T> {
    /// Makes an empty batcher.
    pub fn new(limits: BatchLimits) -> Self {
        Self {
            limits,
            by_cost: BTreeMap::new(),
            by_age: BTreeMap::new(),
            next_sequence: 0,
        }
    }

    /// Returns the number of waiting items.
    pub fn len(&self) -> usize {
        self.by_cost.len()
    }

    /// Returns whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.by_cost.is_empty()
    }

    /// Adds an item. Items with equal keys must be interchangeable and have equal costs.
    pub fn push(&mut self, item: T, key: u128, cost: u32, now: Instant) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let place = Place {
            cost,
            key,
            sequence,
        };
        self.by_cost.insert(place, item);
        self.by_age.insert(sequence, Waiting { place, since: now });
    }

    /// Returns when the next batch may be taken at the latest; `None` while nothing waits.
    pub fn due_at(&self) -> Option<Instant> {
        let oldest = self.by_age.first_key_value()?.1;
        Some(oldest.since + self.limits.max_wait)
    }

    /// Takes the next batch; `None` while nothing waits or what waits may gather company until [`Batcher::due_at`].
    pub fn take(&mut self, now: Instant) -> Option<Batch<T>> {
        let oldest = *self.by_age.first_key_value()?.1;
        let is_due = now.saturating_duration_since(oldest.since) >= self.limits.max_wait;
        if !is_due && !self.fills_budget() {
            return None;
        }
        let first = self.take_group(oldest.place);
        let mut cost = u64::from(first.cost);
        let mut groups = vec![first];
        while let Some(place) = self.closest(oldest.place, cost) {
            cost += u64::from(place.cost);
            groups.push(self.take_group(place));
        }
        Some(Batch {
            groups,
            cost,
            reason: if self.is_empty() {
                ReleaseReason::Drained
            } else {
                ReleaseReason::Budget
            },
            waited: now.saturating_duration_since(oldest.since),
        })
    }

    fn fills_budget(&self) -> bool {
        let budget = u64::from(self.limits.budget);
        let mut cost = 0;
        self.by_cost.keys().any(|place| {
            cost += u64::from(place.cost);
            cost >= budget
        })
    }

    /// Finds the waiting item whose cost is closest to the anchor's among those that still fit.
    fn closest(&self, anchor: Place, spent: u64) -> Option<Place> {
        let left = u64::from(self.limits.budget).saturating_sub(spent);
        let above = self.by_cost.range(anchor..).next().map(|(place, _)| *place);
        let below = self
            .by_cost
            .range(..anchor)
            .next_back()
            .map(|(place, _)| *place);
        let above = above.filter(|place| u64::from(place.cost) <= left);
        // Where the nearest cheaper item does not fit, a far cheaper one may.
        let below = below
            .filter(|place| u64::from(place.cost) <= left)
            .or_else(|| {
                let limit = Place {
                    cost: u32::try_from(left).unwrap_or(u32::MAX),
                    key: u128::MAX,
                    sequence: u64::MAX,
                };
                let cheaper = self.by_cost.range(..=limit.min(anchor)).next_back();
                cheaper.map(|(place, _)| *place)
            });
        let distance = |place: &Place| place.cost.abs_diff(anchor.cost);
        [above, below].into_iter().flatten().min_by_key(distance)
    }

    /// Takes every waiting item with the key of the one at `place`.
    fn take_group(&mut self, place: Place) -> Group<T> {
        let first = Place {
            sequence: 0,
            ..place
        };
        let last = Place {
            sequence: u64::MAX,
            ..place
        };
        let places: Vec<Place> = self
            .by_cost
            .range(first..=last)
            .map(|(place, _)| *place)
            .collect();
        let mut members = Vec::with_capacity(places.len());
        for place in places {
            self.by_age.remove(&place.sequence);
            members.extend(self.by_cost.remove(&place));
        }
        Group {
            key: place.key,
            cost: place.cost,
            members,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn batcher(budget: u32, max_wait: Duration) -> Batcher<u32> {
        Batcher::new(BatchLimits { budget, max_wait })
    }

    #[test]
    fn batches_hold_the_oldest_and_its_neighbours() {
        let check = |costs: &[u32], expected: &[&[u32]]| {
            let now = Instant::now();
            let mut batcher = batcher(10, Duration::ZERO);
            for (item, cost) in costs.iter().enumerate() {
                batcher.push(item as u32, item as u128, *cost, now);
            }
            let mut found: Vec<Vec<u32>> = Vec::new();
            while let Some(batch) = batcher.take(now) {
                found.push(
                    batch
                        .groups
                        .into_iter()
                        .flat_map(|group| group.members)
                        .collect(),
                );
            }
            assert_eq!(found, expected, "{costs:?}");
        };
        check(&[], &[]);
        check(&[3, 3, 3, 3], &[&[0, 1, 2], &[3]]);
        check(&[5, 1, 4, 9], &[&[0, 2, 1], &[3]]);
        check(&[50, 1, 2], &[&[0], &[1, 2]]);
        check(&[6, 5, 4], &[&[0, 2], &[1]]);
        check(&[6, 7, 8, 1], &[&[0, 3], &[1], &[2]]);
    }

    #[test]
    fn equal_keys_are_paid_for_once() {
        let now = Instant::now();
        let mut batcher = batcher(10, Duration::ZERO);
        for item in 0..5 {
            batcher.push(item, u128::from(item % 2), 5, now);
        }
        let batch = batcher.take(now).unwrap();
        assert_eq!((batch.cost, batch.reason), (10, ReleaseReason::Drained));
        assert_eq!(batch.groups[0].members, [0, 2, 4]);
        assert_eq!(batch.groups[1].members, [1, 3]);
    }

    #[test]
    fn a_configured_wait_ends_when_the_budget_is_full() {
        let (now, wait) = (Instant::now(), Duration::from_millis(5));
        let mut batcher = batcher(10, wait);
        batcher.push(1, 1, 4, now);
        assert_eq!(batcher.take(now), None);
        assert_eq!(batcher.due_at(), Some(now + wait));
        batcher.push(2, 2, 7, now);
        let batch = batcher.take(now).unwrap();
        assert_eq!(
            (batch.groups.len(), batch.reason),
            (1, ReleaseReason::Budget)
        );
        assert_eq!(batcher.take(now), None);
        assert_eq!(batcher.take(now + wait).unwrap().waited, wait);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push { key: u8, cost: u32 },
        Take,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let push = (0_u8..12).prop_map(|key| Step::Push {
            key,
            // Equal keys cost the same.
            cost: 1 + u32::from(key) * u32::from(key) % 17,
        });
        prop::collection::vec(prop_oneof![3 => push, 1 => Just(Step::Take)], 0..200)
    }

    proptest! {
        #[test]
        fn a_naive_model_agrees(steps in steps(), budget in 1_u32..40) {
            let now = Instant::now();
            let mut batcher = batcher(budget, Duration::ZERO);
            let mut waiting: Vec<(u32, u8, u32)> = Vec::new();
            let pushed = steps.iter().filter(|step| matches!(step, Step::Push { .. })).count();
            let drain = std::iter::repeat_n(Step::Take, pushed + 1);
            let mut next = 0;
            for step in steps.iter().cloned().chain(drain) {
                match step {
                    Step::Push { key, cost } => {
                        batcher.push(next, u128::from(key), cost, now);
                        waiting.push((next, key, cost));
                        next += 1;
                    }
                    Step::Take => {
                        let Some(batch) = batcher.take(now) else {
                            prop_assert!(waiting.is_empty(), "work is never held back");
                            continue;
                        };
                        let oldest = waiting[0].0;
                        prop_assert_eq!(batch.groups[0].members[0], oldest, "the oldest never waits");
                        let cost: u64 = batch.groups.iter().map(|group| u64::from(group.cost)).sum();
                        prop_assert_eq!(cost, batch.cost);
                        prop_assert!(cost <= u64::from(budget) || batch.groups.len() == 1);
                        for group in &batch.groups {
                            let expected: Vec<u32> = waiting.iter()
                                .filter(|(_, key, _)| u128::from(*key) == group.key).map(|(item, _, _)| *item).collect();
                            prop_assert_eq!(&group.members, &expected, "a key is run once, for all that wait");
                            waiting.retain(|(_, key, _)| u128::from(*key) != group.key);
                        }
                        let left = u64::from(budget).saturating_sub(cost);
                        prop_assert!(waiting.iter().all(|(_, _, cost)| u64::from(*cost) > left), "nothing that fits stays");
                        prop_assert_eq!(batch.reason == ReleaseReason::Drained, waiting.is_empty());
                    }
                }
                prop_assert_eq!(batcher.len(), waiting.len());
            }
            prop_assert!(batcher.is_empty());
        }
    }
}

//! What may be committed.

use std::collections::VecDeque;

/// The contiguous frontier of acknowledged records in one partition.
///
/// Runs over *observed* offsets, which have gaps wherever compaction removed a record or a transaction left a marker.
/// A record is opened with the number of acknowledgements it waits for; the frontier passes it when they have all
/// arrived and it has passed every record before it.
#[derive(Debug, Default)]
pub struct CommitFrontier {
    open: VecDeque<Open>,
    /// The ticket of `open[0]`.
    first: u64,
    committable: Option<i64>,
}

#[derive(Debug)]
struct Open {
    offset: i64,
    outstanding: u32,
}

/// Names a record between [`CommitFrontier::open`] and its last acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(pub u64);

impl CommitFrontier {
    /// Takes the next record of the partition, which waits for `acknowledgements`.
    ///
    /// # Panics
    /// If `offset` is not beyond the last one: the caller has confused two assignments, and committing could lose
    /// records.
    pub fn open(&mut self, offset: i64, acknowledgements: u32) -> Ticket {
        let beyond_last = match self.open.back() {
            Some(last) => offset > last.offset,
            None => self
                .committable
                .is_none_or(|committable| offset >= committable),
        };
        assert!(beyond_last, "offset {offset} was opened out of order");
        self.open.push_back(Open {
            offset,
            outstanding: acknowledgements,
        });
        Ticket(self.first + self.open.len() as u64 - 1)
    }

    /// Makes a record wait for one more acknowledgement.
    pub fn extend(&mut self, ticket: Ticket) {
        if let Some(open) = self.find(ticket) {
            open.outstanding += 1;
        }
    }

    /// Counts one acknowledgement. One for a record that waits for none is ignored.
    pub fn acknowledge(&mut self, ticket: Ticket) {
        if let Some(open) = self.find(ticket) {
            open.outstanding = open.outstanding.saturating_sub(1);
        }
    }

    /// Moves the frontier past the next record, if that record waits for nothing.
    ///
    /// Returns that record's ticket, so that the caller can release what it holds for it.
    pub fn advance(&mut self) -> Option<Ticket> {
        if self.open.front()?.outstanding > 0 {
            return None;
        }
        let passed = self.open.pop_front()?;
        self.committable = Some(passed.offset + 1);
        let ticket = Ticket(self.first);
        self.first += 1;
        Some(ticket)
    }

    /// Returns the offset to commit: one beyond the last record that was passed, or `None` before the first.
    pub fn committable(&self) -> Option<i64> {
        self.committable
    }

    /// Returns how many records have been opened and not passed.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Returns whether all opened records have been passed.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    fn find(&mut self, ticket: Ticket) -> Option<&mut Open> {
        let index = ticket.0.checked_sub(self.first)?;
        self.open.get_mut(index as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The model: a plain list, searched from the start each time.
    fn naive_committable(records: &[(i64, u32)]) -> Option<i64> {
        records
            .iter()
            .take_while(|(_, outstanding)| *outstanding == 0)
            .last()
            .map(|(offset, _)| offset + 1)
    }

    #[derive(Debug, Clone)]
    enum Step {
        Open { gap: i64, acknowledgements: u32 },
        Acknowledge(prop::sample::Index),
        Extend(prop::sample::Index),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0_i64..5, 0_u32..4).prop_map(|(gap, acknowledgements)| Step::Open {
                gap,
                acknowledgements
            }),
            any::<prop::sample::Index>().prop_map(Step::Acknowledge),
            any::<prop::sample::Index>().prop_map(Step::Acknowledge),
            any::<prop::sample::Index>().prop_map(Step::Extend),
        ]
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_list(steps in prop::collection::vec(step(), 0..200)) {
            let mut frontier = CommitFrontier::default();
            let mut model: Vec<(i64, u32)> = Vec::new();
            let mut offset = 7;
            let mut passed = 0;
            for step in steps {
                match step {
                    Step::Open { gap, acknowledgements } => {
                        offset += 1 + gap;
                        prop_assert_eq!(frontier.open(offset, acknowledgements), Ticket(model.len() as u64));
                        model.push((offset, acknowledgements));
                    }
                    Step::Acknowledge(index) if !model.is_empty() => {
                        let index = index.index(model.len());
                        frontier.acknowledge(Ticket(index as u64));
                        model[index].1 = model[index].1.saturating_sub(1);
                    }
                    Step::Extend(index) if passed < model.len() => {
                        let index = passed + index.index(model.len() - passed);
                        frontier.extend(Ticket(index as u64));
                        model[index].1 += 1;
                    }
                    Step::Acknowledge(_) | Step::Extend(_) => {}
                }
                let before = frontier.committable();
                while let Some(ticket) = frontier.advance() {
                    prop_assert_eq!(ticket, Ticket(passed as u64));
                    passed += 1;
                }
                prop_assert!(frontier.committable() >= before, "the frontier went back");
                prop_assert_eq!(frontier.committable(), naive_committable(&model));
                prop_assert_eq!(frontier.len(), model.len() - passed);
            }
        }
    }

    #[test]
    #[should_panic(expected = "out of order")]
    fn an_offset_out_of_order_is_refused() {
        let mut frontier = CommitFrontier::default();
        frontier.open(5, 0);
        frontier.open(5, 0);
    }
}

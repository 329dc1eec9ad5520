//! One assigned partition as the emitter sees it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::assignment::Assignment;
use crate::frontier::{CommitFrontier, Ticket};
use crate::outcome::{InFlight, Outcome};
use crate::reorder::ReorderBuffer;

/// Reorder buffer, frontier, and the records themselves until they are acknowledged: a record whose output turns out to
/// be too large is dead-lettered from here.
///
/// A record's ordinal is its place in the buffer and its ticket at the frontier.
pub(crate) struct Lane {
    assignment: Arc<Assignment>,
    reorder: ReorderBuffer<Finished>,
    frontier: CommitFrontier,
    opened: VecDeque<Opened>,
    passed: u64,
    stored: Option<i64>,
}

/// A result that waits for its turn, or has it.
pub(crate) struct Finished {
    pub(crate) in_flight: InFlight,
    pub(crate) outcome: Outcome,
    pub(crate) arrived: Instant,
}

/// A record whose outputs are on their way.
pub(crate) struct Opened {
    pub(crate) in_flight: InFlight,
    pub(crate) is_dead_lettered: bool,
    pub(crate) since: Instant,
}

impl Lane {
    pub(crate) fn new(assignment: Arc<Assignment>) -> Self {
        Self {
            assignment,
            reorder: ReorderBuffer::default(),
            frontier: CommitFrontier::default(),
            opened: VecDeque::new(),
            passed: 0,
            stored: None,
        }
    }

    pub(crate) fn take(&mut self, in_flight: InFlight, outcome: Outcome, now: Instant) {
        let ordinal = in_flight.ordinal;
        let finished = Finished {
            in_flight,
            outcome,
            arrived: now,
        };
        let first_time = self.reorder.insert(ordinal, finished);
        debug_assert!(first_time.is_ok(), "a record was finished twice");
    }

    pub(crate) fn next_in_order(&mut self) -> Option<Finished> {
        self.reorder.pop_ready()
    }

    pub(crate) fn open(
        &mut self,
        in_flight: InFlight,
        outputs: u32,
        is_dead_lettered: bool,
        now: Instant,
    ) {
        let ticket = self.frontier.open(in_flight.record.offset, outputs);
        debug_assert_eq!(ticket, Ticket(in_flight.ordinal));
        self.opened.push_back(Opened {
            in_flight,
            is_dead_lettered,
            since: now,
        });
    }

    pub(crate) fn opened(&mut self, ordinal: u64) -> Option<&mut Opened> {
        let index = ordinal.checked_sub(self.passed)?;
        self.opened.get_mut(index as usize)
    }

    pub(crate) fn acknowledge(&mut self, ordinal: u64) {
        self.frontier.acknowledge(Ticket(ordinal));
    }

    /// Moves the frontier past the next record that is acknowledged with all its outputs.
    pub(crate) fn pass(&mut self) -> Option<Opened> {
        self.frontier.advance()?;
        self.passed += 1;
        self.opened.pop_front()
    }

    /// Returns whether all that was dispatched has passed the frontier.
    pub(crate) fn is_complete(&self) -> bool {
        self.unfinished() == 0
    }

    pub(crate) fn unfinished(&self) -> u64 {
        self.assignment.dispatched() - self.passed
    }

    /// Returns the offset to store if it has moved since the last call.
    pub(crate) fn take_committable(&mut self) -> Option<(&str, i32, i64)> {
        let committable = self.frontier.committable()?;
        if self.stored.replace(committable) == Some(committable) {
            return None;
        }
        Some((
            &self.assignment.topic,
            self.assignment.partition,
            committable,
        ))
    }

    /// Returns whether nothing is on its way; records may still be with the processor.
    pub(crate) fn is_passed(&self) -> bool {
        self.opened.is_empty()
    }

    /// Removes the records that wait for their turn. Others are on their way, or still with the processor.
    pub(crate) fn take_waiting(&mut self) -> Vec<InFlight> {
        self.reorder
            .drain()
            .map(|finished| finished.in_flight)
            .collect()
    }
}

//! The seam between the loop and what a stage does with a record.

use std::fmt;
use std::sync::Arc;

use crossbeam_channel::Sender;

use crate::assignment::AssignmentId;
use crate::emitter::EmitterMessage;
use crate::record::{OutputRecord, Record};

/// What a stage does with each record.
pub trait Processor: Send {
    /// Takes one record and the duty to finish it.
    ///
    /// Runs on the consumer thread, in the order of each partition, and must not block: a stage that works for longer
    /// hands the record on to its own threads, which may finish records in any order.
    fn process(&mut self, dispatched: Dispatched);
}

impl<F: FnMut(Dispatched) + Send> Processor for F {
    fn process(&mut self, dispatched: Dispatched) {
        self(dispatched);
    }
}

/// A record in flight: the record, and the duty to finish it exactly once.
///
/// May be moved to and finished on any thread. Dropping it unfinished is a defect of the stage: the pipeline stops
/// with [`Error::Abandoned`](crate::Error::Abandoned), commits nothing past the record, and so loses nothing.
pub struct Dispatched {
    // `None` only after `finish`, which tells `drop` that the duty is done.
    in_flight: Option<InFlight>,
    emitter: Sender<EmitterMessage>,
}

impl Dispatched {
    pub(crate) fn new(in_flight: InFlight, emitter: Sender<EmitterMessage>) -> Self {
        Self {
            in_flight: Some(in_flight),
            emitter,
        }
    }

    /// Returns the record.
    pub fn record(&self) -> &Record {
        match &self.in_flight {
            Some(in_flight) => &in_flight.record,
            None => unreachable!("finish takes the value"),
        }
    }

    /// Hands over what the record led to. Never blocks.
    pub fn finish(mut self, outcome: Outcome) {
        if let Some(in_flight) = self.in_flight.take() {
            // The channel has room for every record that the budget admits, so this send does not wait. It fails only
            // when the pipeline has stopped, and then nothing of the record is committed: it will be read again.
            if self
                .emitter
                .send(EmitterMessage::Finished(in_flight, outcome))
                .is_err()
            {
                tracing::trace!("a record was finished after its pipeline had stopped");
            }
        }
    }
}

impl Drop for Dispatched {
    fn drop(&mut self) {
        if let Some(in_flight) = self.in_flight.take()
            && self
                .emitter
                .send(EmitterMessage::Abandoned(in_flight))
                .is_err()
        {
            tracing::trace!("a record was abandoned after its pipeline had stopped");
        }
    }
}

impl fmt::Debug for Dispatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dispatched").field(self.record()).finish()
    }
}

/// A record with its place in its assignment and in the whole pipeline.
pub(crate) struct InFlight {
    pub(crate) record: Record,
    pub(crate) assignment: AssignmentId,
    /// Dense number within the assignment: what the reorder buffer sorts by.
    pub(crate) ordinal: u64,
    /// Dense number within the pipeline: what `settled` waits for.
    pub(crate) sequence: u64,
    /// What the record took from the budget.
    pub(crate) bytes: usize,
}

/// What one record led to. The default is nothing at all, which is a valid outcome: the record counts as done.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Records to produce, in this order, when the record's turn has come.
    pub outputs: Vec<OutputRecord>,
    /// Set when the record could not be read: its original bytes go to the dead-letter topic, besides `outputs`.
    pub rejection: Option<Rejection>,
}

impl Outcome {
    /// Makes an outcome that produces `outputs`.
    pub fn produce(outputs: Vec<OutputRecord>) -> Self {
        Self {
            outputs,
            rejection: None,
        }
    }

    /// Makes an outcome that only dead-letters the record.
    pub fn reject(rejection: Rejection) -> Self {
        Self {
            outputs: Vec::new(),
            rejection: Some(rejection),
        }
    }
}

/// Why a record goes to the dead-letter topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// A word from a fixed set, fit for a metric's label (`undecodable`, `missing_id`).
    pub reason: &'static str,
    /// What a person needs to find the fault, for example the field's name. Never users' text.
    pub detail: Arc<str>,
}

impl Rejection {
    /// Makes a rejection. `detail` must hold no users' text.
    pub fn new(reason: &'static str, detail: impl Into<Arc<str>>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

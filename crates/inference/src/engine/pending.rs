//! An event whose parts are being scored, and its completion, which is called exactly once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use moderation::{LabelOutcome, Score, ScoredEvent};

use super::draft::Draft;
use super::generation::Generation;
use super::releases::Ticket;
use super::schedule::Job;

/// What is called with the finished event.
pub(crate) type OnDone = Box<dyn FnOnce(ScoredEvent) + Send>;

/// What one bundle says of one part.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Nothing yet.
    Awaited,
    /// Scores, in the order of the bundle's labels.
    Scores(Arc<[Score]>),
    /// The same for every label.
    Absent(LabelOutcome),
}

/// What an answer makes of an event.
pub(crate) enum Progress {
    /// It waits for more.
    Waiting,
    /// It is to be completed.
    Finished(Box<Open>),
    /// It was completed before.
    TooLate,
}

/// An event in flight, shared between the batches that hold its parts and the watchdog.
pub(crate) struct Pending(Mutex<Option<Open>>);

/// An event that has not been completed yet.
pub(crate) struct Open {
    pub(crate) draft: Draft,
    pub(crate) generation: Arc<Generation>,
    pub(crate) on_done: OnDone,
    pub(crate) ticket: Ticket,
}

impl Open {
    /// Finishes the event and hands it over.
    pub(crate) fn complete(self) {
        let scored = self.draft.finish(&self.generation);
        let on_done = self.on_done;
        if catch_unwind(AssertUnwindSafe(|| on_done(scored))).is_err() {
            tracing::error!("the receiver of a scored event panicked");
        }
        drop(self.ticket);
    }
}

/// An event that begins again. Under its old deployment it is in flight until it waits to begin under the new one.
pub(crate) struct Reclaimed {
    pub(crate) job: Job,
    _ticket: Ticket,
}

impl Pending {
    pub(crate) fn new(open: Open) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(open))))
    }

    /// Notes the awaited answer of one bundle about one part.
    pub(crate) fn answer(&self, part: usize, bundle: usize, answer: Answer) -> Progress {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = slot.as_mut() else {
            return Progress::TooLate;
        };
        if !open.draft.answer(part, bundle, answer) {
            return Progress::Waiting;
        }
        slot.take()
            .map_or(Progress::TooLate, |open| Progress::Finished(Box::new(open)))
    }

    /// Takes the event back as it came, to begin again; `None` if it was completed or taken before.
    pub(crate) fn reclaim(&self) -> Option<Reclaimed> {
        let open = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        let (content, evaluation_time) = open.draft.into_content();
        let job = Job {
            content,
            evaluation_time,
            on_done: open.on_done,
            submitted: Instant::now(),
        };
        Some(Reclaimed {
            job,
            _ticket: open.ticket,
        })
    }

    /// Completes the event with what is awaited as timed out. Returns false if it was completed before.
    pub(crate) fn time_out(&self) -> bool {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut open) = open else {
            return false;
        };
        open.draft.time_out();
        open.complete();
        true
    }
}

//! Bounds how long a run may take.
//!
//! What a shadow keeps is completed as timed out at once. What a serving model keeps waits for the worker's word, for if
//! a golden text takes too long as well, it is the model's fault and no item's. A worker that is still not back after as
//! long again is stuck in a single operator, and no longer waited for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::pending::Pending;
use crate::session::Stopper;

/// What one worker runs right now, for the watchdog to see.
#[derive(Default)]
pub(crate) struct Slot(Mutex<Option<Running>>);

/// Work whose time is measured.
pub(crate) struct Running {
    since: Instant,
    events: Vec<Arc<Pending>>,
    /// Of the session that runs at this moment.
    stopper: Option<Stopper>,
    is_late: bool,
    waits_for_verdict: bool,
}

impl Running {
    fn new(events: Vec<Arc<Pending>>, since: Instant) -> Self {
        Self {
            since,
            events,
            stopper: None,
            is_late: false,
            waits_for_verdict: true,
        }
    }

    fn stop(&self) {
        if let Some(stopper) = &self.stopper {
            stopper.stop();
        }
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows work that begins, with the events that wait for it.
    pub(crate) fn begin(&self, events: Vec<Arc<Pending>>, since: Instant) {
        *self.lock() = Some(Running::new(events, since));
    }

    /// Shows whether a serving bundle works on the events from now on, or a shadow.
    pub(crate) fn enter(&self, is_serving: bool) {
        if let Some(running) = self.lock().as_mut() {
            running.waits_for_verdict = is_serving;
        }
    }

    /// Shows the session that runs from now on. It is stopped at once if the work has taken too long already.
    pub(crate) fn run_on(&self, stopper: Stopper) {
        if let Some(running) = self.lock().as_mut() {
            running.stopper = Some(stopper);
            if running.is_late {
                running.stop();
            }
        }
    }

    /// Shows that the session's run has ended; returns whether the session may have been stopped.
    pub(crate) fn run_off(&self) -> bool {
        self.lock().as_mut().is_some_and(|running| {
            running.stopper = None;
            running.is_late
        })
    }

    /// Returns whether the work has taken too long.
    pub(crate) fn is_late(&self) -> bool {
        self.lock().as_ref().is_some_and(|running| running.is_late)
    }

    /// Shows that the work has ended or is set aside.
    pub(crate) fn end(&self) -> Option<Running> {
        self.lock().take()
    }

    /// Shows that work which was set aside goes on, with all of its time.
    pub(crate) fn go_on(&self, work: Option<Running>, now: Instant) {
        *self.lock() = work.map(|work| Running::new(work.events, now));
    }

    /// Stops what has run for longer than `patience`, and completes its events as timed out where nobody else decides
    /// that. Returns how many.
    pub(crate) fn check(&self, now: Instant, patience: Duration) -> usize {
        let events = {
            let mut slot = self.lock();
            let Some(running) = slot.as_mut() else {
                return 0;
            };
            let elapsed = now.saturating_duration_since(running.since);
            if elapsed <= patience {
                return 0;
            }
            if !running.is_late {
                running.is_late = true;
                running.stop();
            }
            if running.waits_for_verdict && elapsed <= patience * 2 {
                return 0;
            }
            std::mem::take(&mut running.events)
        };
        time_out(&events)
    }
}

/// Completes events as timed out that are not completed yet. Returns how many.
pub(crate) fn time_out(events: &[Arc<Pending>]) -> usize {
    let late = events.iter().filter(|event| event.time_out()).count();
    if late > 0 {
        tracing::warn!(events = late, "inference took too long");
    }
    late
}

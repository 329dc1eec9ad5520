//! Bounds how long a batch may take.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::pending::Pending;
use crate::session::Stopper;

/// What one worker runs right now, for the watchdog to see.
#[derive(Default)]
pub(crate) struct Slot(Mutex<Option<Running>>);

struct Running {
    since: Instant,
    events: Vec<Arc<Pending>>,
    stoppers: Vec<Stopper>,
    is_late: bool,
}

impl Running {
    fn stop(&self) {
        for stopper in &self.stoppers {
            stopper.stop();
        }
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a batch that begins.
    pub(crate) fn begin(&self, events: Vec<Arc<Pending>>, since: Instant) {
        *self.lock() = Some(Running {
            since,
            events,
            stoppers: Vec::new(),
            is_late: false,
        });
    }

    /// Shows the sessions that run the batch from now on. They are stopped at once if it has taken too long already.
    pub(crate) fn run_on(&self, stoppers: Vec<Stopper>) {
        if let Some(running) = self.lock().as_mut() {
            running.stoppers = stoppers;
            if running.is_late {
                running.stop();
            }
        }
    }

    /// Returns whether the batch has taken too long.
    pub(crate) fn is_late(&self) -> bool {
        self.lock().as_ref().is_some_and(|running| running.is_late)
    }

    /// Shows that the batch has ended; returns whether it took too long, in which case its sessions were stopped.
    pub(crate) fn end(&self) -> bool {
        self.lock().take().is_some_and(|running| running.is_late)
    }

    /// Stops what has run for longer than `patience`, and completes its events as timed out. Returns how many.
    pub(crate) fn check(&self, now: Instant, patience: Duration) -> usize {
        let events = {
            let mut slot = self.lock();
            let Some(running) = slot.as_mut() else {
                return 0;
            };
            let elapsed = now.saturating_duration_since(running.since);
            if running.is_late || elapsed <= patience {
                return 0;
            }
            running.is_late = true;
            running.stop();
            std::mem::take(&mut running.events)
        };
        events.iter().filter(|event| event.time_out()).count()
    }
}

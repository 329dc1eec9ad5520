//! What the threads of one pipeline and its handles share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::error::Error;

/// What a pipeline is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The threads are starting.
    Starting,
    /// Records are consumed, or would be if there were any.
    Running,
    /// Nothing is consumed until [`Handle::resume`](crate::Handle::resume). A full budget is not this state.
    Paused,
    /// No further record is consumed; those in flight are being finished.
    Draining,
    /// Drained and closed.
    Stopped,
    /// Stopped by a failure that does not go away by itself.
    Failed(Error),
}

impl State {
    /// Returns whether the pipeline has ended.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Stopped | Self::Failed(_))
    }
}

/// Figures of a running pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Records handed to the processor since the start.
    pub dispatched: u64,
    /// Number below which all dispatched records are settled: acknowledged, or discarded with their assignment.
    pub settled: u64,
    /// Age of the oldest record in flight, to about 100 ms; zero if there is none.
    pub oldest_in_flight: Duration,
    /// Partitions that are assigned.
    pub assigned_partitions: u64,
    /// Partitions of these that are paused, for lack of room or on request.
    pub paused_partitions: u64,
    /// Records between what has been consumed and the end of the assigned partitions, as of the last fetch. A partition
    /// from which nothing has been consumed yet counts for nothing.
    pub lag_records: u64,
    /// Dead letters since the start.
    pub dead_letters: u64,
    /// Results discarded because their partition had been taken away.
    pub stale_results: u64,
}

/// Counters are cumulative and have one writing thread each, so that no lock is taken for a record.
pub(crate) struct Control {
    pub(crate) state: watch::Sender<State>,
    pub(crate) settled: watch::Sender<u64>,
    pub(crate) pause_requested: AtomicBool,
    pub(crate) dead_letters: AtomicU64,
    pub(crate) stale_results: AtomicU64,
    /// Written by the emitter, read by the consumer's budget.
    pub(crate) released_events: AtomicU64,
    pub(crate) released_bytes: AtomicU64,
    pub(crate) oldest_in_flight_ms: AtomicU64,
    pub(crate) assigned_partitions: AtomicU64,
    pub(crate) paused_partitions: AtomicU64,
    pub(crate) lag_records: AtomicU64,
    dispatched: AtomicU64,
    started: Instant,
    consumer_beat_ms: AtomicU64,
    emitter_beat_ms: AtomicU64,
}

impl Control {
    pub(crate) fn new(start_paused: bool) -> Self {
        Self {
            state: watch::Sender::new(State::Starting),
            settled: watch::Sender::new(0),
            pause_requested: AtomicBool::new(start_paused),
            dead_letters: AtomicU64::new(0),
            stale_results: AtomicU64::new(0),
            released_events: AtomicU64::new(0),
            released_bytes: AtomicU64::new(0),
            oldest_in_flight_ms: AtomicU64::new(0),
            assigned_partitions: AtomicU64::new(0),
            paused_partitions: AtomicU64::new(0),
            lag_records: AtomicU64::new(0),
            dispatched: AtomicU64::new(0),
            started: Instant::now(),
            consumer_beat_ms: AtomicU64::new(0),
            emitter_beat_ms: AtomicU64::new(0),
        }
    }

    /// Takes the number of the next record. Called before the processor sees it.
    ///
    /// With the fence in `dispatched`, the fence here leaves two ways: either `settled` counts this record, or the
    /// processor sees everything that was published before `settled` was called.
    pub(crate) fn next_sequence(&self) -> u64 {
        let sequence = self.dispatched.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        sequence
    }

    /// Returns how many records have been dispatched.
    pub(crate) fn dispatched(&self) -> u64 {
        fence(Ordering::SeqCst);
        self.dispatched.load(Ordering::SeqCst)
    }

    pub(crate) fn set_state(&self, state: State) {
        self.state.send_if_modified(|current| {
            // A terminal state is the last word.
            let changed = !current.is_terminal() && *current != state;
            if changed {
                *current = state;
            }
            changed
        });
    }

    pub(crate) fn beat_consumer(&self) {
        self.consumer_beat_ms
            .store(self.elapsed_ms(), Ordering::Relaxed);
    }

    pub(crate) fn beat_emitter(&self) {
        self.emitter_beat_ms
            .store(self.elapsed_ms(), Ordering::Relaxed);
    }

    /// Returns the time since the slower of the two loops last came round.
    pub(crate) fn heartbeat_age(&self) -> Duration {
        let consumer = self.consumer_beat_ms.load(Ordering::Relaxed);
        let emitter = self.emitter_beat_ms.load(Ordering::Relaxed);
        Duration::from_millis(self.elapsed_ms().saturating_sub(consumer.min(emitter)))
    }

    pub(crate) fn progress(&self) -> Progress {
        let settled = *self.settled.borrow();
        Progress {
            dispatched: self.dispatched(),
            settled,
            oldest_in_flight: Duration::from_millis(
                self.oldest_in_flight_ms.load(Ordering::Relaxed),
            ),
            assigned_partitions: self.assigned_partitions.load(Ordering::Relaxed),
            paused_partitions: self.paused_partitions.load(Ordering::Relaxed),
            lag_records: self.lag_records.load(Ordering::Relaxed),
            dead_letters: self.dead_letters.load(Ordering::Relaxed),
            stale_results: self.stale_results.load(Ordering::Relaxed),
        }
    }

    fn elapsed_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}

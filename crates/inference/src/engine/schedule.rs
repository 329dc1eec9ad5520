//! What the workers do next: the bounded queue of events, the batchers, and the deployment that new work begins under.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use moderation::{ContentEvent, DeploymentVersion, Timestamp};

use super::applicability::needs_a_model;
use super::error::SubmitError;
use super::generation::Generation;
use super::pending::{OnDone, Reclaimed};
use super::prepare::Prepared;
use super::releases::Ticket;
use crate::batcher::{Batch, BatchLimits, Batcher};

/// Events that a worker prepares at a time: enough to make taking them cheap, few enough to share them.
const MAX_CHUNK: usize = 32;

/// An event that nobody has looked at yet.
pub(crate) struct Job {
    pub(crate) content: ContentEvent,
    pub(crate) evaluation_time: Timestamp,
    pub(crate) on_done: OnDone,
    pub(crate) submitted: Instant,
}

/// An event that has begun under a deployment.
pub(crate) struct Begun {
    pub(crate) job: Job,
    pub(crate) ticket: Ticket,
    pub(crate) generation: Arc<Generation>,
}

/// What a worker does next.
pub(crate) enum Work {
    /// Prepares events for a batch.
    Prepare(Vec<Begun>),
    /// Runs a batch, all of one deployment.
    Run(Arc<Generation>, Batch<Prepared>),
}

/// Shared by the workers and whoever submits events. A queue with two priorities and a batcher in the middle is no
/// channel, so it has a lock of its own.
pub(crate) struct Schedule {
    state: Mutex<State>,
    work: Condvar,
    space: Condvar,
    /// Told when held work need not wait any longer.
    release: Condvar,
    queue_capacity: usize,
    window: usize,
    workers: usize,
    limits: BatchLimits,
}

#[derive(Default)]
struct State {
    current: Option<Arc<Generation>>,
    queue: VecDeque<Job>,
    /// By deployment: an old one's batches go first, so that it can be dropped.
    windows: BTreeMap<DeploymentVersion, Window>,
    idle_workers: usize,
    is_stopping: bool,
}

struct Window {
    generation: Arc<Generation>,
    batcher: Batcher<Prepared>,
}

impl State {
    fn prepared(&self) -> usize {
        self.windows
            .values()
            .map(|window| window.batcher.len())
            .sum()
    }
}

impl Schedule {
    pub(crate) fn new(
        queue_capacity: usize,
        window: usize,
        workers: usize,
        limits: BatchLimits,
    ) -> Self {
        Self {
            state: Mutex::default(),
            work: Condvar::new(),
            space: Condvar::new(),
            release: Condvar::new(),
            queue_capacity,
            window,
            workers,
            limits,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn current(&self) -> Option<Arc<Generation>> {
        self.lock().current.clone()
    }

    /// Lets all work that begins from now on begin under `generation`. `superseded` runs under the same lock.
    pub(crate) fn swap(
        &self,
        generation: Arc<Generation>,
        superseded: impl FnOnce(Option<&Arc<Generation>>),
    ) {
        let older = {
            let mut state = self.lock();
            let older = state.current.replace(generation);
            superseded(older.as_ref());
            self.release.notify_all();
            older
        };
        // Dropping a model takes a while, and nobody must wait for that.
        drop(older);
    }

    /// Queues an event, and waits while the queue is full. An event about which no model has anything to say is begun
    /// and returned instead.
    pub(crate) fn admit(&self, job: Job) -> Result<Option<Begun>, SubmitError> {
        let mut state = self.lock();
        while state.queue.len() >= self.queue_capacity && !state.is_stopping {
            state = self
                .space
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_stopping {
            return Err(SubmitError::Stopped);
        }
        let generation = state.current.as_ref().ok_or(SubmitError::NoDeployment)?;
        if !needs_a_model(&job.content, generation.direct_messages()) {
            return Ok(Some(begin(job, generation)));
        }
        state.queue.push_back(job);
        if state.idle_workers > 0 {
            self.work.notify_one();
        }
        Ok(None)
    }

    /// Adds what a worker has prepared, and returns what it does next; waits while there is nothing. `None` means that
    /// the engine stops and everything is done.
    pub(crate) fn next(&self, prepared: &mut Vec<Prepared>) -> Option<Work> {
        let mut state = self.lock();
        self.add(&mut state, prepared);
        loop {
            if let Some(work) = self.pick(&mut state) {
                return Some(work);
            }
            let due = state
                .windows
                .values()
                .filter_map(|window| window.batcher.due_at())
                .min();
            if state.is_stopping && due.is_none() {
                return None;
            }
            state = self.wait(state, due);
        }
    }

    fn add(&self, state: &mut State, prepared: &mut Vec<Prepared>) {
        let now = Instant::now();
        for item in prepared.drain(..) {
            let window = state.windows.entry(item.generation.version());
            let window = window.or_insert_with(|| Window {
                generation: Arc::clone(&item.generation),
                batcher: Batcher::new(self.limits),
            });
            let (key, cost) = (item.key, item.cost);
            window.batcher.push(item, key, cost, now);
        }
    }

    /// Fills the window first: the more texts a batch is chosen from, the better it is.
    fn pick(&self, state: &mut State) -> Option<Work> {
        let room = self.window.saturating_sub(state.prepared());
        if room > 0 && !state.queue.is_empty() {
            return Some(Work::Prepare(self.begin_chunk(state, room)));
        }
        let now = Instant::now();
        let taken = state.windows.values_mut().find_map(|window| {
            let batch = window.batcher.take(now)?;
            Some((Arc::clone(&window.generation), batch))
        });
        state.windows.retain(|_, window| !window.batcher.is_empty());
        let is_more = !state.windows.is_empty() || !state.queue.is_empty();
        if taken.is_some() && is_more && state.idle_workers > 0 {
            self.work.notify_one();
        }
        taken.map(|(generation, batch)| Work::Run(generation, batch))
    }

    /// Begins this worker's share of what waits.
    fn begin_chunk(&self, state: &mut State, room: usize) -> Vec<Begun> {
        let was_full = state.queue.len() >= self.queue_capacity;
        let share = state.queue.len().div_ceil(self.workers);
        let count = share.min(room).min(MAX_CHUNK);
        let Some(generation) = state.current.clone() else {
            return Vec::new();
        };
        let begun = state
            .queue
            .drain(..count)
            .map(|job| begin(job, &generation))
            .collect();
        if was_full {
            self.space.notify_all();
        }
        if !state.queue.is_empty() && state.idle_workers > 0 {
            self.work.notify_one();
        }
        begun
    }

    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        due: Option<Instant>,
    ) -> MutexGuard<'a, State> {
        state.idle_workers += 1;
        let mut state = match due {
            None => self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner),
            Some(due) => {
                let patience = due.saturating_duration_since(Instant::now());
                let result = self.work.wait_timeout(state, patience);
                result.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        state.idle_workers -= 1;
        state
    }

    /// Refuses new events; the workers finish those that are here and then end.
    pub(crate) fn stop(&self) {
        self.lock().is_stopping = true;
        self.work.notify_all();
        self.space.notify_all();
        self.release.notify_all();
    }

    /// Holds a worker until `until`, for a model of deployment `version` that does not answer.
    pub(crate) fn hold(&self, version: DeploymentVersion, until: Instant) -> Result<(), Released> {
        let mut state = self.lock();
        loop {
            if state.is_stopping {
                return Err(Released::Stopping);
            }
            if state.current.as_ref().map(|current| current.version()) != Some(version) {
                return Err(Released::Superseded);
            }
            let patience = until.saturating_duration_since(Instant::now());
            if patience.is_zero() {
                return Ok(());
            }
            let waited = self.release.wait_timeout(state, patience);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Queues events, oldest first, before all others, to begin under the deployment that serves now. Does not wait: they
    /// have been let in before.
    pub(crate) fn begin_again(&self, events: Vec<Reclaimed>) {
        let mut state = self.lock();
        for event in events.into_iter().rev() {
            state.queue.push_front(event.job);
        }
        if state.idle_workers > 0 {
            self.work.notify_one();
        }
    }

    /// Drops everything that waits, uncompleted.
    pub(crate) fn abandon(&self) {
        let abandoned = {
            let mut state = self.lock();
            let queue = std::mem::take(&mut state.queue);
            (queue, std::mem::take(&mut state.windows))
        };
        // Whoever waits for these events is told by their drop, and must find no lock held.
        drop(abandoned);
    }
}

/// Why work is no longer held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Released {
    /// Another deployment serves.
    Superseded,
    /// The engine stops.
    Stopping,
}

/// Begins an event under a deployment. Only under the lock, so that a swap sees every event that began before it.
fn begin(job: Job, generation: &Arc<Generation>) -> Begun {
    Begun {
        job,
        ticket: generation.ticket(),
        generation: Arc::clone(generation),
    }
}

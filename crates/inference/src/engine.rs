//! The engine: events in, scored events out, on worker threads, under a deployment that can be swapped at any time.

mod applicability;
mod config;
mod draft;
mod error;
mod generation;
mod health;
mod outage;
mod pending;
mod prepare;
mod probe;
mod releases;
mod run;
mod schedule;
mod watchdog;

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use moderation::{ContentEvent, Deployment, DeploymentVersion, ScoredEvent, Timestamp};
use tokio::sync::watch;

pub use self::config::{EngineConfig, InvalidSetting, Workers};
pub use self::draft::SOURCE;
pub use self::error::{DeployError, StartError, SubmitError};
use self::generation::{Generation, LoadedBundle};
use self::health::HealthBoard;
pub use self::health::{Health, Outage};
use self::prepare::Preparer;
use self::releases::Releases;
use self::run::Runner;
use self::schedule::{Job, Schedule, Work};
use self::watchdog::Slot;
use crate::batcher::BatchLimits;
use crate::cache::{ScoreCache, Secret};
use crate::certify::Certification;
use crate::metrics::EngineMetrics;
use crate::runtime::Runtime;

/// How precisely the item timeout is kept: a tenth of it, within these bounds.
const SHORTEST_CHECK: Duration = Duration::from_millis(1);
const LONGEST_CHECK: Duration = Duration::from_millis(100);

/// Scores events. Dropping it finishes what was submitted and ends the threads.
pub struct Engine {
    shared: Arc<Shared>,
    config: EngineConfig,
    runtime: Runtime,
    /// Deployments are loaded one after another.
    deploying: Mutex<()>,
    workers: Mutex<Vec<JoinHandle<()>>>,
    watchdog: Mutex<Option<Watchdog>>,
}

struct Watchdog {
    stop: mpsc::SyncSender<()>,
    thread: JoinHandle<()>,
}

/// What all threads share.
pub(crate) struct Shared {
    schedule: Schedule,
    slots: Vec<Slot>,
    cache: Option<ScoreCache>,
    secret: Secret,
    metrics: EngineMetrics,
    releases: Arc<Releases>,
    health: HealthBoard,
}

/// A bundle that was loaded, and what it showed.
#[derive(Clone, Debug, PartialEq)]
pub struct DeployedModel {
    /// Which.
    pub identity: moderation::BundleIdentity,
    /// What it showed on this machine.
    pub certification: Certification,
}

impl Engine {
    /// Loads ONNX Runtime and starts the workers. Nothing is scored before the first [`Engine::deploy`].
    ///
    /// # Errors
    /// Names a setting that is out of its range, or says where the runtime was looked for.
    pub fn start(config: EngineConfig) -> Result<Self, StartError> {
        config.validate()?;
        let runtime = Runtime::load(config.runtime_library.as_deref())?;
        let workers = config.workers.count();
        let limits = BatchLimits {
            budget: config.batch_features,
            max_wait: config.batch_wait,
        };
        let shared = Arc::new(Shared {
            schedule: Schedule::new(config.queue_capacity, config.window, workers, limits),
            slots: (0..workers).map(|_| Slot::default()).collect(),
            cache: (config.cache_entries > 0).then(|| ScoreCache::new(config.cache_entries)),
            secret: Secret::random(),
            metrics: EngineMetrics::new(),
            releases: Releases::new(),
            health: HealthBoard::new(),
        });
        let engine = Self {
            shared,
            runtime,
            deploying: Mutex::default(),
            workers: Mutex::default(),
            watchdog: Mutex::default(),
            config,
        };
        engine.start_threads(workers)?;
        Ok(engine)
    }

    fn start_threads(&self, workers: usize) -> Result<(), StartError> {
        let mut threads = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        for worker in 0..workers {
            let shared = Arc::clone(&self.shared);
            let builder = thread::Builder::new().name(format!("inference-{worker}"));
            let thread = builder.spawn(move || work(&shared, worker));
            threads.push(thread.map_err(StartError::Thread)?);
        }
        let (stop, stopped) = mpsc::sync_channel(1);
        let (shared, patience) = (Arc::clone(&self.shared), self.config.item_timeout);
        let builder = thread::Builder::new().name("inference-watch".to_owned());
        let thread = builder
            .spawn(move || watch_batches(&shared, patience, &stopped))
            .map_err(StartError::Thread)?;
        *self.watchdog.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Watchdog { stop, thread });
        Ok(())
    }

    /// Verifies, loads, certifies and warms every bundle of a deployment, and then lets all work that begins from now on
    /// begin under it. Events in flight finish under the deployment under which they began. Blocks for as long as loading
    /// takes; a version that serves already is left as it is.
    ///
    /// # Errors
    /// Says which bundle is refused and why; what serves is untouched.
    pub fn deploy(
        &self,
        version: DeploymentVersion,
        deployment: &Deployment,
    ) -> Result<Vec<DeployedModel>, DeployError> {
        let _one_at_a_time = self
            .deploying
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(serving) = self.shared.schedule.current() {
            if serving.version() == version {
                return Ok(models_of(&serving));
            }
            if serving.version() > version {
                return Err(DeployError::Outdated {
                    given: version,
                    serving: serving.version(),
                });
            }
        }
        let releases = Arc::clone(&self.shared.releases);
        let generation =
            Generation::load(version, deployment, &self.config, &self.runtime, releases)?;
        let models = models_of(&generation);
        self.swap(Arc::new(generation));
        Ok(models)
    }

    fn swap(&self, generation: Arc<Generation>) {
        let version = generation.version();
        let model_bytes = |loaded: &LoadedBundle| loaded.bundle().model().len() as u64;
        let bytes: u64 = generation.bundles().iter().map(model_bytes).sum();
        self.shared
            .metrics
            .deployed(version, bytes * self.config.workers.count() as u64);
        self.shared.schedule.swap(generation, |older| {
            let older = older.map(|generation| generation.outstanding());
            self.shared.releases.supersede(version, older);
        });
    }

    /// Returns the version under which new work begins.
    pub fn deployment(&self) -> Option<DeploymentVersion> {
        self.shared
            .schedule
            .current()
            .map(|generation| generation.version())
    }

    /// Follows the newest version under which everything older has finished; 0 before the first deployment.
    pub fn released(&self) -> watch::Receiver<DeploymentVersion> {
        self.shared.releases.subscribe()
    }

    /// Follows whether the models that serve answer. While one does not, the events that need it wait, those in front of
    /// it as well as all that come; they go on when it answers or when another deployment serves.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.shared.health.subscribe()
    }

    /// Returns ONNX Runtime as it was loaded.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Scores an event and calls `on_done` with it exactly once, unless [`Engine::stop`] comes first: on a worker, on the watchdog's thread if it takes too
    /// long, or before this returns if no model has anything to say about it. Does not wait, except while the queue is
    /// full, which is why an `on_done` is no place to call it.
    ///
    /// # Errors
    /// Refuses the event, without calling `on_done`, while there is no deployment and after [`Engine::stop`].
    pub fn submit(
        &self,
        content: ContentEvent,
        evaluation_time: Timestamp,
        on_done: impl FnOnce(ScoredEvent) + Send + 'static,
    ) -> Result<(), SubmitError> {
        let job = Job {
            content,
            evaluation_time,
            on_done: Box::new(on_done),
            submitted: Instant::now(),
        };
        if let Some(begun) = self.shared.schedule.admit(job)? {
            let (open, ..) = prepare::open(begun);
            open.complete();
        }
        Ok(())
    }

    /// Scores an event as [`Engine::submit`] does, and waits for it. Not to be called from an `on_done`.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    pub fn score(
        &self,
        content: ContentEvent,
        evaluation_time: Timestamp,
    ) -> Result<ScoredEvent, SubmitError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.submit(content, evaluation_time, move |scored| {
            // The receiver waits below for as long as this sender lives.
            sender.send(scored).expect("the caller waits");
        })?;
        receiver.recv().map_err(|_| SubmitError::Stopped)
    }

    /// Refuses new events, finishes those that were submitted, and ends the threads. Waits for runs that are late to
    /// notice that they were stopped, which they do between two operators of their graph. Events that wait for a model
    /// that is down are dropped, and their `on_done` with them, uncalled.
    pub fn stop(&self) {
        self.shared.schedule.stop();
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        for worker in workers.drain(..) {
            join(worker);
        }
        // The watchdog goes last: it is what bounds the wait above.
        let watchdog = self
            .watchdog
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Watchdog { stop, thread }) = watchdog {
            drop(stop);
            join(thread);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("an inference thread panicked");
    }
}

fn work(shared: &Arc<Shared>, worker: usize) {
    let mut preparer = Preparer::new(Arc::clone(shared));
    let mut runner = Runner::new(Arc::clone(shared), worker);
    let mut prepared = Vec::new();
    while let Some(work) = shared.schedule.next(&mut prepared) {
        match work {
            Work::Prepare(events) => {
                for event in events {
                    preparer.prepare(event, &mut prepared);
                }
            }
            Work::Run(generation, batch) => runner.run(&generation, batch),
        }
    }
}

fn watch_batches(shared: &Shared, patience: Duration, stopped: &mpsc::Receiver<()>) {
    let interval = (patience / 10).clamp(SHORTEST_CHECK, LONGEST_CHECK);
    while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(interval) {
        let now = Instant::now();
        let late: usize = shared
            .slots
            .iter()
            .map(|slot| slot.check(now, patience))
            .sum();
        if late > 0 {
            shared.metrics.timeouts.increment(late as u64);
        }
    }
}

fn models_of(generation: &Generation) -> Vec<DeployedModel> {
    let identities = generation.identities().iter().cloned();
    identities
        .zip(generation.bundles())
        .map(|(identity, loaded)| DeployedModel {
            identity,
            certification: loaded.certification().clone(),
        })
        .collect()
}

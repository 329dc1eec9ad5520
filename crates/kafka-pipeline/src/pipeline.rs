//! Starting, steering and ending a pipeline.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::sync::watch;

use crate::budget::InFlightBudget;
use crate::client_log::ErrorLog;
use crate::consumer::{ConsumerLoop, Drain, Flow};
use crate::control::{Control, Progress, State};
use crate::delivery::Delivery;
use crate::emitter::{DeadLetters, Emitter, EmitterMessage};
use crate::error::Error;
use crate::group::GroupContext;
use crate::inputs::Inputs;
use crate::metrics::{ConsumerMetrics, GroupMetrics};
use crate::options::PipelineConfig;
use crate::outcome::Processor;

/// Starts pipelines.
#[derive(Debug)]
pub struct Pipeline;

impl Pipeline {
    /// Starts the threads and returns at once; [`Handle::state`] tells what becomes of it.
    ///
    /// # Errors
    /// [`Error::Setting`] names a setting that is wrong. What needs a connection fails later, as [`State::Failed`].
    pub fn start(
        config: PipelineConfig,
        processor: impl Processor + 'static,
    ) -> Result<Handle, Error> {
        config.validate()?;
        let control = Arc::new(Control::new(config.start_paused));
        let (drain, drains) = bounded(1);
        let parts = Parts::build(&config, &control, drains)?;
        let name = format!("{}-consume", config.stage);
        let thread = spawn(&name, {
            let control = Arc::clone(&control);
            move || supervise(&control, || parts.run(processor))
        })?;
        Ok(Handle {
            inner: Arc::new(Inner {
                control,
                drain,
                thread: Mutex::new(Some(thread)),
            }),
        })
    }
}

/// Steers a running pipeline. Dropping the last one ends the pipeline at once, without waiting for what is in flight,
/// and waits for its threads.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

impl Handle {
    /// Stops consuming, finishes what is in flight, commits, leaves the group and closes. Idempotent.
    ///
    /// Cancellation-safe: the drain goes on when the future is dropped.
    ///
    /// # Errors
    /// [`Error::Stopped`] if records were still in flight at the deadline, which then are processed again by the next
    /// owner; or the failure that ended the pipeline before.
    pub async fn drain(&self, patience: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + patience;
        self.inner.request_drain(deadline);
        let closing = tokio::time::timeout(patience + CLOSING, self.ended());
        match closing.await {
            Ok(State::Failed(error)) => Err(error),
            Ok(_) => Ok(()),
            Err(_) => Err(Error::Stopped(
                "the consumer did not close in time".to_owned(),
            )),
        }
    }

    /// Resolves when every record that was dispatched before the call is settled: its outputs are acknowledged, or it
    /// was discarded because its partition was taken away.
    ///
    /// A processor that publishes something (a new policy) and then calls this knows, when it resolves, that nothing
    /// decided under the old one is still on its way.
    ///
    /// # Errors
    /// [`Error::Stopped`] or the pipeline's failure if it ends before.
    pub async fn settled(&self) -> Result<(), Error> {
        let target = self.inner.control.dispatched();
        let mut settled = self.inner.control.settled.subscribe();
        let reached = async {
            // The sender lives as long as this handle, so that waiting cannot fail.
            settled.wait_for(|settled| *settled >= target).await.is_ok()
        };
        tokio::select! {
            biased;
            true = reached => Ok(()),
            state = self.ended() => match state {
                State::Failed(error) => Err(error),
                _ if *self.inner.control.settled.borrow() >= target => Ok(()),
                _ => Err(Error::Stopped("records were in flight".to_owned())),
            },
        }
    }

    /// Asks the pipeline to consume nothing. Takes effect within some 20 ms, when the state turns
    /// [`State::Paused`]; records already dispatched go on.
    pub fn pause(&self) {
        self.inner
            .control
            .pause_requested
            .store(true, Ordering::Release);
    }

    /// Takes back [`Handle::pause`].
    pub fn resume(&self) {
        self.inner
            .control
            .pause_requested
            .store(false, Ordering::Release);
    }

    /// Returns the state, to be looked at or waited for.
    pub fn state(&self) -> watch::Receiver<State> {
        self.inner.control.state.subscribe()
    }

    /// Waits until the pipeline has ended, and returns how.
    pub async fn ended(&self) -> State {
        let mut state = self.state();
        match state.wait_for(State::is_terminal).await {
            Ok(ended) => ended.clone(),
            Err(_) => State::Stopped,
        }
    }

    /// Returns the time since the slower of the pipeline's loops last came round, for a liveness check. Below a second
    /// in a healthy pipeline, except during a rebalance, which waits for records in flight.
    pub fn heartbeat_age(&self) -> Duration {
        self.inner.control.heartbeat_age()
    }

    /// Returns figures of what is going on.
    pub fn progress(&self) -> Progress {
        self.inner.control.progress()
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle")
            .field("progress", &self.progress())
            .finish()
    }
}

struct Inner {
    control: Arc<Control>,
    drain: Sender<Drain>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Inner {
    fn request_drain(&self, deadline: Instant) {
        if self.drain.try_send(Drain { deadline }).is_err() {
            tracing::debug!("the pipeline is draining already or has ended");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.request_drain(Instant::now());
        let thread = self
            .thread
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the consumer thread panicked");
        }
    }
}

/// All that runs, made before any thread is started, so that a wrong setting is an error of `start`.
struct Parts {
    consumer: Arc<BaseConsumer<GroupContext>>,
    emitter: Emitter,
    emitter_inbox: Sender<EmitterMessage>,
    control: Arc<Control>,
    drains: Receiver<Drain>,
    released: Receiver<()>,
    config: PipelineConfig,
}

impl Parts {
    fn build(
        config: &PipelineConfig,
        control: &Arc<Control>,
        drains: Receiver<Drain>,
    ) -> Result<Self, Error> {
        let (emitter_inbox, inbox) =
            bounded(config.options.max_in_flight_events + MESSAGES_BESIDES_RECORDS);
        let (announce_release, released) = bounded(1);
        let group_metrics = GroupMetrics::new(config.stage);
        let context = GroupContext::new(
            ErrorLog::new(&config.kafka.brokers),
            emitter_inbox.clone(),
            config.options.rebalance_drain,
            group_metrics,
        );
        let consumer = BaseConsumer::from_config_and_context(&config.group_config(), context)
            .map_err(|error| Error::from_kafka(&error, "consumer"))?;
        let consumer = Arc::new(consumer);
        let delivery = Delivery::new(config, Arc::clone(&consumer))?;
        let dead_letters = DeadLetters {
            topic: config.dead_letter_topic.as_str().into(),
            stage: config.stage,
        };
        Ok(Self {
            emitter: Emitter::new(
                inbox,
                delivery,
                dead_letters,
                Arc::clone(control),
                announce_release,
            ),
            consumer,
            emitter_inbox,
            control: Arc::clone(control),
            drains,
            released,
            config: config.clone(),
        })
    }

    /// The life of a pipeline, on its consumer thread: subscribe, consume, drain, commit, leave, close.
    fn run(self, processor: impl Processor) -> Result<(), Error> {
        let Self {
            consumer,
            emitter,
            emitter_inbox,
            control,
            drains,
            released,
            config,
        } = self;
        let emitting = Emitting {
            thread: Some(spawn(&format!("{}-emit", config.stage), move || {
                emitter.run()
            })?),
            inbox: emitter_inbox.clone(),
        };
        let metrics = ConsumerMetrics::new(config.stage);
        let limits = &config.options;
        let budget = InFlightBudget::new(
            limits.max_in_flight_events,
            limits.max_in_flight_bytes.as_u64() as usize,
        );
        let mut consuming = ConsumerLoop {
            consumer: Arc::clone(&consumer),
            processor,
            emitter: emitter_inbox,
            control: Arc::clone(&control),
            drains,
            released,
            lease: config.lease.clone(),
            inputs: Inputs::new(&config.inputs, &metrics),
            budget,
            metrics,
            flow: Flow::new(),
        };
        let consumed = consuming.run(|| emitting.is_alive());

        let mut given_up = 0;
        if let Ok(drain) = &consumed {
            control.set_state(State::Draining);
            given_up = consumer
                .context()
                .release(consuming.inputs.ids(), drain.deadline);
            consumer.context().commit(&consumer);
        }
        let emitted = emitting.stop();
        consumer.context().set_closed();
        // The processor may hold records; its duty ends only now that nobody would take them for abandoned.
        drop(consuming);
        drop(consumer);
        emitted?;
        consumed?;
        match given_up {
            0 => Ok(()),
            records => Err(Error::Stopped(format!(
                "{records} records were in flight at the deadline"
            ))),
        }
    }
}

/// The emitter's thread. It ends with this value, also when the consumer thread unwinds.
struct Emitting {
    thread: Option<JoinHandle<Result<(), Error>>>,
    inbox: Sender<EmitterMessage>,
}

impl Emitting {
    fn is_alive(&self) -> bool {
        self.thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
    }

    fn stop(mut self) -> Result<(), Error> {
        self.join()
    }

    fn join(&mut self) -> Result<(), Error> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        if self.inbox.send(EmitterMessage::Stop).is_err() {
            tracing::debug!("the emitter had ended before");
        }
        thread.join().unwrap_or_else(|_| Err(panicked("emitter")))
    }
}

impl Drop for Emitting {
    fn drop(&mut self) {
        if let Err(error) = self.join() {
            tracing::error!(%error, "the emitter has failed");
        }
    }
}

fn supervise(control: &Control, run: impl FnOnce() -> Result<(), Error>) {
    let ended = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(panicked("consumer")));
    match ended {
        Ok(()) => control.set_state(State::Stopped),
        Err(error) => {
            // Whoever lent the lease starts over, and says so.
            if error != Error::LeaseExpired {
                tracing::error!(%error, "the pipeline has failed");
            }
            control.set_state(State::Failed(error));
        }
    }
}

fn panicked(thread: &str) -> Error {
    Error::Stopped(format!("the {thread} thread panicked"))
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Error> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|error| Error::Client(format!("thread {name}: {error}")))
}

/// Room in the emitter's channel for what is not a record: assignments, revocations, the stop.
const MESSAGES_BESIDES_RECORDS: usize = 4096;
/// How long leaving the group and closing may take after the drain's own deadline.
const CLOSING: Duration = Duration::from_secs(10);

//! The thread that follows the control topic.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use kafka_pipeline::{
    Error, Follower, FollowerConfig, FollowerEvent, KafkaOptions, Record, StartAt,
};

use crate::freshness::Freshness;
use crate::lineage::History;
use crate::metrics::FollowerMetrics;
use crate::state::{Applied, ControlState, RawRecord};
use crate::view::{ControlView, Phase};

/// What to follow, and for whom.
#[derive(Clone, Debug)]
pub struct FollowerOptions {
    /// How to reach the brokers.
    pub kafka: KafkaOptions,
    /// The control topic.
    pub topic: String,
    /// The stage, for metrics and logs.
    pub stage: &'static str,
    /// How much of the past to keep.
    pub history: History,
}

/// A thread that follows the control topic from its beginning. Stops when dropped; the views stay as they were.
///
/// Brokers that go away are waited for; whether what is known can still be trusted stands in
/// [`Standing`](crate::Standing).
#[derive(Debug)]
pub struct ControlFollower {
    view: ControlView,
    /// Nothing is ever sent: that it is dropped is the message.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ControlFollower {
    /// Starts to follow.
    ///
    /// # Errors
    /// A setting that is wrong. What needs a connection shows as [`Phase::Failed`].
    pub fn start(options: FollowerOptions) -> Result<Self, Error> {
        options.kafka.validate()?;
        let view = ControlView::new(ControlState::new(options.history));
        let (stop, stopped) = bounded(0);
        let following = Following {
            freshness: Freshness::CatchingUp,
            state: ControlState::new(options.history),
            metrics: FollowerMetrics::new(options.stage),
            view: view.clone(),
            options,
        };
        let thread = thread::Builder::new()
            .name("control-state".to_owned())
            .spawn(move || following.run(&stopped))
            .map_err(|error| Error::Client(format!("control-state thread: {error}")))?;
        Ok(Self {
            view,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Returns the way to what is known.
    pub fn view(&self) -> ControlView {
        self.view.clone()
    }
}

impl Drop for ControlFollower {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that followed the control topic panicked");
        }
    }
}

/// A reader and what it has read.
struct Reader {
    /// Declared first so that it is dropped first: a reader that is blocked on a full channel has to find it closed.
    events: Receiver<FollowerEvent>,
    _follower: Follower,
}

struct Following {
    options: FollowerOptions,
    state: ControlState,
    freshness: Freshness,
    view: ControlView,
    metrics: FollowerMetrics,
}

impl Following {
    fn run(mut self, stopped: &Receiver<()>) {
        if let Err(error) = self.follow(stopped) {
            tracing::error!(stage = self.options.stage, %error, "the control topic cannot be followed");
            self.metrics.set_fresh(false);
            self.view.doubt(Phase::Failed(error));
        }
    }

    fn follow(&mut self, stopped: &Receiver<()>) -> Result<(), Error> {
        let mut reader = self.read_on()?;
        let mut last_look = Instant::now();
        loop {
            let event = select! {
                recv(stopped) -> _ => return Ok(()),
                recv(reader.events) -> event => {
                    Some(event.map_err(|_| Error::Stopped("the reader of the control topic has ended".to_owned()))?)
                }
                default(LOOK_INTERVAL) => None,
            };
            let now = Instant::now();
            let is_stale_now = self.pass_time(last_look, now);
            last_look = now;
            if is_stale_now {
                // Reading on from here ends with the end of the partition, which is the proof that is missing. What had
                // come before proves nothing, and is read again.
                drop(reader);
                reader = self.read_on()?;
            } else if let Some(event) = event {
                self.take(event, now)?;
            }
        }
    }

    fn pass_time(&mut self, last_look: Instant, now: Instant) -> bool {
        let is_stale_now = self.freshness.pass_time(last_look, now);
        if is_stale_now {
            tracing::warn!(
                stage = self.options.stage,
                "the control topic is out of reach; what is known of it is stale"
            );
            self.metrics.set_fresh(false);
            self.view.doubt(Phase::Stale);
        }
        is_stale_now
    }

    fn take(&mut self, event: FollowerEvent, now: Instant) -> Result<(), Error> {
        match event {
            FollowerEvent::Record(record) => self.apply(&record),
            FollowerEvent::EndOfPartition(_) => self.reach_end(),
            FollowerEvent::Disconnected => self.freshness.lose_brokers(now),
            FollowerEvent::Failed(error) => return Err(error),
        }
        Ok(())
    }

    fn apply(&mut self, record: &Record) {
        self.freshness.see_record();
        let applied = self.state.apply(RawRecord {
            offset: u64::try_from(record.offset).unwrap_or(0),
            key: record.key.as_deref(),
            value: (!record.is_tombstone).then_some(record.value.as_slice()),
        });
        let stage = self.options.stage;
        match applied {
            Applied::Skipped(reason) => {
                self.metrics.skip(reason);
                tracing::warn!(
                    stage,
                    offset = record.offset,
                    reason = reason.as_str(),
                    "skipped a control record"
                );
            }
            Applied::PolicyHead | Applied::DeploymentHead | Applied::Recorded => {}
        }
        // While catching up old heads pass by; nobody is to compile them.
        if self.freshness == Freshness::Current {
            self.show();
        }
    }

    fn reach_end(&mut self) {
        if self.freshness != Freshness::Current {
            tracing::info!(
                stage = self.options.stage,
                control_offset = self.state.control_offset(),
                "caught up with the control topic"
            );
        }
        self.freshness.reach_end();
        self.show();
    }

    fn show(&self) {
        self.metrics.set_fresh(true);
        self.metrics.set_offset(self.state.control_offset());
        self.view.show(&self.state, Phase::Current);
    }

    fn read_on(&self) -> Result<Reader, Error> {
        let offset = i64::try_from(self.state.control_offset()).unwrap_or(i64::MAX);
        let config = FollowerConfig {
            partitions: Some(vec![CONTROL_PARTITION]),
            start: if offset == 0 {
                StartAt::Beginning
            } else {
                StartAt::Offsets(BTreeMap::from([(CONTROL_PARTITION, offset)]))
            },
            ..FollowerConfig::from_beginning(self.options.kafka.clone(), self.options.topic.clone())
        };
        let (sender, events) = bounded(EVENTS_AHEAD);
        let follower = Follower::start(config, move |event| match sender.send(event) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        })?;
        Ok(Reader {
            events,
            _follower: follower,
        })
    }
}

/// The partition of the control topic that is read and written: its order is the order of changes.
pub const CONTROL_PARTITION: i32 = 0;
/// How often the clock is looked at while nothing comes.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// Records read ahead of being applied.
const EVENTS_AHEAD: usize = 64;

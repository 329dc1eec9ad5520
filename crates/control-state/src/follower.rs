//! The thread that follows the control topic.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use kafka_pipeline::{
    Error, Follower, FollowerConfig, FollowerEvent, KafkaOptions, Lease, Record, StartAt,
};
use tokio::sync::oneshot;

use crate::freshness::Freshness;
use crate::heartbeats::HEARTBEAT_INTERVAL;
use crate::lineage::History;
use crate::metrics::FollowerMetrics;
use crate::replica_table::LIVE_FOR;
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

/// What the thread is asked for.
#[derive(Debug)]
enum Order {
    /// Read to the end of the topic as it is now, and then answer.
    Confirm(oneshot::Sender<Arc<ControlState>>),
    /// Renew a lease for as long as this thread runs.
    Vouch(Lease),
}

/// A thread that follows the control topic from its beginning. Stops when dropped; the views stay as they were.
///
/// Brokers that go away are waited for; whether what is known can still be trusted stands in
/// [`Standing`](crate::Standing).
#[derive(Debug)]
pub struct ControlFollower {
    view: ControlView,
    /// That it is dropped tells the thread to end.
    orders: Option<Sender<Order>>,
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
        let (orders, ordered) = bounded(WAITING_ORDERS);
        let following = Following {
            freshness: Freshness::CatchingUp,
            confirming: Vec::new(),
            leases: Vec::new(),
            state: ControlState::new(options.history),
            metrics: FollowerMetrics::new(options.stage),
            view: view.clone(),
            options,
        };
        let thread = thread::Builder::new()
            .name("control-state".to_owned())
            .spawn(move || following.run(&ordered))
            .map_err(|error| Error::Client(format!("control-state thread: {error}")))?;
        Ok(Self {
            view,
            orders: Some(orders),
            thread: Some(thread),
        })
    }

    /// Returns the way to what is known.
    pub fn view(&self) -> ControlView {
        self.view.clone()
    }

    /// Waits until everything that the topic held when this was called has been read, and returns what it adds up to.
    /// Brokers that are away are waited for. Cancellation-safe.
    ///
    /// # Errors
    /// What ended following.
    pub async fn confirm(&self) -> Result<Arc<ControlState>, Error> {
        let (reply, confirmed) = oneshot::channel();
        self.order(Order::Confirm(reply));
        match confirmed.await {
            Ok(state) => Ok(state),
            Err(_) => Err(self.view.failure().await),
        }
    }

    /// Grants a lease that lasts while this process does not stand still for [`STANDSTILL`].
    pub fn lease(&self) -> Lease {
        let lease = Lease::grant(Instant::now(), STANDSTILL);
        self.order(Order::Vouch(lease.clone()));
        lease
    }

    /// A thread that has ended takes no orders, and `view` says why.
    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders
            && orders.send(order).is_err()
        {
            tracing::debug!("the control topic is no longer followed");
        }
    }
}

impl Drop for ControlFollower {
    fn drop(&mut self) {
        self.orders.take();
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

/// What the thread turns to.
enum Next {
    Order(Order),
    Event(FollowerEvent),
    Nothing,
}

struct Following {
    options: FollowerOptions,
    state: ControlState,
    freshness: Freshness,
    view: ControlView,
    metrics: FollowerMetrics,
    /// Who waits for the end of what the present reader reads.
    confirming: Vec<oneshot::Sender<Arc<ControlState>>>,
    leases: Vec<Lease>,
}

impl Following {
    fn run(mut self, orders: &Receiver<Order>) {
        if let Err(error) = self.follow(orders) {
            tracing::error!(stage = self.options.stage, %error, "the control topic cannot be followed");
            self.metrics.set_fresh(false);
            self.view.doubt(Phase::Failed(error));
        }
    }

    fn follow(&mut self, orders: &Receiver<Order>) -> Result<(), Error> {
        let mut reader = self.read_on()?;
        let mut last_look = Instant::now();
        loop {
            let next = select! {
                recv(orders) -> order => match order {
                    Ok(order) => Next::Order(order),
                    Err(_) => return Ok(()),
                },
                recv(reader.events) -> event => match event {
                    Ok(event) => Next::Event(event),
                    Err(_) => return Err(Error::Stopped("the reader of the control topic has ended".to_owned())),
                },
                default(LOOK_INTERVAL) => Next::Nothing,
            };
            let now = Instant::now();
            self.renew_leases(now);
            let is_stale_now = self.pass_time(last_look, now);
            last_look = now;
            let is_asked = match next {
                Next::Order(order) => self.obey(order),
                // What had come before the topic went stale proves nothing, and is read again.
                Next::Event(event) if !is_stale_now => {
                    self.take(event, now)?;
                    false
                }
                Next::Event(_) | Next::Nothing => false,
            };
            if is_stale_now || is_asked {
                // Reading on from here ends with the end of the partition, which is the proof that is missing.
                drop(reader);
                reader = self.read_on()?;
            }
        }
    }

    /// Returns whether a new reader is asked for.
    fn obey(&mut self, order: Order) -> bool {
        match order {
            Order::Confirm(reply) => {
                self.confirming.push(reply);
                true
            }
            Order::Vouch(lease) => {
                self.leases.push(lease);
                false
            }
        }
    }

    fn renew_leases(&mut self, now: Instant) {
        self.leases.retain(|lease| {
            lease.renew(now, STANDSTILL);
            lease.is_valid(now)
        });
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
        let state = Arc::clone(&self.view.state().borrow());
        for reply in self.confirming.drain(..) {
            if reply.send(Arc::clone(&state)).is_err() {
                tracing::debug!("nobody waits for the end of the control topic any more");
            }
        }
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
/// How long a process may stand still and go on with what it knew.
///
/// Whoever waits for every replica gives up on one that is silent for [`LIVE_FOR`](crate::LIVE_FOR), and its last
/// heartbeat may have come an interval before it stood still.
pub const STANDSTILL: Duration = LIVE_FOR.saturating_sub(HEARTBEAT_INTERVAL);
/// How often the clock is looked at and leases are renewed while nothing comes.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// Orders are few, and each is taken at once.
const WAITING_ORDERS: usize = 8;
/// Records read ahead of being applied.
const EVENTS_AHEAD: usize = 64;

//! The task that tells the control plane that this replica lives, and what it serves.

use std::sync::Arc;
use std::time::Duration;

use kafka_pipeline::{Error, OutputRecord, Publisher};
use moderation::Timestamp;
use prost::Message;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::metrics::HeartbeatMetrics;
use crate::replica::{Replica, ReplicaId, Report};
use crate::view::ControlView;

/// How often a replica speaks when nothing changes.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// Who speaks, and where.
#[derive(Clone, Debug)]
pub struct HeartbeatOptions {
    /// This replica.
    pub id: ReplicaId,
    /// Its stage: `classifier`, `enforcer` or `control-plane`.
    pub stage: &'static str,
    /// The `host:port` at which others reach it; empty where nobody has to.
    pub address: String,
    /// The replicas topic.
    pub topic: String,
    /// Publishes them.
    pub publisher: Publisher,
}

/// Publishes a heartbeat every [`HEARTBEAT_INTERVAL`], and at once when the [`Replica`] has something new to say.
#[derive(Debug)]
pub struct Heartbeats {
    options: HeartbeatOptions,
    topic: Arc<str>,
    view: ControlView,
    report: watch::Receiver<Report>,
    metrics: HeartbeatMetrics,
}

impl Heartbeats {
    /// Makes the task, to be [`run`](Heartbeats::run), and the handle that says what it tells.
    pub fn new(options: HeartbeatOptions, view: ControlView) -> (Replica, Self) {
        let replica = Replica::new();
        let heartbeats = Self {
            topic: options.topic.as_str().into(),
            metrics: HeartbeatMetrics::new(options.stage),
            report: replica.subscribe(),
            view,
            options,
        };
        (replica, heartbeats)
    }

    /// Speaks until the replica has left, or all its handles are gone.
    ///
    /// # Errors
    /// The topic does not exist or may not be written to. A broker that is away is waited for.
    pub async fn run(mut self) -> Result<(), Error> {
        loop {
            let next = Instant::now() + HEARTBEAT_INTERVAL;
            let report = self.report.borrow_and_update().clone();
            self.metrics.serve(&report);
            if report.is_leaving {
                return self.say_goodbye(&report).await;
            }
            tokio::select! {
                published = self.publish(&report) => self.count(published)?,
                // Without brokers a publish takes minutes, and whoever leaves does not wait for it.
                is_leaving = has_left(self.report.clone()) => if !is_leaving {
                    return Ok(());
                },
            }
            tokio::select! {
                changed = self.report.changed() => if changed.is_err() {
                    return Ok(());
                },
                () = sleep_until(next) => {}
            }
        }
    }

    fn count(&self, published: Result<(), Error>) -> Result<(), Error> {
        match published {
            Ok(()) => self.metrics.sent(),
            Err(error @ (Error::UnknownTopic(_) | Error::AccessRefused(_))) => return Err(error),
            Err(error) => {
                tracing::warn!(stage = self.options.stage, %error, "a heartbeat was not published");
                self.metrics.lost();
            }
        }
        Ok(())
    }

    /// Silence says the same after three seconds, so nothing here may hold a drain up.
    async fn say_goodbye(&self, report: &Report) -> Result<(), Error> {
        match timeout(GOODBYE_PATIENCE, self.publish(report)).await {
            Ok(Ok(())) => self.metrics.sent(),
            Ok(Err(error)) => {
                tracing::warn!(stage = self.options.stage, %error, "left without a word")
            }
            Err(_) => tracing::warn!(
                stage = self.options.stage,
                "left without a word: no broker answers"
            ),
        }
        Ok(())
    }

    async fn publish(&self, report: &Report) -> Result<(), Error> {
        let control_offset = self.view.standing().borrow().control_offset;
        let mut heartbeat = report.heartbeat(&self.options.id, self.options.stage, control_offset);
        heartbeat.address.clone_from(&self.options.address);
        heartbeat.at = Some(moderation_wire::timestamp_to_wire(wall_clock()));
        let key = self.options.id.as_str();
        let record = OutputRecord::new(Arc::clone(&self.topic), key, heartbeat.encode_to_vec());
        self.options.publisher.publish(record).await.map(drop)
    }
}

/// Waits until the replica has left; `false` if all its handles are gone instead.
async fn has_left(mut report: watch::Receiver<Report>) -> bool {
    report.wait_for(|report| report.is_leaving).await.is_ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a heartbeat tells people when it was sent; nothing is decided by it"
)]
fn wall_clock() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::default().saturating_add(since_epoch.unwrap_or_default())
}

/// How long a leaving replica waits for a broker.
const GOODBYE_PATIENCE: Duration = Duration::from_secs(2);

//! Owning a partition in the name of a group, to decide which of several processes leads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;
use tokio::sync::watch;

use crate::client_log::{self, ErrorLog};
use crate::error::{Error, is_final_for_consumer};
use crate::options::KafkaOptions;
use crate::topics;

/// What is owned, and by whom it may be.
#[derive(Debug, Clone)]
pub struct OwnershipConfig {
    /// How to reach the brokers.
    pub kafka: KafkaOptions,
    /// The group whose members compete.
    pub group: String,
    /// The topic.
    pub topic: String,
    /// The partition that makes its owner the leader.
    pub partition: i32,
}

/// Whether this process owns the partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owned {
    /// Another member does, or nobody yet.
    No,
    /// This one does.
    Yes,
    /// The group can no longer be taken part in.
    Failed(Error),
}

/// A membership in a group, which reads nothing. Ends, and leaves the group, when dropped.
///
/// The brokers give a partition to one member at a time, but a member that stands still learns late that it has lost
/// its own. Whoever leads by owning a partition needs a fence as well, such as a
/// [`TransactionalPublisher`](crate::TransactionalPublisher).
#[derive(Debug)]
pub struct Ownership {
    owned: watch::Receiver<Owned>,
    is_ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ownership {
    /// Joins the group on a thread of its own. Brokers that are away are waited for.
    ///
    /// # Errors
    /// [`Error::Setting`] names a setting that is wrong. What the brokers refuse comes as [`Owned::Failed`].
    pub fn start(config: OwnershipConfig) -> Result<Self, Error> {
        config.kafka.validate()?;
        let (sender, owned) = watch::channel(Owned::No);
        let context = OwnershipContext {
            errors: ErrorLog::new(&config.kafka.brokers),
            partition: (config.topic.clone(), config.partition),
            owned: sender,
        };
        let consumer = BaseConsumer::from_config_and_context(
            &config.kafka.ownership_config(&config.group),
            context,
        )
        .map_err(|error| Error::from_kafka(&error, "membership"))?;
        let is_ending = Arc::new(AtomicBool::new(false));
        let membership = Membership {
            consumer,
            topic: config.topic,
            is_ending: Arc::clone(&is_ending),
        };
        let thread = thread::Builder::new()
            .name("ownership".to_owned())
            .spawn(move || membership.run())
            .map_err(|error| Error::Client(format!("ownership thread: {error}")))?;
        Ok(Self {
            owned,
            is_ending,
            thread: Some(thread),
        })
    }

    /// Returns whether the partition is owned, now and whenever that changes.
    pub fn owned(&self) -> watch::Receiver<Owned> {
        self.owned.clone()
    }
}

impl Drop for Ownership {
    fn drop(&mut self) {
        self.is_ending.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the ownership thread panicked");
        }
    }
}

struct Membership {
    consumer: BaseConsumer<OwnershipContext>,
    topic: String,
    is_ending: Arc<AtomicBool>,
}

impl Membership {
    fn run(self) {
        if let Err(error) = self.take_part() {
            tracing::error!(%error, topic = self.topic, "the group can no longer be taken part in");
            self.consumer.context().become_owner(Owned::Failed(error));
        }
    }

    fn take_part(&self) -> Result<(), Error> {
        // The client itself would wait for half a minute before it calls a topic unknown.
        while self.goes_on() {
            match topics::partitions(&self.consumer, &self.topic) {
                Ok(answer) => {
                    answer?;
                    break;
                }
                Err(error) if is_final_for_consumer(&error) => {
                    return Err(Error::from_kafka(&error, "joining"));
                }
                Err(error) => tracing::debug!(%error, "the brokers do not answer yet"),
            }
            self.poll_once()?;
        }
        self.consumer
            .subscribe(&[&self.topic])
            .map_err(|error| Error::from_kafka(&error, "joining"))?;
        while self.goes_on() {
            self.poll_once()?;
        }
        Ok(())
    }

    fn goes_on(&self) -> bool {
        !self.is_ending.load(Ordering::Relaxed)
    }

    fn poll_once(&self) -> Result<(), Error> {
        match self.consumer.poll(POLL) {
            Some(Err(error)) if is_final_for_consumer(&error) => {
                Err(Error::from_kafka(&error, "keeping the membership"))
            }
            Some(Err(error)) => {
                tracing::debug!(%error, "membership; the client library tries again");
                Ok(())
            }
            Some(Ok(_)) | None => Ok(()),
        }
    }
}

/// Runs inside `poll`.
struct OwnershipContext {
    errors: ErrorLog,
    partition: (String, i32),
    owned: watch::Sender<Owned>,
}

impl OwnershipContext {
    fn become_owner(&self, owned: Owned) {
        self.owned.send_if_modified(|current| {
            let is_changed = *current != owned;
            *current = owned;
            is_changed
        });
    }

    fn concerns(&self, partitions: &TopicPartitionList) -> bool {
        let (topic, partition) = &self.partition;
        partitions.find_partition(topic, *partition).is_some()
    }
}

impl ClientContext for OwnershipContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log::write_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.errors.write(&error, reason);
    }
}

impl ConsumerContext for OwnershipContext {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let is_assign = event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        // What is lost is told before it is given back, and what is gained after it was taken.
        if !is_assign && self.concerns(partitions) {
            self.become_owner(Owned::No);
        }
        if let Err(error) = apply(consumer, is_assign, partitions) {
            tracing::error!(%error, "a change of membership could not be applied");
            return;
        }
        if is_assign && self.concerns(partitions) {
            self.become_owner(Owned::Yes);
        }
    }
}

/// Takes or gives back partitions. They are paused at once: they are owned, not read.
fn apply(
    consumer: &BaseConsumer<OwnershipContext>,
    is_assign: bool,
    partitions: &TopicPartitionList,
) -> KafkaResult<()> {
    let is_cooperative = matches!(
        consumer.rebalance_protocol(),
        RebalanceProtocol::Cooperative
    );
    match (is_assign, is_cooperative) {
        (true, true) => consumer.incremental_assign(partitions)?,
        (true, false) => consumer.assign(partitions)?,
        (false, true) => return consumer.incremental_unassign(partitions),
        (false, false) => return consumer.unassign(),
    }
    consumer.pause(partitions)
}

/// Bounds how long leaving takes.
const POLL: Duration = Duration::from_millis(50);

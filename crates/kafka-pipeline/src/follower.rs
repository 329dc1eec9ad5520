//! Reading whole topics without a group.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::client_log;
use crate::error::{Error, is_final_for_consumer};
use crate::options::KafkaOptions;
use crate::record::Record;
use crate::topics;
use crate::wire;

/// What to read.
#[derive(Debug, Clone)]
pub struct FollowerConfig {
    /// How to reach the brokers.
    pub kafka: KafkaOptions,
    /// The topic.
    pub topic: String,
    /// The partitions, or `None` for all that the topic has at the start.
    pub partitions: Option<Vec<i32>>,
    /// Where to start.
    pub start: StartAt,
    /// Whether records of transactions that are open or aborted are left out.
    pub read_committed: bool,
}

impl FollowerConfig {
    /// Reads committed records of all partitions from the beginning.
    pub fn from_beginning(kafka: KafkaOptions, topic: impl Into<String>) -> Self {
        Self {
            kafka,
            topic: topic.into(),
            partitions: None,
            start: StartAt::Beginning,
            read_committed: true,
        }
    }
}

/// Where a follower starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartAt {
    /// At the first record that is still there.
    Beginning,
    /// Behind the last record.
    End,
    /// At the given offset of each partition; partitions that are not named start at the beginning.
    Offsets(BTreeMap<i32, i64>),
}

/// What a follower hands out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowerEvent {
    /// The next record of its partition.
    Record(Record),
    /// All records that the partition had are handed out. Comes again each time that is so after further records, and
    /// also when the last ones were transaction markers or were compacted away.
    EndOfPartition(i32),
    /// The brokers cannot be reached, or can be again with the next other event. The follower goes on.
    Disconnected,
    /// The follower has ended by itself; the last event.
    Failed(Error),
}

/// A thread that reads a topic. Stops when dropped, or when its receiver says so.
#[derive(Debug)]
pub struct Follower {
    is_ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Starts to read and calls `on_event` on the follower's thread, in the order of each partition, until it breaks.
    /// While it blocks nothing further is read.
    ///
    /// # Errors
    /// [`Error::Setting`] names a setting that is wrong. What needs a connection comes as [`FollowerEvent::Failed`].
    pub fn start(
        config: FollowerConfig,
        on_event: impl FnMut(FollowerEvent) -> ControlFlow<()> + Send + 'static,
    ) -> Result<Self, Error> {
        let is_ending = Arc::new(AtomicBool::new(false));
        Self::spawn(config, is_ending, on_event)
    }

    /// Starts to read into a channel that holds at most `capacity` events (at least 1).
    ///
    /// # Errors
    /// As [`start`](Follower::start).
    pub fn channel(
        config: FollowerConfig,
        capacity: usize,
    ) -> Result<(Self, mpsc::Receiver<FollowerEvent>), Error> {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        let is_ending = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&is_ending);
        let follower = Self::spawn(config, is_ending, move |event| {
            hand_over(&sender, event, &stopped)
        })?;
        Ok((follower, receiver))
    }

    /// Asks the thread to stop and waits for it.
    pub fn stop(mut self) {
        self.join();
    }

    /// Returns whether the thread has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn spawn(
        config: FollowerConfig,
        is_ending: Arc<AtomicBool>,
        on_event: impl FnMut(FollowerEvent) -> ControlFlow<()> + Send + 'static,
    ) -> Result<Self, Error> {
        config.kafka.validate()?;
        let consumer = create_consumer(&config)?;
        let reading = Reading {
            consumer,
            config,
            is_ending: Arc::clone(&is_ending),
            on_event,
        };
        let thread = thread::Builder::new()
            .name("follower".to_owned())
            .spawn(move || reading.run())
            .map_err(|error| Error::Client(format!("follower thread: {error}")))?;
        Ok(Self {
            is_ending,
            thread: Some(thread),
        })
    }

    fn join(&mut self) {
        self.is_ending.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the receiver of a follower panicked");
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.join();
    }
}

fn hand_over(
    sender: &mpsc::Sender<FollowerEvent>,
    mut event: FollowerEvent,
    is_ending: &AtomicBool,
) -> ControlFlow<()> {
    // Not `blocking_send`: a follower whose receiver does not read must still be stoppable.
    while !is_ending.load(Ordering::Relaxed) {
        match sender.try_send(event) {
            Ok(()) => return ControlFlow::Continue(()),
            Err(TrySendError::Closed(_)) => return ControlFlow::Break(()),
            Err(TrySendError::Full(back)) => event = back,
        }
        thread::sleep(FULL_CHANNEL_WAIT);
    }
    ControlFlow::Break(())
}

struct Reading<F> {
    consumer: BaseConsumer<FollowerContext>,
    config: FollowerConfig,
    is_ending: Arc<AtomicBool>,
    on_event: F,
}

impl<F: FnMut(FollowerEvent) -> ControlFlow<()>> Reading<F> {
    fn run(mut self) {
        if let Err(error) = self.read() {
            tracing::error!(%error, topic = self.config.topic, "following has failed");
            if (self.on_event)(FollowerEvent::Failed(error)).is_break() {
                tracing::debug!("nobody follows any more");
            }
        }
    }

    fn read(&mut self) -> Result<(), Error> {
        let Some(assignment) = self.assignment()? else {
            return Ok(());
        };
        self.consumer
            .assign(&assignment)
            .map_err(|error| Error::from_kafka(&error, "assigning"))?;
        let topic: Arc<str> = self.config.topic.as_str().into();
        while !self.is_ending.load(Ordering::Relaxed) {
            let event = match self.consumer.poll(POLL) {
                None => continue,
                Some(Ok(message)) if message.topic() == &*topic => {
                    FollowerEvent::Record(wire::read(&message, Arc::clone(&topic)))
                }
                Some(Ok(_)) => continue,
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    FollowerEvent::EndOfPartition(partition)
                }
                Some(Err(error)) if is_final_for_consumer(&error) => {
                    return Err(Error::from_kafka(&error, &format!("following {topic}")));
                }
                Some(Err(error))
                    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) =>
                {
                    FollowerEvent::Disconnected
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "following; the client library tries again");
                    continue;
                }
            };
            if (self.on_event)(event).is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Returns the partitions to read, or `None` if the follower was stopped before they were known.
    fn assignment(&self) -> Result<Option<TopicPartitionList>, Error> {
        let Some(partitions) = self.partitions()? else {
            return Ok(None);
        };
        let mut assignment = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            let offset = match &self.config.start {
                StartAt::Beginning => Offset::Beginning,
                StartAt::End => Offset::End,
                StartAt::Offsets(offsets) => offsets
                    .get(&partition)
                    .map_or(Offset::Beginning, |offset| Offset::Offset(*offset)),
            };
            assignment
                .add_partition_offset(&self.config.topic, partition, offset)
                .map_err(|error| Error::from_kafka(&error, "start offset"))?;
        }
        Ok(Some(assignment))
    }

    fn partitions(&self) -> Result<Option<Vec<i32>>, Error> {
        if let Some(partitions) = &self.config.partitions {
            return Ok(Some(partitions.clone()));
        }
        let deadline = Instant::now() + METADATA_PATIENCE;
        while !self.is_ending.load(Ordering::Relaxed) {
            match topics::partitions(&self.consumer, &self.config.topic) {
                Ok(partitions) => return partitions.map(Some),
                Err(error) if Instant::now() >= deadline => {
                    return Err(Error::from_kafka(
                        &error,
                        &format!("partitions of {}", self.config.topic),
                    ));
                }
                Err(error) => tracing::debug!(%error, "the brokers do not answer yet"),
            }
        }
        Ok(None)
    }
}

fn create_consumer(config: &FollowerConfig) -> Result<BaseConsumer<FollowerContext>, Error> {
    let mut client = config.kafka.consumer_config();
    // The library wants a group's name to assign partitions by hand; it never joins the group.
    client.set("group.id", "tidegate-follower");
    client.set("enable.auto.commit", "false");
    client.set("enable.partition.eof", "true");
    client.set("auto.offset.reset", "error");
    client.set(
        "isolation.level",
        if config.read_committed {
            "read_committed"
        } else {
            "read_uncommitted"
        },
    );
    BaseConsumer::from_config_and_context(&client, FollowerContext)
        .map_err(|error| Error::from_kafka(&error, "follower"))
}

struct FollowerContext;

impl ClientContext for FollowerContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log::write_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        client_log::write_error(&error, reason);
    }
}

impl ConsumerContext for FollowerContext {}

/// Bounds how long stopping takes.
const POLL: Duration = Duration::from_millis(50);
/// How long to wait for room in the channel before the next try.
const FULL_CHANNEL_WAIT: Duration = Duration::from_millis(1);
/// How long brokers may be unreachable at the start.
const METADATA_PATIENCE: Duration = Duration::from_secs(30);

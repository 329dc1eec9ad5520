//! The thread of a follower.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::client_log::{self, ErrorLog};
use crate::error::{Error, is_final_for_consumer};
use crate::follower::{FollowerConfig, FollowerEvent, StartAt};
use crate::native;
use crate::topics;
use crate::wire;

pub(crate) struct Reading<F> {
    consumer: BaseConsumer<FollowerContext>,
    config: FollowerConfig,
    topic: Arc<str>,
    /// What comes next in each partition.
    positions: BTreeMap<i32, Offset>,
    /// The partitions whose end has been told since their last record.
    ended: BTreeSet<i32>,
    is_disconnected: bool,
    is_ending: Arc<AtomicBool>,
    on_event: F,
}

impl<F: FnMut(FollowerEvent) -> ControlFlow<()>> Reading<F> {
    pub(crate) fn new(
        config: FollowerConfig,
        is_ending: Arc<AtomicBool>,
        on_event: F,
    ) -> Result<Self, Error> {
        Ok(Self {
            consumer: create_consumer(&config)?,
            topic: config.topic.as_str().into(),
            config,
            positions: BTreeMap::new(),
            ended: BTreeSet::new(),
            is_disconnected: false,
            is_ending,
            on_event,
        })
    }

    pub(crate) fn run(mut self) {
        if let Err(error) = self.read() {
            tracing::error!(%error, topic = self.config.topic, "following has failed");
            if (self.on_event)(FollowerEvent::Failed(error)).is_break() {
                tracing::debug!("nobody follows any more");
            }
        }
    }

    fn read(&mut self) -> Result<(), Error> {
        self.find_start()?;
        self.assign()?;
        while !self.is_ending.load(Ordering::Relaxed) {
            if self.is_disconnected {
                self.reconnect()?;
            }
            let event = match self.consumer.poll(POLL) {
                Some(polled) => event_of(polled, &self.topic)?,
                None => None,
            };
            if event.is_some_and(|event| self.hand_out(event).is_break()) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Hands an event out, and behind a record the end of its partition if that is reached.
    ///
    /// The client tells the end when a fetch comes back empty, which on a topic that never rests none does.
    fn hand_out(&mut self, event: FollowerEvent) -> ControlFlow<()> {
        match event {
            FollowerEvent::Record(record) => {
                let (partition, next) = (record.partition, record.offset + 1);
                self.positions.insert(partition, Offset::Offset(next));
                self.ended.remove(&partition);
                (self.on_event)(FollowerEvent::Record(record))?;
                let client = self.consumer.client();
                match native::cached_high_watermark(client, &self.topic, partition) {
                    Some(end) if end == next => self.tell_end(partition),
                    _ => ControlFlow::Continue(()),
                }
            }
            FollowerEvent::EndOfPartition(partition) => self.tell_end(partition),
            FollowerEvent::Disconnected => {
                self.is_disconnected = true;
                (self.on_event)(event)
            }
            FollowerEvent::Failed(_) => (self.on_event)(event),
        }
    }

    fn tell_end(&mut self, partition: i32) -> ControlFlow<()> {
        match self.ended.insert(partition) {
            true => (self.on_event)(FollowerEvent::EndOfPartition(partition)),
            false => ControlFlow::Continue(()),
        }
    }

    /// Reads on at the same place once the brokers answer.
    ///
    /// The client by itself would go on silently. Assigned anew, it tells again when it has reached the end, so that a
    /// reader learns that it is up to date.
    fn reconnect(&mut self) -> Result<(), Error> {
        let answer = topics::partitions(&self.consumer, &self.config.topic);
        self.drop_queued()?;
        match answer {
            Ok(Ok(_)) => {
                self.is_disconnected = false;
                self.assign()
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "the brokers do not know the topic yet");
                Ok(())
            }
            Err(error) => {
                tracing::debug!(%error, "the brokers do not answer yet");
                Ok(())
            }
        }
    }

    /// Drops what the client has queued. While brokers are away it queues an error for each of many attempts a second,
    /// and what comes of the new assignment would wait behind them; records among them are read again.
    fn drop_queued(&self) -> Result<(), Error> {
        while let Some(polled) = self.consumer.poll(Duration::ZERO) {
            match polled {
                Err(error) if is_final_for_consumer(&error) => {
                    let context = format!("following {}", self.topic);
                    return Err(Error::from_kafka(&error, &context));
                }
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn assign(&mut self) -> Result<(), Error> {
        self.ended.clear();
        let mut assignment = TopicPartitionList::with_capacity(self.positions.len());
        for (partition, offset) in &self.positions {
            assignment
                .add_partition_offset(&self.topic, *partition, *offset)
                .map_err(|error| Error::from_kafka(&error, "start offset"))?;
        }
        self.consumer
            .assign(&assignment)
            .map_err(|error| Error::from_kafka(&error, "assigning"))
    }

    fn find_start(&mut self) -> Result<(), Error> {
        for partition in self.partitions()? {
            let offset = match &self.config.start {
                StartAt::Beginning => Offset::Beginning,
                StartAt::End => match self.end_of(partition)? {
                    Some(end) => Offset::Offset(end),
                    None => return Ok(()),
                },
                StartAt::Offsets(offsets) => offsets
                    .get(&partition)
                    .map_or(Offset::Beginning, |offset| Offset::Offset(*offset)),
            };
            self.positions.insert(partition, offset);
        }
        Ok(())
    }

    /// Returns the partitions to read; none if the follower is stopped before they are known.
    fn partitions(&self) -> Result<Vec<i32>, Error> {
        if let Some(partitions) = &self.config.partitions {
            return Ok(partitions.clone());
        }
        let ask = || topics::partitions(&self.consumer, &self.config.topic);
        self.answer("partitions", ask)?.unwrap_or(Ok(Vec::new()))
    }

    /// Returns the offset behind the last record; `None` if the follower is stopped before it is known.
    ///
    /// As a number, so that reading on after an outage begins where reading began, and not behind what came meanwhile.
    fn end_of(&self, partition: i32) -> Result<Option<i64>, Error> {
        let ask = || {
            self.consumer
                .fetch_watermarks(&self.config.topic, partition, ONE_QUESTION)
        };
        Ok(self.answer("end", ask)?.map(|(_, end)| end))
    }

    /// Asks until the brokers answer, however long they are away; `None` if the follower is stopped before.
    ///
    /// # Errors
    /// What asking again does not change, such as a refusal.
    fn answer<T>(&self, what: &str, ask: impl Fn() -> KafkaResult<T>) -> Result<Option<T>, Error> {
        let mut backoff = POLL;
        while !self.is_ending.load(Ordering::Relaxed) {
            match ask() {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) if is_final_for_consumer(&error) => {
                    let context = format!("{what} of {}", self.config.topic);
                    return Err(Error::from_kafka(&error, &context));
                }
                Err(error) => tracing::debug!(%error, "the brokers do not answer yet"),
            }
            // Some answers come at once. Whoever stops the follower unparks it.
            thread::park_timeout(backoff);
            backoff = longer(backoff);
        }
        Ok(None)
    }
}

fn longer(backoff: Duration) -> Duration {
    (backoff * 2).min(LONGEST_BACKOFF)
}

fn event_of(
    polled: KafkaResult<BorrowedMessage<'_>>,
    topic: &Arc<str>,
) -> Result<Option<FollowerEvent>, Error> {
    match polled {
        Ok(message) if message.topic() == &**topic => Ok(Some(FollowerEvent::Record(wire::read(
            &message,
            Arc::clone(topic),
        )))),
        Ok(_) => Ok(None),
        Err(KafkaError::PartitionEOF(partition)) => {
            Ok(Some(FollowerEvent::EndOfPartition(partition)))
        }
        Err(error) if is_final_for_consumer(&error) => {
            Err(Error::from_kafka(&error, &format!("following {topic}")))
        }
        Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) => {
            Ok(Some(FollowerEvent::Disconnected))
        }
        Err(error) => {
            tracing::debug!(%error, "following; the client library tries again");
            Ok(None)
        }
    }
}

fn create_consumer(config: &FollowerConfig) -> Result<BaseConsumer<FollowerContext>, Error> {
    let isolation = if config.read_committed {
        "read_committed"
    } else {
        "read_uncommitted"
    };
    let mut client = config.kafka.consumer_config();
    // The library wants a group's name to assign partitions by hand; it never joins the group.
    client.set("group.id", "tidegate-follower");
    client.set("enable.auto.commit", "false");
    client.set("enable.partition.eof", "true");
    client.set("auto.offset.reset", "error");
    client.set("isolation.level", isolation);
    let context = FollowerContext {
        errors: ErrorLog::new(&config.kafka.brokers),
    };
    BaseConsumer::from_config_and_context(&client, context)
        .map_err(|error| Error::from_kafka(&error, "follower"))
}

struct FollowerContext {
    errors: ErrorLog,
}

impl ClientContext for FollowerContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log::write_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.errors.write(&error, reason);
    }
}

impl ConsumerContext for FollowerContext {}

/// Bounds how long stopping takes.
const POLL: Duration = Duration::from_millis(50);
/// Bounds how long one question keeps a follower from stopping.
const ONE_QUESTION: Duration = Duration::from_millis(500);
/// Bounds how long after brokers are back a follower that waits for them learns of it.
const LONGEST_BACKOFF: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_become_rare_and_never_end() {
        let waits: Vec<u128> = std::iter::successors(Some(POLL), |wait| Some(longer(*wait)))
            .take(7)
            .map(|wait| wait.as_millis())
            .collect();
        assert_eq!(waits, [50, 100, 200, 400, 800, 1000, 1000]);
    }
}

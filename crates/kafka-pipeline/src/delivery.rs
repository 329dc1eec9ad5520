//! The one place that produces records and stores offsets, so that a transaction can enclose both.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::client_log::{self, ErrorLog};
use crate::error::{Error, is_final_for_producer};
use crate::group::GroupContext;
use crate::lease::{self, Lease};
use crate::native;
use crate::options::PipelineConfig;
use crate::record::OutputRecord;
use crate::wire;

/// Names the record that an output belongs to, through the client library and back.
pub(crate) type Token = usize;

/// What became of one output.
pub(crate) enum Delivered {
    Acknowledged(Token),
    /// The topic does not take a record of this size.
    TooLarge(Token, OutputRecord),
}

/// Produces in order, waits while the client's queue is full, and stores offsets.
pub(crate) struct Delivery {
    producer: BaseProducer<DeliveryContext>,
    consumer: Arc<BaseConsumer<GroupContext>>,
    lease: Option<Lease>,
    outbox: VecDeque<(Token, OutputRecord)>,
    /// Outputs of a batch that was refused as too large, to be sent alone: only a record that is refused alone is to
    /// blame.
    suspects: VecDeque<(Token, OutputRecord)>,
    is_probing: bool,
    delivered: Vec<Delivered>,
    reports: Vec<Report>,
}

impl Delivery {
    pub(crate) fn new(
        config: &PipelineConfig,
        consumer: Arc<BaseConsumer<GroupContext>>,
    ) -> Result<Self, Error> {
        let kafka = &config.kafka;
        let context = DeliveryContext {
            errors: ErrorLog::new(&kafka.brokers),
            inbox: Mutex::default(),
        };
        let producer = BaseProducer::from_config_and_context(&kafka.producer_config(), context)
            .map_err(|error| Error::from_kafka(&error, "producer"))?;
        Ok(Self {
            producer,
            consumer,
            lease: config.lease.clone(),
            outbox: VecDeque::new(),
            suspects: VecDeque::new(),
            is_probing: false,
            delivered: Vec::new(),
            reports: Vec::new(),
        })
    }

    /// Queues an output behind all others.
    pub(crate) fn enqueue(&mut self, token: Token, output: OutputRecord) {
        self.outbox.push_back((token, output));
    }

    /// Queues an output before all others.
    pub(crate) fn enqueue_first(&mut self, token: Token, output: OutputRecord) {
        self.outbox.push_front((token, output));
    }

    /// Drops queued outputs of records that `is_dropped` names. Those already handed to the client go their way.
    pub(crate) fn drop_queued(&mut self, mut is_dropped: impl FnMut(Token) -> bool) {
        self.outbox.retain(|(token, _)| !is_dropped(*token));
        self.suspects.retain(|(token, _)| !is_dropped(*token));
    }

    /// Sends what the client's queue takes and collects what has been delivered. Never blocks.
    ///
    /// # Errors
    /// A delivery that failed for good, or [`Error::LeaseExpired`]. Retries are the client library's own matter.
    pub(crate) fn pump(&mut self) -> Result<std::vec::Drain<'_, Delivered>, Error> {
        lease::check(&self.lease)?;
        if self.suspects.is_empty() && !self.is_probing {
            self.send_queued()?;
        } else {
            self.probe_next()?;
        }
        self.collect_reports()?;
        Ok(self.delivered.drain(..))
    }

    /// Returns whether anything is still to be sent or acknowledged.
    pub(crate) fn is_idle(&self) -> bool {
        self.outbox.is_empty() && self.suspects.is_empty() && self.producer.in_flight_count() == 0
    }

    /// Stores the offsets that the next commit is to carry.
    ///
    /// The client refuses those of partitions that are no longer assigned, which is as it should be.
    pub(crate) fn store_offsets<'a>(&self, offsets: impl Iterator<Item = (&'a str, i32, i64)>) {
        let mut list = TopicPartitionList::new();
        for (topic, partition, offset) in offsets {
            if let Err(error) = list.add_partition_offset(topic, partition, Offset::Offset(offset))
            {
                tracing::error!(%error, topic, partition, offset, "an offset could not be stored");
            }
        }
        if list.count() > 0
            && let Err(error) = self.consumer.store_offsets(&list)
        {
            tracing::debug!(%error, "offsets were not stored");
        }
    }

    fn send_queued(&mut self) -> Result<(), Error> {
        while let Some((token, output)) = self.outbox.pop_front() {
            // For each record: the process may be stopped between any two.
            lease::check(&self.lease)?;
            match wire::send(&self.producer, &output, token) {
                Ok(()) => {}
                Err((RDKafkaErrorCode::QueueFull, _)) => {
                    self.outbox.push_front((token, output));
                    break;
                }
                Err((RDKafkaErrorCode::MessageSizeTooLarge, _)) => {
                    // Whoever reads `delivered` puts a dead letter in its place, before the records behind it.
                    self.delivered.push(Delivered::TooLarge(token, output));
                    break;
                }
                Err((code, _)) => return Err(produce_error(code, &output.topic)),
            }
        }
        Ok(())
    }

    fn probe_next(&mut self) -> Result<(), Error> {
        if self.producer.in_flight_count() > 0 {
            return Ok(());
        }
        self.is_probing = false;
        if let Some((token, output)) = self.suspects.pop_front() {
            wire::send(&self.producer, &output, token)
                .map_err(|(code, _)| produce_error(code, &output.topic))?;
            self.is_probing = true;
        }
        Ok(())
    }

    fn collect_reports(&mut self) -> Result<(), Error> {
        // Each poll serves one event, which may report a whole batch; an empty one ends the loop.
        loop {
            self.producer.poll(Duration::ZERO);
            self.producer.context().swap_reports(&mut self.reports)?;
            if self.reports.is_empty() {
                return Ok(());
            }
            for report in self.reports.drain(..) {
                match report {
                    Report::Acknowledged(token) => {
                        self.delivered.push(Delivered::Acknowledged(token))
                    }
                    Report::Failed(failed)
                        if failed.code == RDKafkaErrorCode::MessageSizeTooLarge =>
                    {
                        if self.is_probing {
                            self.delivered
                                .push(Delivered::TooLarge(failed.token, failed.output));
                        } else {
                            self.suspects.push_back((failed.token, failed.output));
                        }
                    }
                    Report::Failed(failed) => {
                        return Err(produce_error(failed.code, &failed.output.topic));
                    }
                }
            }
        }
    }
}

fn produce_error(code: RDKafkaErrorCode, topic: &str) -> Error {
    Error::from_code(code, &format!("producing to {topic}"))
}

enum Report {
    Acknowledged(Token),
    Failed(Box<Failed>),
}

struct Failed {
    token: Token,
    code: RDKafkaErrorCode,
    output: OutputRecord,
}

/// Receives delivery reports. The emitter thread alone polls the producer, so the lock is never contended; the client
/// library asks for a context that could be shared.
struct DeliveryContext {
    errors: ErrorLog,
    inbox: Mutex<Inbox>,
}

#[derive(Default)]
struct Inbox {
    reports: Vec<Report>,
    fatal: Option<Error>,
}

impl DeliveryContext {
    fn swap_reports(&self, reports: &mut Vec<Report>) -> Result<(), Error> {
        let mut inbox = self.inbox();
        std::mem::swap(&mut inbox.reports, reports);
        match inbox.fatal.take() {
            Some(fatal) => Err(fatal),
            None => Ok(()),
        }
    }

    fn inbox(&self) -> std::sync::MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for DeliveryContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log::write_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.errors.write(&error, reason);
        if let Some(code) = error.rdkafka_error_code()
            && is_final_for_producer(code)
        {
            self.inbox().fatal = Some(Error::from_code(code, &format!("producer: {reason}")));
        }
    }
}

impl ProducerContext for DeliveryContext {
    type DeliveryOpaque = Token;

    fn delivery(&self, result: &DeliveryResult<'_>, token: Token) {
        let report = match result {
            Ok(_) => Report::Acknowledged(token),
            Err((error, message)) => Report::Failed(Box::new(Failed {
                token,
                code: error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail),
                output: take_back(message),
            })),
        };
        self.inbox().reports.push(report);
    }
}

fn take_back(message: &BorrowedMessage<'_>) -> OutputRecord {
    OutputRecord {
        topic: message.topic().into(),
        partition: Some(message.partition()).filter(|partition| *partition >= 0),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: native::copy_headers(message),
        timestamp_ms: message.timestamp().to_millis(),
    }
}

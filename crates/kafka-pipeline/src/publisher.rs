//! Publishing records that do not come from a record.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientConfig, ClientContext};
use tokio::sync::oneshot;

use crate::client_log::{self, ErrorLog};
use crate::error::Error;
use crate::options::KafkaOptions;
use crate::record::OutputRecord;
use crate::wire;

/// An idempotent producer. Cheap to clone; the last clone that is dropped gives up what is not acknowledged, so
/// [`flush`](Publisher::flush) first.
#[derive(Clone)]
pub struct Publisher {
    inner: Arc<Inner>,
}

/// Where the broker put a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The partition.
    pub partition: i32,
    /// The offset within it.
    pub offset: i64,
    /// The record's timestamp in milliseconds since the Unix epoch; 0 if the broker did not tell. The in-process broker
    /// makes one up; the record as it is read back has the right one.
    pub timestamp_ms: i64,
}

impl Publisher {
    /// Makes a publisher and its thread. Connects in the background.
    ///
    /// # Errors
    /// [`Error::Setting`] names a setting that is wrong.
    pub fn new(options: &KafkaOptions) -> Result<Self, Error> {
        Self::of_config(options, &options.producer_config())
    }

    pub(crate) fn of_config(options: &KafkaOptions, config: &ClientConfig) -> Result<Self, Error> {
        options.validate()?;
        let context = PublisherContext {
            errors: ErrorLog::new(&options.brokers),
        };
        let producer = BaseProducer::from_config_and_context(config, context)
            .map_err(|error| Error::from_kafka(&error, "publisher"))?;
        let producer = Arc::new(producer);
        let is_ending = Arc::new(AtomicBool::new(false));
        let polling = {
            let (producer, is_ending) = (Arc::clone(&producer), Arc::clone(&is_ending));
            thread::Builder::new()
                .name("publisher".to_owned())
                .spawn(move || {
                    while !is_ending.load(Ordering::Relaxed) {
                        producer.poll(POLL);
                    }
                })
                .map_err(|error| Error::Client(format!("publisher thread: {error}")))?
        };
        Ok(Self {
            inner: Arc::new(Inner {
                producer,
                is_ending,
                polling: Some(polling),
            }),
        })
    }

    pub(crate) fn producer(&self) -> &BaseProducer<PublisherContext> {
        &self.inner.producer
    }

    /// Publishes a record and waits for the broker's acknowledgement.
    ///
    /// Not cancellation-safe: the record may be published although the future was dropped.
    ///
    /// # Errors
    /// [`Error::MessageTooLarge`], [`Error::UnknownTopic`], [`Error::AccessRefused`], or [`Error::Client`] when the
    /// client has given up (`message.timeout.ms`).
    pub async fn publish(&self, record: OutputRecord) -> Result<Published, Error> {
        let (reply, published) = oneshot::channel();
        let mut reply = on_delivery(move |result| {
            if reply.send(result).is_err() {
                tracing::debug!("nobody waits for a publish any more");
            }
        });
        loop {
            match wire::send(&self.inner.producer, &record, reply) {
                Ok(()) => break,
                Err((RDKafkaErrorCode::QueueFull, back)) => reply = back,
                Err((code, _)) => return Err(Error::from_code(code, "publishing")),
            }
            tokio::time::sleep(FULL_QUEUE_WAIT).await;
        }
        published
            .await
            .unwrap_or_else(|_| Err(Error::Stopped("the publisher has ended".to_owned())))
    }

    /// Queues a record for publishing; `on_delivery` is called on the publisher's thread when the broker has answered,
    /// and must not block. Blocks while the client's queue is full, which is how fast producers are held back.
    ///
    /// # Errors
    /// As [`publish`](Publisher::publish), for what is known at once; `on_delivery` then is not called.
    pub fn publish_with(
        &self,
        record: &OutputRecord,
        callback: impl FnOnce(Result<Published, Error>) + Send + 'static,
    ) -> Result<(), Error> {
        let mut reply = on_delivery(callback);
        loop {
            match wire::send(&self.inner.producer, record, reply) {
                Ok(()) => return Ok(()),
                Err((RDKafkaErrorCode::QueueFull, back)) => reply = back,
                Err((code, _)) => return Err(Error::from_code(code, "publishing")),
            }
            thread::park_timeout(FULL_QUEUE_WAIT);
        }
    }

    /// Blocks until everything queued is acknowledged or has failed.
    ///
    /// # Errors
    /// [`Error::Stopped`] if that is not so after `patience`.
    pub fn flush(&self, patience: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + patience;
        while self.inner.producer.in_flight_count() > 0 {
            if Instant::now() >= deadline {
                return Err(Error::Stopped(
                    "records were not acknowledged in time".to_owned(),
                ));
            }
            thread::park_timeout(FULL_QUEUE_WAIT);
        }
        Ok(())
    }

    /// Returns how many records are queued or not yet acknowledged.
    pub fn in_flight(&self) -> usize {
        usize::try_from(self.inner.producer.in_flight_count()).unwrap_or(0)
    }
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher")
            .field("in_flight", &self.in_flight())
            .finish()
    }
}

struct Inner {
    producer: Arc<BaseProducer<PublisherContext>>,
    is_ending: Arc<AtomicBool>,
    polling: Option<JoinHandle<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.is_ending.store(true, Ordering::Relaxed);
        if let Some(polling) = self.polling.take()
            && polling.join().is_err()
        {
            tracing::error!("a delivery callback panicked");
        }
    }
}

type Callback = Box<dyn FnOnce(Result<Published, Error>) + Send>;

/// The client library wants what travels through it to be `Sync`. The lock is never taken: the callback comes back by
/// value.
type Reply = Box<Mutex<Callback>>;

fn on_delivery(callback: impl FnOnce(Result<Published, Error>) + Send + 'static) -> Reply {
    Box::new(Mutex::new(Box::new(callback)))
}

pub(crate) struct PublisherContext {
    errors: ErrorLog,
}

impl ClientContext for PublisherContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log::write_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.errors.write(&error, reason);
    }
}

impl ProducerContext for PublisherContext {
    type DeliveryOpaque = Reply;

    fn delivery(&self, result: &DeliveryResult<'_>, reply: Reply) {
        let callback = reply.into_inner().unwrap_or_else(PoisonError::into_inner);
        callback(match result {
            Ok(message) => Ok(Published {
                partition: message.partition(),
                offset: message.offset(),
                timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
            }),
            Err((error, _)) => Err(Error::from_kafka(error, "publishing")),
        });
    }
}

/// Bounds how long dropping a publisher takes.
const POLL: Duration = Duration::from_millis(50);
/// How long to wait for room in the client's queue before the next try.
const FULL_QUEUE_WAIT: Duration = Duration::from_millis(1);

//! A Kafka broker inside this process, for demos and tests.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer, ProducerContext};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::client_log::{self, ErrorLog};
use crate::error::Error;
use crate::native;
use crate::options::KafkaOptions;

/// librdkafka's mock cluster: the real protocol over TCP on the loopback interface, in memory.
///
/// Its limits: a partition keeps the last 5 MiB or 100,000 batches, and older ones vanish after they were acknowledged;
/// transactions succeed and isolate nothing; topics are not compacted; a producer creates the topics that it writes to;
/// acknowledgements tell a made-up timestamp. A group forms at once, but when a member comes or goes the others wait for
/// the session timeout, less a second. It ends when the value is dropped.
pub struct InProcessBroker {
    /// The client that owns the cluster. It produces nothing.
    owner: BaseProducer<BrokerContext>,
}

impl InProcessBroker {
    /// Starts a cluster of one broker.
    ///
    /// # Errors
    /// [`Error::Client`] if no port can be opened.
    pub fn start() -> Result<Self, Error> {
        let mut config = ClientConfig::new();
        config.set("test.mock.num.brokers", "1");
        config.set_log_level(RDKafkaLogLevel::Error);
        let context = BrokerContext {
            errors: ErrorLog::new("the in-process broker"),
        };
        let owner = BaseProducer::from_config_and_context(&config, context)
            .map_err(|error| Error::from_kafka(&error, "in-process broker"))?;
        if !native::remove_group_join_delay(owner.client()) {
            return Err(Error::Client(
                "in-process broker: it did not start".to_owned(),
            ));
        }
        Ok(Self { owner })
    }

    /// Creates a topic.
    ///
    /// # Errors
    /// [`Error::Client`] if the topic exists or the name is invalid.
    pub fn create_topic(&self, topic: &str, partitions: u16) -> Result<(), Error> {
        self.cluster()?
            .create_topic(topic, i32::from(partitions), 1)
            .map_err(|error| Error::from_kafka(&error, &format!("creating topic {topic}")))
    }

    /// Returns `host:port` of the broker.
    pub fn bootstrap_servers(&self) -> Result<String, Error> {
        Ok(self.cluster()?.bootstrap_servers())
    }

    /// Returns options for clients of this broker: its address, and what suits its ways. Where members come and go often,
    /// as in tests of rebalances, a `session.timeout.ms` of 1500 with a `heartbeat.interval.ms` of 100 saves time.
    ///
    /// # Errors
    /// [`Error::Client`] if the cluster is gone.
    pub fn options(&self) -> Result<KafkaOptions, Error> {
        let mut options = KafkaOptions::new(self.bootstrap_servers()?);
        // This broker lets an empty fetch sleep for the whole wait instead of answering when a record comes.
        options
            .consumer
            .insert("fetch.wait.max.ms".to_owned(), "10".to_owned());
        Ok(options)
    }

    /// Lets the next produce requests fail, one for each fault, to see how a client takes it.
    pub fn fail_produce_requests(&self, faults: &[ProduceFault]) -> Result<(), Error> {
        let codes: Vec<RDKafkaRespErr> = faults.iter().map(|fault| fault.as_code()).collect();
        self.cluster()?
            .request_errors(RDKafkaApiKey::Produce, &codes);
        Ok(())
    }

    /// Delays every answer of the broker, as a slow network does.
    ///
    /// # Errors
    /// [`Error::Client`] if the cluster is gone.
    pub fn set_round_trip_time(&self, delay: Duration) -> Result<(), Error> {
        self.cluster()?
            .broker_round_trip_time(THE_BROKER, delay)
            .map_err(|error| Error::from_kafka(&error, "setting the round-trip time"))
    }

    /// Disconnects all clients and refuses connections, until [`InProcessBroker::bring_up`].
    ///
    /// # Errors
    /// [`Error::Client`] if the cluster is gone.
    pub fn take_down(&self) -> Result<(), Error> {
        self.cluster()?
            .broker_down(THE_BROKER)
            .map_err(|error| Error::from_kafka(&error, "taking the broker down"))
    }

    /// Takes back [`InProcessBroker::take_down`]; the records are still there.
    ///
    /// # Errors
    /// [`Error::Client`] if the cluster is gone.
    pub fn bring_up(&self) -> Result<(), Error> {
        self.cluster()?
            .broker_up(THE_BROKER)
            .map_err(|error| Error::from_kafka(&error, "bringing the broker up"))
    }

    fn cluster(&self) -> Result<MockCluster<'_, BrokerContext>, Error> {
        self.owner
            .client()
            .mock_cluster()
            .ok_or_else(|| Error::Client("in-process broker: it is gone".to_owned()))
    }
}

impl std::fmt::Debug for InProcessBroker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InProcessBroker")
            .field("brokers", &self.bootstrap_servers())
            .finish()
    }
}

/// How a produce request can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProduceFault {
    /// The leader has moved; clients try again.
    NotLeader,
    /// The broker took too long; clients try again.
    TimedOut,
    /// The connection breaks; clients connect and try again.
    Disconnect,
    /// The batch is larger than the topic allows; trying the same again does not help.
    TooLarge,
    /// The client may not write to the topic.
    NotAuthorised,
}

impl ProduceFault {
    fn as_code(self) -> RDKafkaRespErr {
        match self {
            Self::NotLeader => RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            Self::TimedOut => RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            Self::Disconnect => RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT,
            Self::TooLarge => RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
            Self::NotAuthorised => RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        }
    }
}

struct BrokerContext {
    errors: ErrorLog,
}

impl ClientContext for BrokerContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log::write_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.errors.write(&error, reason);
    }
}

impl ProducerContext for BrokerContext {
    type DeliveryOpaque = ();

    fn delivery(&self, _result: &DeliveryResult<'_>, (): ()) {}
}

/// Brokers of a mock cluster are numbered from 1.
const THE_BROKER: i32 = 1;

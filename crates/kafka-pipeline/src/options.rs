//! Configuration: how to reach the brokers, and how a pipeline behaves.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytesize::ByteSize;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use serde::{Deserialize, Serialize};

use crate::error::InvalidSetting;
use crate::lease::Lease;

/// How to reach the brokers. The maps are librdkafka's settings, passed through as they are.
///
/// `Debug` shows the names of settings without their values, which may be secrets.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaOptions {
    /// Comma-separated `host:port` of the brokers to start from.
    pub brokers: String,
    /// Settings of every client, such as `security.protocol`.
    #[serde(default)]
    pub client: BTreeMap<String, String>,
    /// Settings of consumers and followers only, such as `fetch.wait.max.ms`.
    #[serde(default)]
    pub consumer: BTreeMap<String, String>,
    /// Settings of producers only, such as `compression.type` or `linger.ms`.
    #[serde(default)]
    pub producer: BTreeMap<String, String>,
}

impl KafkaOptions {
    /// Makes options for `brokers` without further settings.
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            ..Self::default()
        }
    }

    /// Checks what can be checked without a connection.
    ///
    /// # Errors
    /// Names the key: no broker, a setting that this crate sets itself, or one that librdkafka does not take.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        if self.brokers.trim().is_empty() {
            return Err(InvalidSetting::new(
                "kafka.brokers",
                format!("{:?}", self.brokers),
                "host:port, comma-separated",
            ));
        }
        for (table, settings) in [
            ("client", &self.client),
            ("consumer", &self.consumer),
            ("producer", &self.producer),
        ] {
            let is_owned = |key: &&String| OWNED_SETTINGS.contains(&key.as_str());
            if let Some(key) = settings.keys().find(is_owned) {
                return Err(InvalidSetting::without_value(
                    format!("kafka.{table}.{key}"),
                    "no such key, for tidegate itself sets it",
                ));
            }
        }
        for config in [self.consumer_config(), self.producer_config()] {
            self.expect_taken(&config)?;
        }
        Ok(())
    }

    /// Lets librdkafka look at each setting by itself. What it says only when a client is made, such as a certificate that
    /// cannot be read, is told then.
    fn expect_taken(&self, config: &ClientConfig) -> Result<(), InvalidSetting> {
        let Err(KafkaError::ClientConfig(_, reason, key, _)) = config.create_native_config() else {
            return Ok(());
        };
        let tables = [
            ("consumer", &self.consumer),
            ("producer", &self.producer),
            ("client", &self.client),
        ];
        let table = tables
            .into_iter()
            .find(|(_, settings)| settings.contains_key(&key));
        let key = match table {
            Some((table, _)) => format!("kafka.{table}.{key}"),
            None => key,
        };
        let allowed = format!("what librdkafka takes ({reason})");
        Err(InvalidSetting::without_value(key, allowed))
    }

    pub(crate) fn consumer_config(&self) -> ClientConfig {
        let mut config = self.client_config(CONSUMER_DEFAULTS);
        config.extend(self.consumer.clone());
        // Without stored offsets nothing is ever committed, so this is safe for followers too.
        config.set("enable.auto.offset.store", "false");
        config
    }

    pub(crate) fn producer_config(&self) -> ClientConfig {
        let mut config = self.client_config(PRODUCER_DEFAULTS);
        config.extend(self.producer.clone());
        config.set("enable.idempotence", "true");
        config.set("partitioner", "murmur2_random");
        config
    }

    /// A producer of which one at a time is heard. Its transactions are small and made for people who wait.
    pub(crate) fn transactional_config(&self, transactional_id: &str) -> ClientConfig {
        let mut config = self.producer_config();
        config.set("transactional.id", transactional_id);
        // An open transaction hides what comes behind it from readers; one that a crash left open ends after this.
        config.set("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS);
        // The client asks that this be no longer, under either of its names.
        config.remove("delivery.timeout.ms");
        config.set("message.timeout.ms", TRANSACTION_TIMEOUT_MS);
        config
    }

    /// A member of a group that reads nothing.
    pub(crate) fn ownership_config(&self, group: &str) -> ClientConfig {
        let mut config = self.client_config(CONSUMER_DEFAULTS);
        for (key, value) in OWNERSHIP_DEFAULTS {
            config.set(*key, *value);
        }
        config.extend(self.client.clone());
        config.extend(self.consumer.clone());
        config.set("enable.auto.offset.store", "false");
        config.set("group.id", group);
        // Keeps what is owned with its owner when others come.
        config.set("partition.assignment.strategy", "cooperative-sticky");
        config.set("enable.auto.commit", "false");
        config
    }

    pub(crate) fn admin_config(&self) -> ClientConfig {
        self.client_config(&[])
    }

    fn client_config(&self, defaults: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (key, value) in CLIENT_DEFAULTS.iter().chain(defaults) {
            config.set(*key, *value);
        }
        config.extend(self.client.clone());
        config.set("bootstrap.servers", &self.brokers);
        // The binding would take the level from the `log` crate, which nobody sets up here; `tracing` filters.
        config.set_log_level(match config.get("debug") {
            Some(_) => RDKafkaLogLevel::Debug,
            None => RDKafkaLogLevel::Info,
        });
        config
    }
}

impl fmt::Debug for KafkaOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaOptions")
            .field("brokers", &self.brokers)
            .field("client", &self.client.keys())
            .field("consumer", &self.consumer.keys())
            .field("producer", &self.producer.keys())
            .finish()
    }
}

/// The library's default lets ten seconds pass after a broker is back before it looks.
const CLIENT_DEFAULTS: &[(&str, &str)] = &[("reconnect.backoff.max.ms", "1000")];

/// The library's defaults prefetch 64 MB and wait a second after a full queue. The budget bounds what is in flight;
/// these bound what the library holds besides. Of a replica that dies without a word the partitions stand still until its
/// session has timed out, and a member whose session times out while brokers are away waits as long again when they are
/// back: 30 s is longer than a broker takes to start again, and shorter than the library's 45.
const CONSUMER_DEFAULTS: &[(&str, &str)] = &[
    ("queued.min.messages", "2000"),
    ("queued.max.messages.kbytes", "8192"),
    ("fetch.message.max.bytes", "524288"),
    ("fetch.queue.backoff.ms", "5"),
    ("allow.auto.create.topics", "false"),
    ("session.timeout.ms", "30000"),
    ("heartbeat.interval.ms", "3000"),
];

/// How long an owner that was killed keeps its place: as short as brokers allow by default, for nobody leads meanwhile.
const OWNERSHIP_DEFAULTS: &[(&str, &str)] = &[
    ("session.timeout.ms", "6000"),
    ("heartbeat.interval.ms", "1500"),
];

/// Batches of 5 ms cost little latency and most of the per-request CPU. A record may be as large as a content record
/// with its dead-letter headers; the topic's own limit decides.
const PRODUCER_DEFAULTS: &[(&str, &str)] = &[
    ("linger.ms", "5"),
    ("message.max.bytes", "16777216"),
    ("queue.buffering.max.kbytes", "65536"),
    ("queue.buffering.max.messages", "50000"),
];

const TRANSACTION_TIMEOUT_MS: &str = "10000";

/// Settings, and their other names, on which delivery guarantees rest.
const OWNED_SETTINGS: &[&str] = &[
    "acks",
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "bootstrap.servers",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.protocol",
    "isolation.level",
    "log.queue",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "partitioner",
    "request.required.acks",
    "test.mock.num.brokers",
    "transaction.timeout.ms",
    "transactional.id",
];

/// Where a group without a committed offset starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OffsetReset {
    /// At the first record that is still there.
    Earliest,
    /// Behind the last record.
    Latest,
    /// Nowhere: the stage stops with [`Error::OffsetOutOfRange`](crate::Error::OffsetOutOfRange).
    Error,
}

impl OffsetReset {
    fn as_setting(self) -> &'static str {
        match self {
            Self::Earliest => "earliest",
            Self::Latest => "latest",
            Self::Error => "error",
        }
    }
}

/// How a pipeline behaves. Every field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PipelineOptions {
    /// Most records dispatched and not yet acknowledged; at least 1.
    pub max_in_flight_events: usize,
    /// Most bytes of such records. A single larger record is let in alone.
    pub max_in_flight_bytes: ByteSize,
    /// How often offsets are committed.
    #[serde(with = "humantime_serde")]
    pub commit_interval: Duration,
    /// How long a rebalance waits for records in flight of the partitions that are taken away; at most 20 s, for nothing
    /// is polled meanwhile.
    #[serde(with = "humantime_serde")]
    pub rebalance_drain: Duration,
    /// Where a group without a committed offset starts.
    pub auto_offset_reset: OffsetReset,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        Self {
            max_in_flight_events: 8192,
            max_in_flight_bytes: ByteSize::mib(32),
            commit_interval: Duration::from_secs(1),
            rebalance_drain: Duration::from_secs(5),
            auto_offset_reset: OffsetReset::Earliest,
        }
    }
}

impl PipelineOptions {
    fn validate(&self) -> Result<(), InvalidSetting> {
        let events = self.max_in_flight_events;
        if !(1..=MAX_IN_FLIGHT_EVENTS).contains(&events) {
            return Err(InvalidSetting::new(
                "pipeline.max_in_flight_events",
                events.to_string(),
                format!("1 to {MAX_IN_FLIGHT_EVENTS}"),
            ));
        }
        let interval = self.commit_interval;
        if interval.as_millis() == 0 {
            return Err(InvalidSetting::new(
                "pipeline.commit_interval",
                format!("{interval:?}"),
                "1ms or more",
            ));
        }
        let drain = self.rebalance_drain;
        if drain > MAX_REBALANCE_DRAIN {
            return Err(InvalidSetting::new(
                "pipeline.rebalance_drain",
                format!("{drain:?}"),
                format!("0s to {MAX_REBALANCE_DRAIN:?}"),
            ));
        }
        Ok(())
    }
}

/// A whole pipeline: what it reads, as whom, and how.
#[derive(Debug, Clone)]
pub struct PipelineConfig {
    /// The stage's name, for metrics, logs and dead letters.
    pub stage: &'static str,
    /// How to reach the brokers.
    pub kafka: KafkaOptions,
    /// The consumer group.
    pub group: String,
    /// The topics to consume.
    pub inputs: Vec<String>,
    /// Where records go that could not be read.
    pub dead_letter_topic: String,
    /// Whether to consume nothing until [`Handle::resume`](crate::Handle::resume).
    pub start_paused: bool,
    /// What the pipeline works under, if it is to stop when its process has stood still.
    pub lease: Option<Lease>,
    /// Limits and intervals.
    pub options: PipelineOptions,
}

impl PipelineConfig {
    /// Checks what can be checked without a connection.
    ///
    /// # Errors
    /// Names the key, its value and what is allowed.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        self.kafka.validate()?;
        if self.inputs.is_empty() {
            return Err(InvalidSetting::new("inputs", "[]", "at least one topic"));
        }
        for (key, value) in [
            ("group", &self.group),
            ("dead_letter_topic", &self.dead_letter_topic),
        ] {
            if value.is_empty() {
                return Err(InvalidSetting::new(key, "\"\"", "a name"));
            }
        }
        self.options.validate()
    }

    pub(crate) fn group_config(&self) -> ClientConfig {
        let mut config = self.kafka.consumer_config();
        config.set("group.id", &self.group);
        config.set("partition.assignment.strategy", "cooperative-sticky");
        config.set("enable.auto.commit", "true");
        config.set(
            "auto.commit.interval.ms",
            self.options.commit_interval.as_millis().to_string(),
        );
        config.set(
            "auto.offset.reset",
            self.options.auto_offset_reset.as_setting(),
        );
        // Transactions of an upstream stage that are aborted must never be decided.
        config.set("isolation.level", "read_committed");
        config
    }
}

/// Bounds the channel to the emitter, which has room for all records in flight.
const MAX_IN_FLIGHT_EVENTS: usize = 1_000_000;

/// Whoever watches the loops takes one that is silent for longer as stuck.
const MAX_REBALANCE_DRAIN: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> PipelineConfig {
        PipelineConfig {
            stage: "test",
            kafka: KafkaOptions::new("localhost:9092"),
            group: "group".to_owned(),
            inputs: vec!["in".to_owned()],
            dead_letter_topic: "dead-letter".to_owned(),
            start_paused: false,
            lease: None,
            options: PipelineOptions::default(),
        }
    }

    fn check(change: impl FnOnce(&mut PipelineConfig), expected: &str) {
        let mut config = config();
        change(&mut config);
        let error = config.validate().expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn wrong_settings_are_named() {
        assert_eq!(config().validate(), Ok(()));
        check(
            |c| c.kafka.brokers.clear(),
            "kafka.brokers = \"\" cannot be used: expected host:port, comma-separated",
        );
        check(|c| c.inputs.clear(), "inputs = []");
        check(|c| c.group.clear(), "group = \"\"");
        check(|c| c.dead_letter_topic.clear(), "dead_letter_topic = \"\"");
        check(
            |c| c.options.max_in_flight_events = 0,
            "pipeline.max_in_flight_events = 0 cannot be used: expected 1 to 1000000",
        );
        check(
            |c| c.options.commit_interval = Duration::ZERO,
            "pipeline.commit_interval = 0ns",
        );
        check(
            |c| c.options.rebalance_drain = Duration::from_millis(20_001),
            "pipeline.rebalance_drain = 20.001s cannot be used: expected 0s to 20s",
        );
        for key in OWNED_SETTINGS {
            check(
                |c| drop(c.kafka.client.insert((*key).to_owned(), "x".to_owned())),
                &format!("kafka.client.{key} = *** cannot be used"),
            );
        }
    }

    #[test]
    fn debug_hides_values() {
        let mut options = KafkaOptions::new("localhost:9092");
        options
            .client
            .insert("sasl.password".to_owned(), "hunter2".to_owned());
        let shown = format!("{options:?}");
        assert!(
            shown.contains("sasl.password") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}

//! The control plane's configuration file.

use std::net::SocketAddr;
use std::path::PathBuf;

use bytesize::ByteSize;
use control_state::{ReplicaId, TopicCheck, TopicOptions};
use kafka_pipeline::KafkaOptions;
use moderation_wire::Topics;
use serde::Deserialize;
use service_runtime::{InvalidValue, ProcessConfig, ServiceConfig};

/// What a control plane needs to know. `deploy/config/control-plane.toml` is a commented sample.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Telemetry, logs, drain deadline.
    #[serde(default)]
    pub process: ProcessConfig,
    /// How to reach the brokers.
    pub kafka: KafkaOptions,
    /// What all topic names begin with.
    #[serde(default = "Topics::default_prefix")]
    pub topic_prefix: String,
    /// This replica's name, unique and stable; by default made of host name and process id.
    #[serde(default)]
    pub replica_id: Option<String>,
    /// Where gRPC is served; port 0 takes a free one. Whoever reaches it may change what is enforced.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// A policy that becomes version 1 where there is none yet.
    #[serde(default)]
    pub bootstrap_policy: Option<PathBuf>,
    /// A deployment that becomes version 1 where there is none yet.
    #[serde(default)]
    pub bootstrap_deployment: Option<PathBuf>,
    /// The largest policy document that is accepted. The control topic's `max.message.bytes` must leave room for it.
    #[serde(default = "default_max_policy_bytes")]
    pub max_policy_bytes: ByteSize,
}

/// Reachable from this machine alone until someone says otherwise.
fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], Config::DEFAULT_PORT))
}

/// Half of what Kafka's topics take by default.
fn default_max_policy_bytes() -> ByteSize {
    ByteSize::kib(512)
}

impl Config {
    /// The port that clients try unless they are told another.
    pub const DEFAULT_PORT: u16 = 7301;

    /// Makes a configuration of defaults.
    pub fn new(kafka: KafkaOptions) -> Self {
        Self {
            process: ProcessConfig::default(),
            kafka,
            topic_prefix: Topics::default_prefix(),
            replica_id: None,
            listen: default_listen(),
            bootstrap_policy: None,
            bootstrap_deployment: None,
            max_policy_bytes: default_max_policy_bytes(),
        }
    }

    /// Reads the bootstrap files as a start would, and writes nothing.
    ///
    /// # Errors
    /// One line that names the file and the first thing that is wrong with it.
    pub fn check_bootstrap_files(&self) -> anyhow::Result<()> {
        crate::bootstrap::read_first_changes(self).map(drop)
    }

    /// Returns what the control plane looks at before it does anything.
    pub fn topic_check<'a>(&'a self, topics: &'a Topics) -> TopicCheck<'a> {
        let used = [&topics.control, &topics.audit, &topics.replicas];
        TopicCheck {
            kafka: &self.kafka,
            topics,
            used: used.map(String::clone).to_vec(),
            // Each of these topics has rules of its own; there is nothing to choose.
            options: TopicOptions::default(),
        }
    }

    pub(crate) fn max_policy_bytes(&self) -> usize {
        usize::try_from(self.max_policy_bytes.as_u64()).unwrap_or(usize::MAX)
    }
}

impl AsRef<ProcessConfig> for Config {
    fn as_ref(&self) -> &ProcessConfig {
        &self.process
    }
}

impl ServiceConfig for Config {
    fn validate(&self) -> Result<(), InvalidValue> {
        self.kafka
            .validate()
            .map_err(|setting| InvalidValue::new(setting.key, setting.value, setting.allowed))?;
        if self.topic_prefix.is_empty() {
            return Err(InvalidValue::new(
                "topic_prefix",
                "\"\"",
                "a name such as \"tidegate\"",
            ));
        }
        if let Some(id) = &self.replica_id
            && ReplicaId::new(id).is_err()
        {
            return Err(InvalidValue::new(
                "replica_id",
                id.escape_debug(),
                "1 to 128 bytes without control characters",
            ));
        }
        if !POLICY_BYTES.contains(&self.max_policy_bytes.as_u64()) {
            return Err(InvalidValue::new(
                "max_policy_bytes",
                self.max_policy_bytes,
                "1KiB to 8MiB",
            ));
        }
        self.process.validate()
    }
}

/// A policy must fit into one Kafka record and one gRPC message.
const POLICY_BYTES: std::ops::RangeInclusive<u64> = 1024..=8 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let text = format!("{text}\n[kafka]\nbrokers = \"localhost:9092\"");
        let error =
            service_runtime::config::parse::<Config>(Path::new("c.toml"), &text).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }

    #[test]
    fn brokers_alone_are_enough() {
        let text = "[kafka]\nbrokers = \"localhost:9092\"";
        let config: Config = service_runtime::config::parse(Path::new("c.toml"), text).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:7301");
        assert_eq!(config.max_policy_bytes(), 512 * 1024);
    }

    #[test]
    fn brokers_that_are_missing_are_named() {
        let text = "[kafka]\nbrokers = \"\"";
        let error = service_runtime::config::parse::<Config>(Path::new("c.toml"), text);
        let said = error.unwrap_err().to_string();
        let expected = "kafka.brokers = \"\" cannot be used: expected host:port, comma-separated";
        assert!(said.ends_with(expected), "{said}");
    }

    #[test]
    fn wrong_values_are_named() {
        check("listen = \"everywhere\"", "c.toml:1: listen: invalid");
        check(
            "replica_id = \"a\\nb\"",
            "replica_id = a\\nb cannot be used",
        );
        check("topic_prefix = \"\"", "topic_prefix");
        check("max_policy_bytes = \"1GiB\"", "1KiB to 8MiB");
        check("bootstrap = \"x\"", "unknown field `bootstrap`");
    }
}

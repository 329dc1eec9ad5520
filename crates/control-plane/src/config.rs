//! The control plane's configuration file.

use std::net::SocketAddr;
use std::path::PathBuf;

use bytesize::ByteSize;
use control_state::{ReplicaId, TopicCheck, TopicOptions, host_name};
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
    /// The `host:port` under which others reach this control plane; by default where it listens, or the host's name
    /// where it listens on every address.
    #[serde(default)]
    pub advertised_address: Option<String>,
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
            advertised_address: None,
            bootstrap_policy: None,
            bootstrap_deployment: None,
            max_policy_bytes: default_max_policy_bytes(),
        }
    }

    /// Returns the address that others are told, where `bound` is the one that is listened on.
    pub(crate) fn advertised(&self, bound: SocketAddr) -> String {
        match &self.advertised_address {
            Some(address) => address.clone(),
            None if bound.ip().is_unspecified() => format!("{}:{}", host_name(), bound.port()),
            None => bound.to_string(),
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
        if let Some(address) = &self.advertised_address
            && !is_host_and_port(address)
        {
            return Err(InvalidValue::new(
                "advertised_address",
                address.escape_debug(),
                "host:port",
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

fn is_host_and_port(address: &str) -> bool {
    let is_plain = !address
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || c == '/');
    let port = address
        .rsplit_once(':')
        .filter(|(host, _)| !host.is_empty());
    is_plain && port.is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0))
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
        for wrong in ["host", "host:0", ":7301", "http://host:7301", "a b:1"] {
            let expected =
                format!("advertised_address = {wrong} cannot be used: expected host:port");
            check(&format!("advertised_address = {wrong:?}"), &expected);
        }
        check("max_policy_bytes = \"1GiB\"", "1KiB to 8MiB");
        check("bootstrap = \"x\"", "unknown field `bootstrap`");
    }
}

//! What `cargo xtask kafka --json` says of a cluster.

use std::path::PathBuf;

use kafka_pipeline::KafkaOptions;
use serde::Deserialize;

/// A cluster, as its latest line describes it.
#[derive(Clone, Deserialize)]
pub(crate) struct Description {
    /// All plain addresses.
    pub(crate) brokers: String,
    /// In the order of their ids.
    pub(crate) nodes: Vec<NodeDescription>,
    /// Where records and logs are.
    pub(crate) data: PathBuf,
    /// The listeners with SASL over TLS, where there are some.
    pub(crate) secure: Option<Secure>,
}

/// One node.
#[derive(Clone, Deserialize)]
pub(crate) struct NodeDescription {
    /// From 1 on.
    pub(crate) id: u8,
    /// The process, while there is one.
    pub(crate) pid: Option<u32>,
}

/// How to speak to the secure listeners. Not `Debug`, for it holds the password.
#[derive(Clone, Deserialize)]
pub struct Secure {
    /// All secure addresses.
    pub brokers: String,
    /// The authority's certificate, in PEM.
    pub ca: PathBuf,
    /// The only user.
    pub user: String,
    /// The user's password.
    pub password: String,
}

/// How a client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// The password, as it is.
    Plain,
    /// A proof of the password, with SHA-256.
    ScramSha256,
    /// A proof of the password, with SHA-512.
    ScramSha512,
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl Secure {
    /// Returns what a client is configured with.
    pub fn options(&self, mechanism: Mechanism) -> KafkaOptions {
        let mut options = KafkaOptions::new(&self.brokers);
        let settings = [
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", mechanism.name()),
            ("sasl.username", &self.user),
            ("sasl.password", &self.password),
        ];
        options
            .client
            .extend(settings.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let authority = self.ca.display().to_string();
        options
            .client
            .insert("ssl.ca.location".to_owned(), authority);
        options
    }
}

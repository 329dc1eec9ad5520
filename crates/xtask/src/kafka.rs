//! Apache Kafka on this machine: fetching it, and running a cluster of one or three brokers in KRaft mode.

mod certificate;
mod cluster;
mod data_folder;
pub(crate) mod description;
mod download;
mod node;
mod options;
mod ports;
mod properties;
mod random;
mod serve;

use std::{ffi::OsString, process::Command};

pub(crate) use cluster::Cluster;
pub(crate) use options::ClusterOptions;
pub(crate) use serve::serve;

use crate::workspace::Workspace;

/// The version that is fetched.
pub(crate) const VERSION: &str = "4.3.1";

/// The jars of a broker, fetched and checked.
pub(crate) struct Kafka {
    class_path: OsString,
}

impl Kafka {
    /// Makes sure that Kafka can be run, fetching it if it is not there.
    ///
    /// # Errors
    ///
    /// Names what is missing, and how to get it.
    pub(crate) fn install(workspace: &Workspace) -> Result<Self, String> {
        let class_path = download::install(&workspace.kafka_folder().join(VERSION))?;
        Ok(Self { class_path })
    }

    /// Returns a command that runs a class of Kafka's.
    fn java(&self, settings: &[&str]) -> Command {
        let mut java = Command::new("java");
        java.args(settings).arg("-cp").arg(&self.class_path);
        java
    }
}

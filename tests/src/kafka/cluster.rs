//! A cluster to test on.

use std::path::Path;

use kafka_pipeline::KafkaOptions;
use tempfile::TempDir;

use super::{
    description::{Description, Mechanism, Secure},
    program::Program,
};
use crate::process::signal;

/// Describes the shared cluster, as `cargo xtask kafka --json` does.
const SHARED: &str = "TIDEGATE_KAFKA";
/// Names the program that runs further clusters.
const XTASK: &str = "TIDEGATE_XTASK";

/// What a cluster of a test's own is started with.
#[derive(Debug, Clone, Copy)]
pub struct ClusterOptions {
    /// 1 or 3.
    pub brokers: u8,
    /// Whether to listen with SASL over TLS too.
    pub secure: bool,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            brokers: 1,
            secure: false,
        }
    }
}

/// Apache Kafka. A cluster of the test's own ends when dropped.
pub struct Cluster {
    description: Description,
    own: Option<Own>,
}

struct Own {
    program: Program,
    // Dropped last, for the cluster writes there.
    _folder: TempDir,
}

impl Cluster {
    /// Returns the cluster that all tests share: it has one broker, which nobody may disturb, and a secure listener.
    ///
    /// # Panics
    /// If there is none, with the command that brings it.
    pub fn shared() -> Self {
        let description =
            serde_json::from_str(&variable(SHARED)).expect("TIDEGATE_KAFKA holds a description");
        Self {
            description,
            own: None,
        }
    }

    /// Starts a cluster for one test, and returns once it is ready.
    ///
    /// # Panics
    /// If it does not come up.
    pub async fn start(options: ClusterOptions) -> Self {
        let folder = TempDir::new().expect("a directory can be made");
        let brokers = options.brokers.to_string();
        let mut arguments = vec!["--brokers", &brokers];
        arguments.extend(options.secure.then_some("--secure"));
        let mut program = Program::start(&variable(XTASK), &arguments, folder.path());
        let description = program.describe(|_| true).await;
        Self {
            description,
            own: Some(Own {
                program,
                _folder: folder,
            }),
        }
    }

    /// Returns the addresses of all brokers, without encryption.
    pub fn brokers(&self) -> &str {
        &self.description.brokers
    }

    /// Returns what a client without encryption is configured with.
    pub fn kafka_options(&self) -> KafkaOptions {
        KafkaOptions::new(self.brokers())
    }

    /// Returns what a client of the secure listener is configured with.
    pub fn secure_options(&self, mechanism: Mechanism) -> KafkaOptions {
        self.secure().options(mechanism)
    }

    /// Returns how to speak to the secure listener.
    ///
    /// # Panics
    /// If the cluster was started without one.
    pub fn secure(&self) -> &Secure {
        let secure = self.description.secure.as_ref();
        secure.expect("the cluster was started as secure")
    }

    /// Returns the folder of the cluster's records and logs.
    pub fn data(&self) -> &Path {
        &self.description.data
    }

    /// Kills a broker as a power cut would, and returns once it is gone.
    pub async fn kill(&mut self, node: u8) {
        self.signal(node, "KILL");
        self.follow(|cluster| cluster.pid(node).is_none()).await;
    }

    /// Stops a broker in order, and returns once it is gone.
    pub async fn stop(&mut self, node: u8) {
        self.own().program.say(&format!("stop {node}"));
        self.follow(|cluster| cluster.pid(node).is_none()).await;
    }

    /// Starts a broker again that was killed or stopped, and returns once it is ready.
    pub async fn restart(&mut self, node: u8) {
        self.own().program.say(&format!("start {node}"));
        self.follow(|cluster| cluster.pid(node).is_some()).await;
    }

    /// Makes a broker hang, with its connections open.
    pub fn freeze(&mut self, node: u8) {
        self.signal(node, "STOP");
    }

    /// Lets a broker go on that hangs.
    pub fn thaw(&mut self, node: u8) {
        self.signal(node, "CONT");
    }

    fn signal(&mut self, node: u8, name: &str) {
        assert!(self.own.is_some(), "nobody may disturb the shared cluster");
        let pid = self.description.pid(node);
        signal(pid.expect("the broker runs"), name);
    }

    async fn follow(&mut self, fits: impl Fn(&Description) -> bool) {
        self.description = self.own().program.describe(fits).await;
    }

    fn own(&mut self) -> &mut Own {
        self.own
            .as_mut()
            .expect("nobody may disturb the shared cluster")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.own.is_none() {
            return;
        }
        // Nobody reads its records any more, and three brokers that end at once wait for each other.
        for pid in self.description.nodes.iter().filter_map(|node| node.pid) {
            signal(pid, "KILL");
        }
    }
}

impl Description {
    fn pid(&self, node: u8) -> Option<u32> {
        let node = self.nodes.iter().find(|found| found.id == node);
        node.expect("the cluster has such a node").pid
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run these tests with `cargo xtask test --kafka`")
    })
}

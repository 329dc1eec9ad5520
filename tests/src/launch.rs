//! Starting the stages of one installation: the same brokers, the same topics.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;

use kafka_pipeline::KafkaOptions;
use moderation_wire::Topics;
use tempfile::TempDir;
use toml::{Table, Value};

use crate::address::free_address;
use crate::process::Process;
use crate::{repository, tidegate};

/// What runs as a process of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Keeps policies and deployments.
    ControlPlane,
    /// Scores content.
    Classifier,
    /// Decides.
    Enforcer,
}

impl Stage {
    /// Returns the subcommand that runs it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ControlPlane => "control-plane",
            Self::Classifier => "classifier",
            Self::Enforcer => "enforcer",
        }
    }
}

/// Writes configurations, and starts processes from them.
pub struct Launch {
    directory: TempDir,
    kafka: KafkaOptions,
    topic_prefix: String,
    policy: PathBuf,
    endpoint: SocketAddr,
}

impl Launch {
    /// Prepares an installation on some brokers, whose topics begin with `topic_prefix`. Nothing is started.
    pub fn new(kafka: KafkaOptions, topic_prefix: impl Into<String>) -> Self {
        Self {
            directory: TempDir::new().expect("a directory can be made"),
            kafka,
            topic_prefix: topic_prefix.into(),
            policy: repository().join("deploy/policies/default.toml"),
            endpoint: free_address(),
        }
    }

    /// Begins with another policy than the shipped one.
    pub fn with_policy(self, policy: PathBuf) -> Self {
        Self { policy, ..self }
    }

    /// Returns how to reach the brokers.
    pub fn kafka(&self) -> &KafkaOptions {
        &self.kafka
    }

    /// Returns where the control plane serves gRPC, unless a replica was told otherwise.
    pub fn endpoint(&self) -> SocketAddr {
        self.endpoint
    }

    /// Returns the names of the topics.
    pub fn topics(&self) -> Topics {
        Topics::new(&self.topic_prefix)
    }

    /// Starts a replica with nothing unusual about it.
    pub fn start(&self, stage: Stage, replica_id: &str) -> Process {
        self.start_with(stage, replica_id, Table::new())
    }

    /// Starts a replica whose configuration says `extra` too, or instead.
    pub fn start_with(&self, stage: Stage, replica_id: &str, extra: Table) -> Process {
        let telemetry = free_address();
        let mut config = self.common(replica_id, telemetry);
        merge(&mut config, self.own(stage));
        merge(&mut config, extra);
        let path = self.write(&format!("{replica_id}.toml"), &config);
        Process::start(stage.name(), replica_id, &path, telemetry)
    }

    fn common(&self, replica_id: &str, telemetry: SocketAddr) -> Table {
        let mut config = toml::toml! { [process] };
        config.insert("topic_prefix".to_owned(), self.topic_prefix.clone().into());
        config.insert("replica_id".to_owned(), replica_id.into());
        config["process"] = Value::Table(table([("telemetry_address", telemetry.to_string())]));
        config.insert("kafka".to_owned(), self.kafka_table());
        config
    }

    fn own(&self, stage: Stage) -> Table {
        match stage {
            Stage::ControlPlane => table([
                ("listen", self.endpoint.to_string()),
                ("bootstrap_policy", text(&self.policy)),
                (
                    "bootstrap_deployment",
                    text(&repository().join("deploy/config/deployment.toml")),
                ),
            ]),
            Stage::Classifier => {
                let mut inference = table([(
                    "bundle_directory",
                    text(&repository().join("deploy/models")),
                )]);
                inference.insert("workers".to_owned(), 1.into());
                Table::from_iter([("inference".to_owned(), inference.into())])
            }
            Stage::Enforcer => Table::new(),
        }
    }

    /// Makes the topics on real brokers, as an operator does, from the file that ships.
    ///
    /// # Panics
    /// If `tidegate topics apply` fails.
    pub async fn make_topics(&self, partitions: u16, replication: u16) {
        let made = self.try_make_topics(partitions, replication).await;
        assert!(made.status.success(), "{made:?}");
    }

    /// Makes the topics that are missing, and returns what `tidegate topics apply` says of all.
    pub async fn try_make_topics(&self, partitions: u16, replication: u16) -> Output {
        let shipped = repository().join("deploy/config/topics.toml");
        let shipped = std::fs::read_to_string(shipped).expect("the file ships");
        let mut file: Table = shipped.parse().expect("the file is TOML");
        file.insert("topic_prefix".to_owned(), self.topic_prefix.clone().into());
        file.insert("kafka".to_owned(), self.kafka_table());
        file.insert(
            "replication_factor".to_owned(),
            i64::from(replication).into(),
        );
        // The brokers' own setting fits their number.
        file.remove("min_insync_replicas");
        let plans = file["topic"].as_table_mut().expect("the file lists topics");
        let spread = |plan: &&mut Value| plan["partitions"].as_integer() != Some(1);
        for (_, plan) in plans.iter_mut().filter(|(_, plan)| spread(plan)) {
            plan["partitions"] = i64::from(partitions).into();
        }
        let path = self.write("topics.toml", &file);
        self.tidegate(&["topics", "apply", "--config", &text(&path)])
            .await
    }

    /// Runs `tidegate ARGS` against this control plane, as an operator would.
    pub async fn tidegate(&self, args: &[&str]) -> Output {
        let mut command = tidegate();
        command
            .args(args)
            .env("TIDEGATE_ENDPOINT", format!("http://{}", self.endpoint))
            .env("USER", "tester");
        tokio::task::spawn_blocking(move || command.output().expect("tidegate runs"))
            .await
            .expect("no panic")
    }

    fn kafka_table(&self) -> Value {
        Value::try_from(&self.kafka).expect("options are written as they are read")
    }

    fn write(&self, name: &str, config: &Table) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, config.to_string()).expect("the file can be written");
        path
    }
}

fn table<const N: usize>(entries: [(&str, String); N]) -> Table {
    entries
        .map(|(key, value)| (key.to_owned(), value.into()))
        .into_iter()
        .collect()
}

fn text(path: &Path) -> String {
    path.to_str().expect("paths of tests are UTF-8").to_owned()
}

/// Adds entries to a table; tables in both become one, of other entries the new one stays.
fn merge(table: &mut Table, other: Table) {
    for (key, value) in other {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(new)) => merge(inner, new),
            (_, value) => drop(table.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(table: &str, other: &str, expected: &str) {
        let parse = |text: &str| text.parse::<Table>().expect("TOML");
        let mut merged = parse(table);
        merge(&mut merged, parse(other));
        assert_eq!(merged, parse(expected));
    }

    #[test]
    fn what_a_test_adds_joins_what_is_there() {
        check("a = 1", "b = 2", "a = 1\nb = 2");
        check("a = 1", "a = 2", "a = 2");
        check("[t]\na = 1", "[t]\nb = 2", "[t]\na = 1\nb = 2");
    }
}

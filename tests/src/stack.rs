//! The whole pipeline as separate processes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;

use kafka_pipeline::{InProcessBroker, KafkaOptions, OutputRecord, Published, Publisher, Record};
use moderation::{ContentEvent, Decision, EnforcementAction, ReviewRequest, ScoredEvent};
use moderation_wire::{
    Topics, decode_action, decode_decision, decode_review, encode_content, encode_scored,
    record_key,
};
use tempfile::TempDir;

use crate::process::{Process, free_address};
use crate::{Feed, repository, tidegate};

/// What a [`Stack`] is started with.
pub struct StackOptions {
    /// The bootstrap policy; the shipped one by default.
    pub policy: PathBuf,
    /// Partitions of content, scores, decisions, actions, review and dead-letter.
    pub partitions: u16,
}

impl Default for StackOptions {
    fn default() -> Self {
        Self {
            policy: repository().join("deploy/policies/default.toml"),
            partitions: 4,
        }
    }
}

/// A broker in this process; control plane, classifier and enforcer as processes of their own.
pub struct Stack {
    /// Closed last: the processes drain into it.
    pub broker: InProcessBroker,
    /// The names of the topics.
    pub topics: Topics,
    /// The control plane.
    pub control_plane: Process,
    /// The classifier.
    pub classifier: Process,
    /// The enforcer.
    pub enforcer: Process,
    kafka: KafkaOptions,
    publisher: Publisher,
    endpoint: SocketAddr,
    _directory: TempDir,
}

impl Stack {
    /// Starts everything and waits until all of it is ready.
    pub async fn start(options: StackOptions) -> Self {
        let broker = InProcessBroker::start().expect("the broker starts");
        let topics = Topics::default();
        create_topics(&broker, &topics, options.partitions);
        let kafka = broker.options().expect("the broker has an address");
        let publisher = Publisher::new(&kafka).expect("the options are valid");
        let directory = TempDir::new().expect("a directory can be made");
        let endpoint = free_address();
        let launch = Launch {
            directory: directory.path(),
            kafka: &kafka,
        };
        let mut control_plane = launch.control_plane(endpoint, &options.policy);
        let mut classifier = launch.classifier();
        let mut enforcer = launch.enforcer();
        control_plane.ready().await;
        classifier.ready().await;
        enforcer.ready().await;
        Self {
            broker,
            topics,
            control_plane,
            classifier,
            enforcer,
            kafka,
            publisher,
            endpoint,
            _directory: directory,
        }
    }

    /// Publishes a content event.
    pub async fn send(&self, content: &ContentEvent) -> Published {
        let key = record_key(&content.event.subject);
        self.send_record(OutputRecord::new(
            self.topics.content.as_str().into(),
            key,
            encode_content(content),
        ))
        .await
    }

    /// Publishes a scored event, as a stage other than the classifier would.
    pub async fn send_scored(&self, scored: &ScoredEvent) -> Published {
        let key = record_key(&scored.event.subject);
        self.send_record(OutputRecord::new(
            self.topics.scores.as_str().into(),
            key,
            encode_scored(scored),
        ))
        .await
    }

    /// Publishes a record as it is.
    pub async fn send_record(&self, record: OutputRecord) -> Published {
        self.publisher
            .publish(record)
            .await
            .expect("the broker takes the record")
    }

    /// Reads the decisions.
    pub fn decisions(&self) -> Feed<Decision> {
        self.feed(&self.topics.decisions, |record| {
            decode_decision(&record.value).expect("a decision is valid")
        })
    }

    /// Reads the actions.
    pub fn actions(&self) -> Feed<EnforcementAction> {
        self.feed(&self.topics.actions, |record| {
            decode_action(&record.value).expect("an action is valid")
        })
    }

    /// Reads the review requests.
    pub fn reviews(&self) -> Feed<ReviewRequest> {
        self.feed(&self.topics.review, |record| {
            decode_review(&record.value).expect("a review request is valid")
        })
    }

    /// Reads the dead letters.
    pub fn dead_letters(&self) -> Feed<Record> {
        self.feed(&self.topics.dead_letter, Record::clone)
    }

    fn feed<T>(&self, topic: &str, read: fn(&Record) -> T) -> Feed<T> {
        Feed::start(&self.kafka, topic, read)
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
}

fn create_topics(broker: &InProcessBroker, topics: &Topics, partitions: u16) {
    let spread = [
        &topics.content,
        &topics.content_urgent,
        &topics.scores,
        &topics.decisions,
        &topics.actions,
        &topics.review,
        &topics.dead_letter,
    ];
    let single = [&topics.control, &topics.audit, &topics.replicas];
    let sized = spread
        .map(|topic| (topic, partitions))
        .into_iter()
        .chain(single.map(|topic| (topic, 1)));
    for (topic, partitions) in sized {
        broker
            .create_topic(topic, partitions)
            .expect("the topic can be created");
    }
}

/// Writes configurations and starts processes from them.
struct Launch<'a> {
    directory: &'a Path,
    kafka: &'a KafkaOptions,
}

impl Launch<'_> {
    fn control_plane(&self, endpoint: SocketAddr, policy: &Path) -> Process {
        let deployment = repository().join("deploy/config/deployment.toml");
        let head = format!(
            "listen = \"{endpoint}\"\nbootstrap_policy = {policy:?}\nbootstrap_deployment = {deployment:?}\n"
        );
        self.start("control-plane", &head, "")
    }

    fn classifier(&self) -> Process {
        let bundles = repository().join("deploy/models");
        self.start(
            "classifier",
            "",
            &format!("[inference]\nbundle_directory = {bundles:?}\nworkers = 1\n"),
        )
    }

    fn enforcer(&self) -> Process {
        self.start("enforcer", "", "")
    }

    fn start(&self, name: &'static str, head: &str, tail: &str) -> Process {
        let telemetry = free_address();
        let kafka = format!("brokers = \"{}\"\n[kafka.consumer]\n", self.kafka.brokers)
            + &self
                .kafka
                .consumer
                .iter()
                .map(|(key, value)| format!("{key:?} = {value:?}\n"))
                .collect::<String>();
        let config =
            format!("{head}[process]\ntelemetry_address = \"{telemetry}\"\n[kafka]\n{kafka}{tail}");
        let path = self.directory.join(format!("{name}.toml"));
        std::fs::write(&path, config).expect("the configuration can be written");
        Process::start(name, self.directory, &path, telemetry)
    }
}

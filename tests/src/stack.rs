//! The whole pipeline as separate processes.

use std::path::PathBuf;
use std::process::Output;

use kafka_pipeline::{InProcessBroker, KafkaOptions, OutputRecord, Published, Publisher, Record};
use moderation::{ContentEvent, Decision, EnforcementAction, ReviewRequest, ScoredEvent};
use moderation_wire::{
    Topics, decode_action, decode_decision, decode_review, encode_content, encode_scored,
    record_key,
};

use crate::launch::{Launch, Stage};
use crate::process::Process;
use crate::{Feed, repository};

/// What a [`Stack`] is started with.
pub struct StackOptions {
    /// The bootstrap policy; the shipped one by default.
    pub policy: PathBuf,
    /// Partitions of content, scores, decisions, actions, review and dead-letter.
    pub partitions: u16,
    /// On how many brokers each record lies; the in-process broker is one.
    pub replication: u16,
}

impl Default for StackOptions {
    fn default() -> Self {
        Self {
            policy: repository().join("deploy/policies/default.toml"),
            partitions: 4,
            replication: 1,
        }
    }
}

/// Control plane, classifier and enforcer as processes of their own.
pub struct Stack {
    /// The names of the topics.
    pub topics: Topics,
    /// The control plane.
    pub control_plane: Process,
    /// The classifier.
    pub classifier: Process,
    /// The enforcer.
    pub enforcer: Process,
    /// Starts more replicas.
    pub launch: Launch,
    publisher: Publisher,
    // Ends last: the processes and the publisher speak to it.
    _broker: Option<InProcessBroker>,
}

impl Stack {
    /// Starts everything on a broker in this process, and waits until all of it is ready.
    pub async fn start(options: StackOptions) -> Self {
        let broker = InProcessBroker::start().expect("the broker starts");
        create_topics(&broker, &Topics::default(), options.partitions);
        let kafka = broker.options().expect("the broker has an address");
        let launch = Launch::new(kafka, Topics::DEFAULT_PREFIX).with_policy(options.policy);
        let mut stack = Self::launch(launch, Some(broker));
        stack.ready().await;
        stack
    }

    /// Makes topics on Apache Kafka that begin with `topic_prefix`, starts everything, and waits until all of it is ready.
    pub async fn start_on(kafka: KafkaOptions, topic_prefix: &str, options: StackOptions) -> Self {
        let launch = Launch::new(kafka, topic_prefix).with_policy(options.policy);
        launch
            .make_topics(options.partitions, options.replication)
            .await;
        Self::start_by(launch).await
    }

    /// Starts everything on topics that exist, and waits until all of it is ready.
    pub async fn start_by(launch: Launch) -> Self {
        let mut stack = Self::launch(launch, None);
        stack.ready().await;
        stack
    }

    fn launch(launch: Launch, broker: Option<InProcessBroker>) -> Self {
        Self {
            topics: launch.topics(),
            control_plane: launch.start(Stage::ControlPlane, "control-plane-0"),
            classifier: launch.start(Stage::Classifier, "classifier-0"),
            enforcer: launch.start(Stage::Enforcer, "enforcer-0"),
            publisher: Publisher::new(launch.kafka()).expect("the options are valid"),
            launch,
            _broker: broker,
        }
    }

    async fn ready(&mut self) {
        self.control_plane.ready().await;
        self.classifier.ready().await;
        self.enforcer.ready().await;
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
        Feed::start(self.launch.kafka(), topic, read)
    }

    /// Runs `tidegate ARGS` against this control plane, as an operator would.
    pub async fn tidegate(&self, args: &[&str]) -> Output {
        self.launch.tidegate(args).await
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

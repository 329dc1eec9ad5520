//! What came of [`Traffic`](crate::traffic::Traffic), read when nothing flows any more, and held against the promises.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kafka_pipeline::{Follower, FollowerConfig, FollowerEvent, KafkaOptions, Record};
use moderation::{Decision, PolicyVersion};
use moderation_wire::{Topics, decode_action, decode_decision, decode_review};
use tokio::time::timeout;

use crate::traffic::{number_of, subject};

/// How long one record may take to be read.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// Everything that the stages have published.
pub struct Reckoning {
    decisions: Vec<(Record, Decision)>,
    actions: Outputs,
    reviews: Outputs,
    dead_letters: usize,
}

/// The different bytes of each output, by its id and the policy that it was decided under.
type Outputs = HashMap<(String, PolicyVersion), BTreeSet<Vec<u8>>>;

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Events that were sent.
    pub events: u64,
    /// Decisions beyond one for each event.
    pub repeated: u64,
}

impl Reckoning {
    /// Reads all topics to their ends.
    pub async fn read(kafka: &KafkaOptions, topics: &Topics) -> Self {
        let decisions = records(kafka, &topics.decisions).await;
        let actions = records(kafka, &topics.actions).await;
        let reviews = records(kafka, &topics.review).await;
        let action_id = |record: &Record| {
            let action = decode_action(&record.value).expect("an action is valid");
            (action.action_id.to_string(), action.policy_version)
        };
        let task_id = |record: &Record| {
            let review = decode_review(&record.value).expect("a review request is valid");
            (review.task_id.to_string(), review.policy_version)
        };
        Self {
            decisions: decisions
                .into_iter()
                .map(|record| {
                    let decision = decode_decision(&record.value).expect("a decision is valid");
                    (record, decision)
                })
                .collect(),
            actions: by_id(actions, action_id),
            reviews: by_id(reviews, task_id),
            dead_letters: records(kafka, &topics.dead_letter).await.len(),
        }
    }

    /// Checks that each of `events` events was decided, that what came twice under the same versions is the same to the
    /// byte, that everything a decision names has come and nothing else, and that subjects kept their order.
    ///
    /// # Panics
    /// If anything is otherwise.
    pub fn check(&self, events: u64) -> Totals {
        assert_eq!(self.dead_letters, 0, "nothing is put aside");
        let decided: BTreeSet<u64> = self.numbers().collect();
        let lost: Vec<u64> = (0..events)
            .filter(|event| !decided.contains(event))
            .collect();
        assert_eq!(lost, Vec::<u64>::new(), "each event is decided");
        assert_eq!(decided.len() as u64, events, "nothing else is decided");
        self.check_repetitions();
        self.check_outputs();
        self.check_order(events);
        Totals {
            events,
            repeated: self.decisions.len() as u64 - events,
        }
    }

    /// Returns the decisions under a policy, with when each was handed to the producer, in milliseconds since the Unix
    /// epoch.
    pub fn under(&self, policy: PolicyVersion) -> impl Iterator<Item = (i64, &Decision)> {
        let under = self
            .decisions
            .iter()
            .filter(move |(_, decision)| decision.policy_version == policy);
        under.map(|(record, decision)| (record.timestamp_ms, decision))
    }

    fn numbers(&self) -> impl Iterator<Item = u64> {
        let each = self.decisions.iter();
        each.map(|(_, decision)| number_of(decision.event_id.as_str()))
    }

    fn check_repetitions(&self) {
        let mut first = HashMap::new();
        for (record, decision) in &self.decisions {
            let versions = (decision.policy_version, decision.deployment_version);
            let same = first
                .entry((decision.event_id.clone(), versions))
                .or_insert(&record.value);
            assert_eq!(*same, &record.value, "{} differs", decision.event_id);
        }
        for ((id, _), outputs) in self.actions.iter().chain(&self.reviews) {
            assert_eq!(outputs.len(), 1, "{id} differs");
        }
    }

    fn check_outputs(&self) {
        let named = |ids: Vec<String>| ids.into_iter().collect::<BTreeSet<String>>();
        let actions = self
            .decisions
            .iter()
            .flat_map(|(_, decision)| &decision.action_ids);
        let actions = named(actions.map(ToString::to_string).collect());
        let reviews = self
            .decisions
            .iter()
            .filter_map(|(_, decision)| decision.review_task_id.as_ref());
        let reviews = named(reviews.map(ToString::to_string).collect());
        assert!(!actions.is_empty(), "spam has consequences");
        assert_eq!(named(ids(&self.actions)), actions);
        assert_eq!(named(ids(&self.reviews)), reviews);
    }

    /// What is read again after a crash comes again, so of each event the first decision counts.
    fn check_order(&self, events: u64) {
        let mut places = BTreeMap::new();
        for (record, decision) in &self.decisions {
            let number = number_of(decision.event_id.as_str());
            places
                .entry(number)
                .or_insert((record.partition, record.offset));
        }
        let mut last = HashMap::new();
        for number in 0..events {
            let place = places[&number];
            let before = last.insert(subject(number), place);
            if let Some(before) = before {
                assert_eq!(before.0, place.0, "a subject stays in its partition");
                assert!(
                    before.1 < place.1,
                    "event {number} overtook one of its subject"
                );
            }
        }
    }
}

fn ids(outputs: &Outputs) -> Vec<String> {
    outputs.keys().map(|(id, _)| id.clone()).collect()
}

fn by_id(records: Vec<Record>, id: impl Fn(&Record) -> (String, PolicyVersion)) -> Outputs {
    let mut by_id = Outputs::new();
    for record in records {
        by_id.entry(id(&record)).or_default().insert(record.value);
    }
    by_id
}

/// Reads everything that a topic holds, in the order of each partition.
pub async fn records(kafka: &KafkaOptions, topic: &str) -> Vec<Record> {
    let mut all = Vec::new();
    for partition in partitions(kafka, topic).await {
        let config = FollowerConfig {
            partitions: Some(vec![partition]),
            ..FollowerConfig::from_beginning(kafka.clone(), topic)
        };
        let (_follower, mut events) =
            Follower::channel(config, 1024).expect("the topic can be followed");
        loop {
            let event = timeout(PATIENCE, events.recv()).await;
            match event
                .expect("the topic can be read")
                .expect("it is followed")
            {
                FollowerEvent::Record(record) => all.push(record),
                FollowerEvent::EndOfPartition(_) => break,
                FollowerEvent::Disconnected => {}
                FollowerEvent::Failed(error) => panic!("{topic}: {error}"),
            }
        }
    }
    all
}

async fn partitions(kafka: &KafkaOptions, topic: &str) -> std::ops::Range<i32> {
    let admin = kafka_pipeline::Admin::new(kafka).expect("the options are valid");
    let described = admin.describe(&[topic]).await.expect("the brokers answer");
    let count = described.found[0].partitions;
    0..i32::try_from(count).expect("partitions are few")
}

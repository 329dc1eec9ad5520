//! Following and heartbeats against the in-process broker.

use std::sync::Arc;
use std::time::Duration;

use control_state::{
    Change, ControlEntry, ControlFollower, ControlView, FollowerOptions, HeartbeatOptions,
    Heartbeats, History, Phase, PolicyDocument, Replica, ReplicaId, Stage, StageOptions,
    TopicOptions, VersionedPolicy,
};
use kafka_pipeline::{
    Follower, FollowerConfig, FollowerEvent, InProcessBroker, OutputRecord, ProduceFault, Publisher,
};
use moderation::PolicyVersion;
use moderation_wire::{Topics, v1};
use prost::Message;
use service_runtime::ServiceContext;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longer than what is waited for takes on a busy machine, and shorter than a producer tries.
const PATIENCE: Duration = Duration::from_secs(30);
const CONTROL: &str = "t.control";
const REPLICAS: &str = "t.replicas";

struct Cluster {
    broker: InProcessBroker,
    publisher: Publisher,
}

impl Cluster {
    fn start() -> Self {
        let broker = InProcessBroker::start().unwrap();
        for topic in [CONTROL, REPLICAS] {
            broker.create_topic(topic, 1).unwrap();
        }
        let publisher = Publisher::new(&broker.options().unwrap()).unwrap();
        Self { broker, publisher }
    }

    fn follow(&self) -> ControlFollower {
        ControlFollower::start(FollowerOptions {
            kafka: self.broker.options().unwrap(),
            topic: CONTROL.to_owned(),
            stage: "test",
            history: History::HeadsOnly,
        })
        .unwrap()
    }

    /// Returns the offset behind the record.
    async fn write(&self, key: &str, value: Vec<u8>) -> u64 {
        let record = OutputRecord::new(Arc::from(CONTROL), key, value);
        let published = self.publisher.publish(record).await.unwrap();
        u64::try_from(published.offset).unwrap() + 1
    }

    async fn change_policy(&self, version: u64, text: &str) -> u64 {
        let policy = VersionedPolicy {
            version: PolicyVersion(version),
            content: PolicyDocument::new(text),
            change: Change::default(),
        };
        let head = ControlEntry::PolicyHead(policy);
        self.write(&head.key().to_string(), head.encode()).await
    }

    fn hear(&self) -> (Follower, mpsc::Receiver<FollowerEvent>) {
        let config = FollowerConfig::from_beginning(self.broker.options().unwrap(), REPLICAS);
        Follower::channel(config, 16).unwrap()
    }

    fn speak(&self, view: ControlView) -> (Replica, Heartbeats) {
        let options = HeartbeatOptions {
            id: ReplicaId::new("r-1").unwrap(),
            stage: "enforcer",
            address: String::new(),
            topic: REPLICAS.to_owned(),
            publisher: self.publisher.clone(),
        };
        Heartbeats::new(options, view)
    }
}

async fn next_heartbeat(heard: &mut mpsc::Receiver<FollowerEvent>) -> v1::ReplicaHeartbeat {
    loop {
        if let FollowerEvent::Record(record) = heard.recv().await.unwrap() {
            assert_eq!(record.key.as_deref(), Some(b"r-1".as_slice()));
            return v1::ReplicaHeartbeat::decode(record.value.as_slice()).unwrap();
        }
    }
}

#[tokio::test]
async fn an_empty_topic_is_caught_up_with_and_shows_nothing() {
    let cluster = Cluster::start();
    let follower = cluster.follow();
    let state = follower.view().reach(0).await.unwrap();
    assert!(state.policies().head().is_none());
    assert!(follower.view().policy().borrow().is_none());
    let standing = follower.view().standing().borrow().clone();
    assert_eq!(
        (standing.phase, standing.control_offset),
        (Phase::Current, 0)
    );
}

#[tokio::test]
async fn what_was_written_before_asking_is_confirmed() {
    let cluster = Cluster::start();
    let follower = cluster.follow();
    for version in 1..10 {
        let offset = cluster.change_policy(version, "a").await;
        let state = timeout(PATIENCE, follower.confirm())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(state.control_offset(), offset);
        assert_eq!(state.policies().head().unwrap().version.0, version);
    }
}

#[tokio::test]
async fn only_the_last_head_is_shown_and_then_every_change() {
    let cluster = Cluster::start();
    cluster.change_policy(1, "old").await;
    cluster.change_policy(2, "serving").await;
    let follower = cluster.follow();
    let mut policy = follower.view().policy();
    let shown = policy
        .wait_for(Option::is_some)
        .await
        .unwrap()
        .clone()
        .unwrap();
    assert_eq!((shown.version.0, shown.content.text()), (2, "serving"));

    let offset = cluster.change_policy(3, "next").await;
    follower.view().reach(offset).await.unwrap();
    assert!(policy.has_changed().unwrap());
    assert_eq!(policy.borrow_and_update().as_ref().unwrap().version.0, 3);
}

#[tokio::test]
async fn records_that_mean_nothing_stop_nobody() {
    let cluster = Cluster::start();
    cluster.change_policy(1, "serving").await;
    let follower = cluster.follow();
    follower.view().reach(0).await.unwrap();
    let mut policy = follower.view().policy();
    policy.borrow_and_update();
    for (key, value) in [
        ("policy/head", &b"\xff"[..]),
        ("brakes", b""),
        ("policy/version/9", b""),
    ] {
        cluster.write(key, value.to_vec()).await;
    }
    let offset = cluster
        .change_policy(1, "another under the same number")
        .await;
    follower.view().reach(offset).await.unwrap();
    assert!(!policy.has_changed().unwrap());
}

#[tokio::test]
async fn a_broker_that_comes_back_is_caught_up_with() {
    let cluster = Cluster::start();
    cluster.change_policy(1, "before").await;
    let follower = cluster.follow();
    let view = follower.view();
    view.reach(0).await.unwrap();

    cluster.broker.take_down().unwrap();
    let mut standing = view.standing();
    standing
        .wait_for(|standing| standing.phase == Phase::Stale)
        .await
        .unwrap();
    // What serves goes on being shown: whether to use it is the stage's to say.
    assert_eq!(view.policy().borrow().as_ref().unwrap().version.0, 1);

    cluster.broker.bring_up().unwrap();
    let offset = cluster.change_policy(2, "after").await;
    view.reach(offset).await.unwrap();
    assert_eq!(view.policy().borrow().as_ref().unwrap().version.0, 2);
}

#[tokio::test]
async fn a_replica_tells_its_changes_and_says_goodbye() {
    let cluster = Cluster::start();
    let offset = cluster.change_policy(4, "serving").await;
    let follower = cluster.follow();
    follower.view().reach(offset).await.unwrap();
    let (_hearing, mut heard) = cluster.hear();
    let (replica, heartbeats) = cluster.speak(follower.view());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(heartbeats.run());

    let first = next_heartbeat(&mut heard).await;
    assert_eq!(
        (first.policy_version, first.ready, first.control_offset),
        (0, false, offset)
    );

    replica.acknowledge_policy(PolicyVersion(4));
    replica.set_ready(true, "");
    let mut next = next_heartbeat(&mut heard).await;
    while !next.ready {
        next = next_heartbeat(&mut heard).await;
    }
    assert_eq!(next.policy_version, 4);

    replica.leave();
    tasks.join_next().await.unwrap().unwrap().unwrap();
    let mut last = next_heartbeat(&mut heard).await;
    while !last.leaving {
        last = next_heartbeat(&mut heard).await;
    }
}

#[tokio::test]
async fn leaving_does_not_wait_for_brokers_that_are_away() {
    let cluster = Cluster::start();
    let follower = cluster.follow();
    follower.view().reach(0).await.unwrap();
    let (_hearing, mut heard) = cluster.hear();
    let (replica, heartbeats) = cluster.speak(follower.view());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(heartbeats.run());
    next_heartbeat(&mut heard).await;

    cluster.broker.take_down().unwrap();
    // The publisher holds a heartbeat that no broker takes.
    let unacknowledged = async {
        while cluster.publisher.in_flight() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, unacknowledged).await.unwrap();
    replica.leave();
    let ended = timeout(PATIENCE, tasks.join_next()).await;
    ended.unwrap().unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_stage_that_nobody_can_hear_ends() {
    let cluster = Cluster::start();
    cluster
        .broker
        .fail_produce_requests(&[ProduceFault::NotAuthorised])
        .unwrap();
    let context = ServiceContext::standalone("test");
    let options = StageOptions {
        stage: "test",
        replica_id: None,
        kafka: &cluster.broker.options().unwrap(),
        topic_prefix: "t",
        topics: &Topics::new("t"),
        inputs: vec!["t.in".to_owned()],
        outputs: Vec::new(),
        topic_options: &TopicOptions::default(),
        pipeline: &kafka_pipeline::PipelineOptions::default(),
        limits: &moderation::Limits::default(),
        drain_deadline: PATIENCE,
    };
    let stage = Stage::start(&options, "nothing serves", &context).unwrap();
    let needed = std::future::pending::<anyhow::Result<()>>();
    let ended = timeout(PATIENCE, stage.before_consuming(needed, &context)).await;
    let error = format!("{:#}", ended.unwrap().unwrap_err());
    assert!(
        error.contains("heartbeats cannot be sent") && error.contains("access refused"),
        "{error}"
    );
    stage.leave().await;
}

#[tokio::test]
async fn wrong_settings_are_refused_at_once() {
    let options = FollowerOptions {
        kafka: kafka_pipeline::KafkaOptions::new(""),
        topic: CONTROL.to_owned(),
        stage: "test",
        history: History::HeadsOnly,
    };
    assert!(ControlFollower::start(options).is_err());
}

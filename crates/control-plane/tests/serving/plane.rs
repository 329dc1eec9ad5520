//! A broker, a control plane, and the ways to ask both.

use std::path::PathBuf;
use std::sync::Arc;

use control_plane::{Config, ControlPlane};
use control_state::{
    ControlFollower, FollowerOptions, HeartbeatOptions, Heartbeats, History, Replica, ReplicaId,
};
use kafka_pipeline::{
    Follower, FollowerConfig, FollowerEvent, InProcessBroker, OutputRecord, Publisher, Record,
};
use moderation_wire::Topics;
use moderation_wire::v1;
use moderation_wire::v1::model_service_client::ModelServiceClient;
use moderation_wire::v1::policy_service_client::PolicyServiceClient;
use moderation_wire::v1::status_service_client::StatusServiceClient;
use prost::Message;
use service_runtime::ServiceContext;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckResponse;

/// The policy that ships: what is tested here is tested with what people run.
pub(crate) const POLICY: &str = include_str!("../../../../deploy/policies/default.toml");

pub(crate) struct Cluster {
    pub(crate) broker: InProcessBroker,
    pub(crate) topics: Topics,
    pub(crate) publisher: Publisher,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let broker = InProcessBroker::start().unwrap();
        let topics = Topics::default();
        for topic in [&topics.control, &topics.audit, &topics.replicas] {
            broker.create_topic(topic, 1).unwrap();
        }
        let publisher = Publisher::new(&broker.options().unwrap()).unwrap();
        Self {
            broker,
            topics,
            publisher,
        }
    }

    pub(crate) fn config(&self) -> Config {
        let mut kafka = self.broker.options().unwrap();
        // This broker keeps a place for who has left for the session timeout, less a second.
        for (key, value) in [
            ("session.timeout.ms", "1500"),
            ("heartbeat.interval.ms", "100"),
        ] {
            kafka.consumer.insert(key.to_owned(), value.to_owned());
        }
        let mut config = Config::new(kafka);
        config.listen.set_port(0);
        config
    }

    /// Returns all records that a topic has now.
    pub(crate) async fn records(&self, topic: &str) -> Vec<Record> {
        let config = FollowerConfig::from_beginning(self.broker.options().unwrap(), topic);
        let (_follower, mut events) = Follower::channel(config, 64).unwrap();
        let mut records = Vec::new();
        loop {
            match events.recv().await.unwrap() {
                FollowerEvent::Record(record) => records.push(record),
                FollowerEvent::EndOfPartition(_) => return records,
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) async fn audited(&self) -> Vec<v1::AuditRecord> {
        let records = self.records(&self.topics.audit).await;
        records
            .iter()
            .map(|record| v1::AuditRecord::decode(record.value.as_slice()).unwrap())
            .collect()
    }

    /// Speaks once for a replica that nobody runs.
    pub(crate) async fn speak_for(&self, heartbeat: v1::ReplicaHeartbeat) {
        let topic = Arc::from(self.topics.replicas.as_str());
        let key = heartbeat.replica_id.clone();
        let record = OutputRecord::new(topic, key, heartbeat.encode_to_vec());
        self.publisher.publish(record).await.unwrap();
    }
}

/// A control plane that serves.
pub(crate) struct Plane {
    channel: Channel,
    context: ServiceContext,
    serving: JoinSet<anyhow::Result<()>>,
}

impl Plane {
    /// Starts one and waits until it has read the control topic.
    pub(crate) async fn start(config: Config) -> Self {
        let plane = ControlPlane::bind(config).unwrap();
        let endpoint = format!("http://{}", plane.local_address().unwrap());
        let context = ServiceContext::standalone("control-plane");
        let mut serving = JoinSet::new();
        serving.spawn(plane.serve(context.clone()));
        let channel = Channel::from_shared(endpoint)
            .unwrap()
            .connect()
            .await
            .unwrap();
        let plane = Self {
            channel,
            context,
            serving,
        };
        plane.until_healthy().await;
        plane
    }

    pub(crate) async fn watch_health(&self) -> tonic::Streaming<HealthCheckResponse> {
        let mut client = tonic_health::pb::health_client::HealthClient::new(self.channel.clone());
        let service = "tidegate.v1.PolicyService".to_owned();
        let request = tonic_health::pb::HealthCheckRequest { service };
        client.watch(request).await.unwrap().into_inner()
    }

    async fn until_healthy(&self) {
        let mut health = self.watch_health().await;
        while health.message().await.unwrap().unwrap().status
            != tonic_health::ServingStatus::Serving as i32
        {}
    }

    pub(crate) async fn stop(mut self) {
        self.context.shutdown().cancel();
        self.serving.join_next().await.unwrap().unwrap().unwrap();
    }

    /// Ends it, in order or not.
    pub(crate) async fn stop_somehow(mut self) {
        self.context.shutdown().cancel();
        let ended = self.serving.join_next().await.unwrap().unwrap();
        drop(ended);
    }

    /// Waits until the control plane has ended by itself.
    pub(crate) async fn failure(mut self) -> String {
        let error = self
            .serving
            .join_next()
            .await
            .unwrap()
            .unwrap()
            .unwrap_err();
        self.context.shutdown().cancel();
        format!("{error:#}")
    }

    pub(crate) fn policies(&self) -> PolicyServiceClient<Channel> {
        PolicyServiceClient::new(self.channel.clone())
    }

    pub(crate) fn models(&self) -> ModelServiceClient<Channel> {
        ModelServiceClient::new(self.channel.clone())
    }

    pub(crate) fn status(&self) -> StatusServiceClient<Channel> {
        StatusServiceClient::new(self.channel.clone())
    }

    pub(crate) async fn apply(
        &self,
        document: &str,
        options: v1::WriteOptions,
    ) -> Result<v1::WriteOutcome, Status> {
        let request = v1::ApplyPolicyRequest {
            document: document.to_owned(),
            options: Some(options),
        };
        let response = self.policies().apply_policy(request).await?;
        Ok(response.into_inner().outcome.unwrap())
    }

    pub(crate) async fn set_threshold(
        &self,
        rule: &str,
        threshold: u32,
        options: v1::WriteOptions,
    ) -> Result<v1::WriteOutcome, Status> {
        let request = v1::SetThresholdRequest {
            rule_id: rule.to_owned(),
            threshold,
            layer: String::new(),
            options: Some(options),
        };
        let response = self.policies().set_threshold(request).await?;
        Ok(response.into_inner().outcome.unwrap())
    }

    pub(crate) async fn roll_back(
        &self,
        to_version: u64,
        options: v1::WriteOptions,
    ) -> Result<v1::WriteOutcome, Status> {
        let request = v1::RollbackPolicyRequest {
            to_version,
            options: Some(options),
        };
        let response = self.policies().rollback_policy(request).await?;
        Ok(response.into_inner().outcome.unwrap())
    }

    pub(crate) async fn policy(&self, version: u64) -> Result<v1::GetPolicyResponse, Status> {
        let request = v1::GetPolicyRequest {
            version,
            min_offset: 0,
        };
        Ok(self.policies().get_policy(request).await?.into_inner())
    }
}

pub(crate) fn on(expected_version: u64) -> v1::WriteOptions {
    v1::WriteOptions {
        expected_version,
        author: "ann".to_owned(),
        reason: "a test".to_owned(),
        wait: v1::Wait::None as i32,
        wait_timeout_ms: 0,
    }
}

pub(crate) fn and_wait(options: v1::WriteOptions, wait_timeout_ms: u32) -> v1::WriteOptions {
    v1::WriteOptions {
        wait: v1::Wait::All as i32,
        wait_timeout_ms,
        ..options
    }
}

#[track_caller]
pub(crate) fn check_refused<T: std::fmt::Debug>(
    result: Result<T, Status>,
    code: Code,
    words: &str,
) {
    let status = result.unwrap_err();
    assert_eq!(status.code(), code, "{status:?}");
    assert!(status.message().contains(words), "{}", status.message());
}

/// Returns a valid policy that differs from the shipped one.
pub(crate) fn other_policy() -> String {
    let other = POLICY.replacen("threshold = 0.985", "threshold = 0.975", 1);
    assert_ne!(other, POLICY);
    other
}

pub(crate) fn deployment(digit: &str) -> v1::Deployment {
    v1::Deployment {
        bundles: vec![v1::DeployedBundle {
            digest: digit.repeat(64),
            name: "screen".to_owned(),
            version: format!("{digit}.0.0"),
            role: v1::BundleRole::Serving as i32,
            path: format!("screen-{digit}"),
        }],
        direct_messages: v1::DirectMessageScope::Reported as i32,
    }
}

/// What a fake enforcer does with every policy that it sees.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Acknowledge,
    Refuse,
    Nothing,
}

/// A stage that follows and answers as real ones do, and enforces nothing.
pub(crate) struct FakeEnforcer {
    _follower: ControlFollower,
    _tasks: JoinSet<()>,
    _replica: Replica,
}

impl FakeEnforcer {
    /// Starts one and waits until the control plane counts it as live.
    pub(crate) async fn start(cluster: &Cluster, plane: &Plane, id: &str, answer: Answer) -> Self {
        let follower = ControlFollower::start(FollowerOptions {
            kafka: cluster.broker.options().unwrap(),
            topic: cluster.topics.control.clone(),
            stage: "enforcer",
            history: History::HeadsOnly,
        })
        .unwrap();
        let view = follower.view();
        view.reach(0).await.unwrap();
        let options = HeartbeatOptions {
            id: ReplicaId::new(id).unwrap(),
            stage: "enforcer",
            address: String::new(),
            topic: cluster.topics.replicas.clone(),
            publisher: cluster.publisher.clone(),
        };
        let (replica, heartbeats) = Heartbeats::new(options, view.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { heartbeats.run().await.unwrap() });
        tasks.spawn(answer_policies(view, replica.clone(), answer));
        until_live(plane, id).await;
        Self {
            _follower: follower,
            _tasks: tasks,
            _replica: replica,
        }
    }
}

async fn answer_policies(view: control_state::ControlView, replica: Replica, answer: Answer) {
    let mut policy = view.policy();
    loop {
        let version = policy
            .borrow_and_update()
            .as_ref()
            .map(|policy| policy.version);
        match (version, answer) {
            (Some(version), Answer::Acknowledge) => replica.acknowledge_policy(version),
            (Some(version), Answer::Refuse) => replica.refuse_policy(version, "too large for me"),
            (None, _) | (_, Answer::Nothing) => {}
        }
        if policy.changed().await.is_err() {
            return;
        }
    }
}

pub(crate) async fn until_live(plane: &Plane, id: &str) {
    until_status(plane, |status| {
        status.replicas.iter().any(|replica| {
            replica.live
                && replica
                    .heartbeat
                    .as_ref()
                    .is_some_and(|heartbeat| heartbeat.replica_id == id)
        })
    })
    .await;
}

/// Waits for a status on the stream that people watch.
pub(crate) async fn until_status(
    plane: &Plane,
    is_expected: impl Fn(&v1::Status) -> bool,
) -> v1::Status {
    let mut statuses = plane
        .status()
        .watch_status(v1::WatchStatusRequest {})
        .await
        .unwrap()
        .into_inner();
    loop {
        let status = statuses.message().await.unwrap().unwrap().status.unwrap();
        if is_expected(&status) {
            return status;
        }
    }
}

/// Writes a file that lives as long as the returned directory.
pub(crate) fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, text).unwrap();
    (directory, path)
}

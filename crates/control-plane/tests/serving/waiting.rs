//! Waiting for replicas.

use moderation_wire::v1;
use tonic::Code;

use crate::plane::{
    Answer, Cluster, FakeEnforcer, POLICY, Plane, and_wait, check_refused, deployment, on,
    until_live,
};

/// Longer than any answer takes on a busy machine.
const LONG_MS: u32 = 60_000;

#[tokio::test]
async fn with_nobody_to_wait_for_nothing_is_written() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    let refused = plane.apply(POLICY, and_wait(on(0), LONG_MS)).await;
    check_refused(refused, Code::FailedPrecondition, "no live enforcer");
    check_refused(
        plane.policy(0).await,
        Code::FailedPrecondition,
        "no policy serves yet",
    );
    assert!(cluster.records(&cluster.topics.control).await.is_empty());
    plane.stop().await;
}

#[tokio::test]
async fn a_write_returns_when_all_live_replicas_have_acknowledged() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    let _a = FakeEnforcer::start(&cluster, &plane, "a", Answer::Acknowledge).await;
    let _b = FakeEnforcer::start(&cluster, &plane, "b", Answer::Acknowledge).await;
    for version in 0..3 {
        let outcome = plane
            .apply(POLICY, and_wait(on(version), LONG_MS))
            .await
            .unwrap();
        assert_eq!(outcome.version, version + 1);
        assert_eq!(
            (outcome.acknowledged_by, outcome.lagging),
            (vec!["a".to_owned(), "b".to_owned()], vec![])
        );
    }
    plane.stop().await;
}

#[tokio::test]
async fn who_refuses_or_does_not_answer_is_named() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    let _a = FakeEnforcer::start(&cluster, &plane, "a", Answer::Acknowledge).await;
    let _b = FakeEnforcer::start(&cluster, &plane, "b", Answer::Refuse).await;
    let outcome = plane.apply(POLICY, and_wait(on(0), LONG_MS)).await.unwrap();
    assert_eq!(outcome.acknowledged_by, ["a"]);
    let refusal = "refused; goes on with policy 0: refused policy 1: too large for me";
    check_lagging(&outcome, &[("b", refusal)]);

    let _c = FakeEnforcer::start(&cluster, &plane, "c", Answer::Nothing).await;
    let outcome = plane.apply(POLICY, and_wait(on(1), 1_000)).await.unwrap();
    assert_eq!(
        (outcome.version, outcome.acknowledged_by.as_slice()),
        (2, &["a".to_owned()][..])
    );
    let refusal = "refused; goes on with policy 0: refused policy 2: too large for me";
    check_lagging(&outcome, &[("b", refusal), ("c", "still serves policy 0")]);
    plane.stop().await;
}

#[track_caller]
fn check_lagging(outcome: &v1::WriteOutcome, expected: &[(&str, &str)]) {
    let lagging: Vec<(&str, &str)> = outcome
        .lagging
        .iter()
        .map(|problem| (problem.replica_id.as_str(), problem.detail.as_str()))
        .collect();
    assert_eq!(lagging, expected);
}

#[tokio::test]
async fn a_replica_that_dies_is_named_before_the_wait_is_over() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    let heartbeat = v1::ReplicaHeartbeat {
        replica_id: "mute".to_owned(),
        stage: "enforcer".to_owned(),
        ..Default::default()
    };
    cluster.speak_for(heartbeat).await;
    until_live(&plane, "mute").await;
    let outcome = plane.apply(POLICY, and_wait(on(0), LONG_MS)).await.unwrap();
    assert!(outcome.acknowledged_by.is_empty());
    assert_eq!(outcome.lagging[0].replica_id, "mute");
    assert!(
        outcome.lagging[0].detail.starts_with("silent for 3."),
        "{outcome:?}"
    );
    plane.stop().await;
}

#[tokio::test]
async fn a_deployment_waits_for_classifiers_alone() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    let _enforcer = FakeEnforcer::start(&cluster, &plane, "a", Answer::Acknowledge).await;
    let deploy = async || {
        let request = v1::DeployRequest {
            deployment: Some(deployment("a")),
            options: Some(and_wait(on(0), LONG_MS)),
        };
        plane
            .models()
            .deploy(request)
            .await
            .map(|response| response.into_inner().outcome.unwrap())
    };
    check_refused(
        deploy().await,
        Code::FailedPrecondition,
        "no live classifier",
    );
    let classifier = v1::ReplicaHeartbeat {
        replica_id: "c".to_owned(),
        stage: "classifier".to_owned(),
        // It has it already: acknowledging a later version is acknowledging this one.
        deployment_version: 7,
        ..Default::default()
    };
    cluster.speak_for(classifier).await;
    until_live(&plane, "c").await;
    assert_eq!(deploy().await.unwrap().acknowledged_by, ["c"]);
    plane.stop().await;
}

//! Starting: bootstrap, restart, what cannot start, what cannot go on.

use std::time::Duration;

use control_plane::{ControlPlane, deployment_toml};
use kafka_pipeline::ProduceFault;
use moderation::Deployment;
use service_runtime::ServiceContext;
use tonic::Code;

use crate::plane::{Cluster, POLICY, Plane, check_refused, deployment, file, on, other_policy};

/// Longer than an end takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn an_empty_topic_is_bootstrapped_once() {
    let cluster = Cluster::start();
    let (_directory, policy) = file("policy.toml", POLICY);
    let first = Deployment::try_from(deployment("a")).unwrap();
    let (_other, deployed) = file("deployment.toml", &deployment_toml(&first));
    let mut config = cluster.config();
    config.bootstrap_policy = Some(policy.clone());
    config.bootstrap_deployment = Some(deployed);
    let plane = Plane::start(config.clone()).await;
    let serving = bootstrapped(&plane).await;
    assert_eq!((serving.version, serving.document.as_str()), (1, POLICY));
    assert_eq!(serving.change.unwrap().author, "bootstrap");
    plane.apply(&other_policy(), on(1)).await.unwrap();
    plane.stop().await;

    // The files are still there, and so is what was changed since.
    let plane = Plane::start(config).await;
    let serving = plane.policy(0).await.unwrap().policy.unwrap();
    assert_eq!((serving.version, serving.document), (2, other_policy()));
    plane.apply(POLICY, on(2)).await.unwrap();
    assert_eq!(
        plane.policy(1).await.unwrap().policy.unwrap().document,
        POLICY
    );
    let request = moderation_wire::v1::GetDeploymentRequest::default();
    let deployed = plane
        .models()
        .get_deployment(request)
        .await
        .unwrap()
        .into_inner()
        .deployment
        .unwrap();
    assert_eq!(
        (deployed.version, deployed.deployment),
        (1, Some(deployment("a")))
    );
    plane.stop().await;
}

/// Bootstrapping goes on while reads are served already; both records of both changes are four.
async fn bootstrapped(plane: &Plane) -> moderation_wire::v1::PolicyVersion {
    let request = moderation_wire::v1::GetPolicyRequest {
        version: 0,
        min_offset: 4,
    };
    plane
        .policies()
        .get_policy(request)
        .await
        .unwrap()
        .into_inner()
        .policy
        .unwrap()
}

#[tokio::test]
async fn a_version_without_a_head_shows_nowhere_and_hinders_nobody() {
    use control_state::{Change, ControlEntry, PolicyDocument, VersionedPolicy};
    let cluster = Cluster::start();
    let half = ControlEntry::PolicyVersion(VersionedPolicy {
        version: moderation::PolicyVersion(1),
        content: PolicyDocument::new("abandoned half-way"),
        change: Change::default(),
    });
    let topic = std::sync::Arc::from(cluster.topics.control.as_str());
    let record = kafka_pipeline::OutputRecord::new(topic, half.key().to_string(), half.encode());
    cluster.publisher.publish(record).await.unwrap();

    let plane = Plane::start(cluster.config()).await;
    check_refused(
        plane.policy(1).await,
        Code::NotFound,
        "there is no policy 1",
    );
    assert_eq!(plane.apply(POLICY, on(0)).await.unwrap().version, 1);
    assert_eq!(
        plane.policy(1).await.unwrap().policy.unwrap().document,
        POLICY
    );
    plane.stop().await;
}

#[tokio::test]
async fn whoever_watches_health_does_not_hold_the_end_up() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    let mut health = plane.watch_health().await;
    let mut last = health.message().await.unwrap();
    let watching = async {
        while let Ok(Some(answer)) = health.message().await {
            last = Some(answer);
        }
    };
    let both = async { tokio::join!(plane.stop(), watching) };
    tokio::time::timeout(PATIENCE, both).await.unwrap();
    let not_serving = tonic_health::ServingStatus::NotServing as i32;
    assert_eq!(last.unwrap().status, not_serving);
}

#[tokio::test]
async fn topics_whose_records_would_have_no_one_order_are_refused() {
    let cluster = Cluster::start();
    let mut config = cluster.config();
    config.topic_prefix = "spread".to_owned();
    for topic in ["control", "audit"] {
        let topic = format!("spread.{topic}");
        cluster.broker.create_topic(&topic, 5).unwrap();
    }
    let plane = ControlPlane::bind(config).unwrap();
    let context = ServiceContext::standalone("control-plane");
    let ended = tokio::time::timeout(PATIENCE, plane.serve(context)).await;
    let said = format!("{:#}", ended.unwrap().unwrap_err());
    for problem in [
        "topic spread.control: partitions is 5, must be 1",
        "topic spread.audit: partitions is 5, must be 1",
        "topic spread.replicas is missing",
    ] {
        assert!(said.contains(problem), "{said}");
    }
}

#[tokio::test]
async fn a_broker_that_refuses_heartbeats_ends_the_service() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    cluster
        .broker
        .fail_produce_requests(&[ProduceFault::NotAuthorised; 16])
        .unwrap();
    let failure = plane.failure().await;
    assert!(
        failure.contains("writing heartbeats") && failure.contains("access refused"),
        "{failure}"
    );
}

#[tokio::test]
async fn brokers_that_are_away_do_not_hold_the_end_up() {
    let cluster = Cluster::start();
    let plane = Plane::start(cluster.config()).await;
    plane.apply(POLICY, on(0)).await.unwrap();
    cluster.broker.take_down().unwrap();
    let mut policies = plane.policies();
    let request = moderation_wire::v1::SetThresholdRequest {
        rule_id: "hate-review".to_owned(),
        threshold: 910,
        layer: String::new(),
        options: Some(on(1)),
    };
    let both = async { tokio::join!(policies.set_threshold(request), plane.stop_somehow()).0 };
    let answer = tokio::time::timeout(PATIENCE, both).await.unwrap();
    check_refused(answer, Code::Unavailable, "");
}

#[track_caller]
fn check_unstartable(
    cluster: &Cluster,
    change: impl FnOnce(&mut control_plane::Config),
    words: &[&str],
) {
    let mut config = cluster.config();
    change(&mut config);
    let error = format!("{:#}", ControlPlane::bind(config).unwrap_err());
    assert!(words.iter().all(|word| error.contains(word)), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[tokio::test]
async fn what_cannot_start_says_why_in_one_line() {
    let cluster = Cluster::start();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let port = address.to_string();
    check_unstartable(
        &cluster,
        |c| c.listen = address,
        &["cannot listen on", &port, "in use", "`listen`"],
    );
    check_unstartable(
        &cluster,
        |c| c.bootstrap_policy = Some("/nowhere/p.toml".into()),
        &["bootstrap_policy", "/nowhere/p.toml"],
    );
    let (_a, policy) = file("bad-policy.toml", "schema = 1\n");
    check_unstartable(
        &cluster,
        |c| c.bootstrap_policy = Some(policy),
        &["bootstrap_policy", "bad-policy.toml", "lint"],
    );
    let (_b, deployment) = file("bad-deployment.toml", "[[bundle]]\npath = \"a\"\n");
    check_unstartable(
        &cluster,
        |c| c.bootstrap_deployment = Some(deployment),
        &[
            "bootstrap_deployment",
            "bad-deployment.toml",
            "missing field `digest`",
        ],
    );
}

//! An event goes through all stages to its decision.

use kafka_pipeline::KafkaOptions;
use moderation::DeploymentVersion;
use tidegate_tests::kafka::{Cluster, unique_prefix};
use tidegate_tests::{Stack, StackOptions, samples};

/// Starts everything under a prefix of its own, and sends one event.
pub(crate) async fn check(kafka: KafkaOptions, name: &str) {
    let stack = Stack::start_on(kafka, &unique_prefix(name), StackOptions::default()).await;
    let mut decisions = stack.decisions();
    stack.send(&samples::comment("e-1", samples::SPAM)).await;
    let decision = decisions.next().await;
    assert_eq!(decision.event_id.as_str(), "e-1");
    assert_eq!(decision.deployment_version, DeploymentVersion(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_decided() {
    check(Cluster::shared().kafka_options(), "flow").await;
}

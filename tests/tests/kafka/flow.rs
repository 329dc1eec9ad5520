//! An event goes through all stages to its decision.

use moderation::DeploymentVersion;
use tidegate_tests::kafka::{Cluster, Mechanism, unique_prefix};
use tidegate_tests::{Stack, StackOptions, samples};

use kafka_pipeline::KafkaOptions;

async fn check(kafka: KafkaOptions, name: &str) {
    let stack = Stack::start_on(kafka, &unique_prefix(name), StackOptions::default()).await;
    let mut decisions = stack.decisions();
    stack.send(&samples::comment("e-1", samples::SPAM)).await;
    let decision = decisions.next().await;
    assert_eq!(decision.event_id.as_str(), "e-1");
    assert_eq!(decision.deployment_version, DeploymentVersion(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_encryption() {
    check(Cluster::shared().kafka_options(), "plain").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_password_over_tls() {
    let options = Cluster::shared().secure_options(Mechanism::Plain);
    check(options, "sasl-plain").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_proofs_of_a_password_over_tls() {
    let cluster = Cluster::shared();
    check(
        cluster.secure_options(Mechanism::ScramSha512),
        "sasl-scram-512",
    )
    .await;
    check(
        cluster.secure_options(Mechanism::ScramSha256),
        "sasl-scram-256",
    )
    .await;
}

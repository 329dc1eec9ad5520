//! Over TLS and with a password everything is as without; whose password or authority is wrong is told so.

use kafka_pipeline::KafkaOptions;
use tidegate_tests::kafka::{Cluster, Mechanism, unique_prefix};
use tidegate_tests::{Launch, Stage, repository};

use crate::{flow, refusal};

const STAGES: [Stage; 3] = [Stage::ControlPlane, Stage::Classifier, Stage::Enforcer];
const WRONG_PASSWORD: &str = "hunter2-is-wrong";

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_decided_with_a_password_over_tls() {
    let options = Cluster::shared().secure_options(Mechanism::Plain);
    flow::check(options, "sasl-plain").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_decided_with_proof_of_a_password_over_tls() {
    let options = Cluster::shared().secure_options(Mechanism::ScramSha512);
    flow::check(options, "sasl-scram").await;
}

async fn check(kafka: KafkaOptions, expected: &[&str]) {
    let launch = Launch::new(kafka, unique_prefix("refused"));
    for stage in STAGES {
        let log = refusal::check(&launch, stage, expected).await;
        assert!(!log.contains(WRONG_PASSWORD), "{stage:?}: {log}");
    }
}

fn with_client_setting(mut options: KafkaOptions, key: &str, value: &str) -> KafkaOptions {
    options.client.insert(key.to_owned(), value.to_owned());
    options
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_refused() {
    for mechanism in [Mechanism::Plain, Mechanism::ScramSha256] {
        let options = Cluster::shared().secure_options(mechanism);
        let options = with_client_setting(options, "sasl.password", WRONG_PASSWORD);
        check(
            options,
            &["refused by the brokers", "Authentication failed"],
        )
        .await;
    }
}

/// Certificates are replaced while stages run, so that one that does not fit may fit soon: it is said, and waited for.
#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_did_not_sign_is_named() {
    let other = repository().join("tests/certificates/other-ca.pem");
    let options = Cluster::shared().secure_options(Mechanism::Plain);
    let options = with_client_setting(options, "ssl.ca.location", &other.display().to_string());
    let launch = Launch::new(options, unique_prefix("unsigned"));
    for stage in STAGES {
        let mut process = launch.start(stage, &format!("{stage:?}"));
        process.says("certificate verify failed").await;
        process.says("ssl.ca.location").await;
        let status = process.terminate().await;
        assert!(status.success(), "{stage:?}: {}", process.log());
    }
}

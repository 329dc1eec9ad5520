//! Topics that are missing or wrong, and records that a topic does not take.

use kafka_pipeline::{Admin, KafkaOptions, NewTopic, dead_letter};
use moderation_wire::Topics;
use tidegate_tests::kafka::{Cluster, unique_prefix};
use tidegate_tests::{Launch, Stack, Stage, samples};

use crate::refusal;

async fn make(kafka: &KafkaOptions, name: &str, partitions: u16, settings: &[(&str, &str)]) {
    let settings = settings.iter();
    let topic = NewTopic {
        name: name.to_owned(),
        partitions,
        replication: 1,
        settings: settings
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    };
    let admin = Admin::new(kafka).expect("the options are valid");
    let made = admin.create(&[topic]).await.expect("the broker answers");
    assert_eq!(made[0].outcome, Ok(true), "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_topics_are_named_with_the_command_that_makes_them() {
    let launch = Launch::new(Cluster::shared().kafka_options(), unique_prefix("missing"));
    let topics = launch.topics();
    for (stage, topic) in [
        (Stage::ControlPlane, &topics.audit),
        (Stage::Classifier, &topics.content),
        (Stage::Enforcer, &topics.decisions),
    ] {
        let expected = [topic.as_str(), "is missing", "tidegate topics apply"];
        refusal::check(&launch, stage, &expected).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_cannot_be_what_their_records_need_are_named() {
    let kafka = Cluster::shared().kafka_options();
    let prefix = unique_prefix("wrong");
    let topics = Topics::new(&prefix);
    make(&kafka, &topics.control, 2, &[("cleanup.policy", "delete")]).await;
    make(
        &kafka,
        &topics.dead_letter,
        4,
        &[("max.message.bytes", "1048588")],
    )
    .await;
    let launch = Launch::new(kafka, prefix);
    // Makes what is missing, and says what differs.
    let applied = launch.try_make_topics(4, 1).await;
    assert!(!applied.status.success(), "{applied:?}");

    let partitions = format!("{}: partitions is 2, must be 1", topics.control);
    let compaction = format!(
        "{}: cleanup.policy is delete, must be compact",
        topics.control
    );
    let size = format!("{}: max.message.bytes is 1048588", topics.dead_letter);
    refusal::check(&launch, Stage::ControlPlane, &[&partitions, &compaction]).await;
    refusal::check(
        &launch,
        Stage::Classifier,
        &[&partitions, &compaction, &size],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leads_to_a_record_that_is_too_large_is_put_aside() {
    let kafka = Cluster::shared().kafka_options();
    let prefix = unique_prefix("large");
    let topics = Topics::new(&prefix);
    // No scored event fits.
    make(&kafka, &topics.scores, 4, &[("max.message.bytes", "200")]).await;
    let launch = Launch::new(kafka, prefix);
    launch.try_make_topics(4, 1).await;
    let stack = Stack::start_by(launch).await;
    let mut letters = stack.dead_letters();
    stack
        .send(&samples::comment("e-1", samples::HARMLESS))
        .await;
    let letter = letters.next().await;
    let reason = letter.headers.get(dead_letter::REASON);
    assert_eq!(reason, Some(dead_letter::OUTPUT_TOO_LARGE.as_bytes()));
}

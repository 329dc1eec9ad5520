//! A change is whole or absent, whenever the control plane dies.

use std::sync::Arc;
use std::time::Duration;

use moderation_wire::v1;
use moderation_wire::v1::control_record::Record;
use prost::Message;
use tidegate_tests::kafka::{Cluster, unique_prefix};
use tidegate_tests::reckoning::records;
use tidegate_tests::{Launch, Stage};
use tokio::time::{Instant, sleep_until};
use toml::toml;

const KILLS: u64 = 20;

/// Kills the control plane at another moment of a change each time, from before it is asked to after it has answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_during_kill_9_is_whole_or_absent() {
    let launch = Arc::new(Launch::new(
        Cluster::shared().kafka_options(),
        unique_prefix("atomicity"),
    ));
    launch.make_topics(1, 1).await;
    let quick = toml! {
        [kafka.consumer]
        "session.timeout.ms" = "1000"
        "heartbeat.interval.ms" = "200"
    };
    let mut control_plane = launch.start_with(Stage::ControlPlane, "control-plane", quick);
    let mut made = 0;
    for kill in 0..KILLS {
        control_plane.ready().await;
        let leads = kill as usize + 1;
        control_plane
            .says_times("this control plane leads", leads)
            .await;
        control_plane.says("bootstrapped object=deployment").await;
        assert!(change(&launch, kill).await);
        made += 1;
        let asked = Instant::now();
        let changing = {
            let launch = Arc::clone(&launch);
            let changed = async move { change(&launch, kill + 100).await };
            let mut tasks = tokio::task::JoinSet::new();
            tasks.spawn(changed);
            tasks
        };
        sleep_until(asked + Duration::from_millis(10 * kill)).await;
        control_plane.kill().await;
        made += u64::from(changing.join_all().await == [true]);
        control_plane.start_again();
    }
    control_plane
        .says_times("this control plane leads", KILLS as usize + 1)
        .await;
    assert!(change(&launch, 0).await);
    assert!(
        control_plane.terminate().await.success(),
        "{}",
        control_plane.log()
    );

    let (kafka, topics) = (launch.kafka(), launch.topics());
    let (mut versions, mut heads) = (Vec::new(), Vec::new());
    for record in records(kafka, &topics.control).await {
        let record = v1::ControlRecord::decode(record.value.as_slice()).expect("it is valid");
        match record.record {
            Some(Record::PolicyVersion(version)) => versions.push(version),
            Some(Record::PolicyHead(head)) => heads.push(head),
            _ => {}
        }
    }
    let audited: Vec<u64> = records(kafka, &topics.audit)
        .await
        .iter()
        .map(|record| v1::AuditRecord::decode(record.value.as_slice()).expect("it is valid"))
        .filter(|audit| audit.object == "policy")
        .map(|audit| audit.to_version)
        .collect();
    // Every version has its head and its audit record, and there is no gap.
    let numbers: Vec<u64> = versions.iter().map(|version| version.version).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert!(
        heads == versions,
        "a version is what serves once it is there"
    );
    assert_eq!(audited, numbers);
    println!(
        "atomicity: {} versions, of which {} were acknowledged, after {KILLS} kills",
        numbers.len(),
        made + 2
    );
    assert!(
        numbers.len() as u64 >= made + 2,
        "what was acknowledged is there"
    );
}

/// Returns whether the change is known to have been made.
async fn change(launch: &Launch, number: u64) -> bool {
    let threshold = format!("0.{:03}", 500 + number);
    let args = [
        "policy",
        "set-threshold",
        "spam-demote",
        &threshold,
        "--reason",
        "test",
    ];
    launch.tidegate(&args).await.status.success()
}

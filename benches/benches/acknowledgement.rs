//! How long it takes until every replica has acknowledged a change: `wait = ALL` on Apache Kafka.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use kafka_pipeline::KafkaOptions;
use moderation_wire::v1::policy_service_client::PolicyServiceClient;
use moderation_wire::v1::{SetThresholdRequest, Wait, WriteOptions};
use tidegate_benches::{Bench, run};
use tidegate_tests::kafka::unique_prefix;
use tidegate_tests::traffic::{Decided, Traffic};
use tidegate_tests::{Launch, Process, Stage};
use tokio::time::sleep;
use tonic::transport::Channel;

/// Enough for a 99th percentile that is not the worst of all.
const CHANGES: usize = 300;
const EVENTS_PER_SECOND: u64 = 500;
const REPLICAS: u64 = 2;
const PARTITIONS: u16 = 8;
/// A rule of the shipped policy, and two thresholds for it in thousandths.
const RULE: &str = "spam-demote";
const THRESHOLDS: [u32; 2] = [900, 910];

fn main() -> anyhow::Result<()> {
    run(
        "acknowledgement",
        "two replicas of each stage as processes, 500 events/s, on the Apache Kafka at TIDEGATE_BROKERS \
         (127.0.0.1:9092, where `cargo xtask kafka` listens); from the request until all have acknowledged",
        |bench| {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(measure(bench))
        },
    )
}

async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let brokers = std::env::var("TIDEGATE_BROKERS").unwrap_or("127.0.0.1:9092".to_owned());
    let launch = Launch::new(KafkaOptions::new(brokers), unique_prefix("acknowledgement"));
    launch.make_topics(PARTITIONS, 1).await;
    let mut processes = start(&launch).await;
    let (kafka, topics) = (launch.kafka(), launch.topics());
    let traffic = Traffic::start(kafka, &topics.content, EVENTS_PER_SECOND);
    Decided::follow(kafka, &topics.decisions)
        .until_all(1000)
        .await;

    let endpoint = format!("http://{}", launch.endpoint());
    let channel = Channel::from_shared(endpoint)?.connect().await?;
    let mut policies = PolicyServiceClient::new(channel);
    let mut delays = Vec::new();
    for number in 1..=bench.amount(CHANGES) {
        sleep(pause(number)).await;
        let asked = Instant::now();
        change(&mut policies, number as u64).await?;
        delays.push(asked.elapsed().as_secs_f64() * 1e3);
    }
    bench.record("threshold change, acknowledged by all", "ms", &delays);

    traffic.stop().await;
    for process in &mut processes {
        process.terminate().await;
    }
    Ok(())
}

/// The control plane at the installation's own address starts first, and leads.
async fn start(launch: &Launch) -> Vec<Process> {
    let leader = launch.start(Stage::ControlPlane, "control-plane-0");
    leader.says("bootstrapped object=deployment").await;
    let elsewhere = toml::Table::from_iter([("listen".to_owned(), "127.0.0.1:0".into())]);
    let standby = launch.start_with(Stage::ControlPlane, "control-plane-1", elsewhere);
    let mut processes = vec![leader, standby];
    for replica in 0..REPLICAS {
        for stage in [Stage::Classifier, Stage::Enforcer] {
            processes.push(launch.start(stage, &format!("{}-{replica}", stage.name())));
        }
    }
    for process in &mut processes {
        process.ready().await;
    }
    processes
}

async fn change(policies: &mut PolicyServiceClient<Channel>, number: u64) -> anyhow::Result<()> {
    let options = WriteOptions {
        expected_version: number,
        author: "bench".to_owned(),
        reason: "measuring".to_owned(),
        wait: Wait::All.into(),
        wait_timeout_ms: 0,
    };
    let request = SetThresholdRequest {
        rule_id: RULE.to_owned(),
        threshold: THRESHOLDS[number as usize % 2],
        layer: String::new(),
        options: Some(options),
    };
    let response = policies.set_threshold(request).await?.into_inner();
    let outcome = response.outcome.context("the answer has no outcome")?;
    let by = outcome.acknowledged_by.len() as u64;
    anyhow::ensure!(by == REPLICAS, "{:?}", outcome.lagging);
    Ok(())
}

/// Lets changes fall at all distances from heartbeats, commits and ticks.
fn pause(number: usize) -> Duration {
    Duration::from_millis((number * 37 % 100) as u64)
}

//! Stages that are killed or replaced under load lose nothing and contradict nothing.

use tidegate_tests::kafka::{Cluster, unique_prefix};
use tidegate_tests::reckoning::Reckoning;
use tidegate_tests::traffic::{Decided, Traffic};
use tidegate_tests::{Launch, Process, Stage};
use toml::toml;

const STAGES: [Stage; 3] = [Stage::ControlPlane, Stage::Classifier, Stage::Enforcer];
const ROUNDS: usize = 20;
const EVENTS_PER_SECOND: u64 = 300;
const PARTITIONS: u16 = 4;

/// Groups notice quickly who is gone, so that a round takes seconds.
fn quick() -> toml::Table {
    toml! {
        [kafka.consumer]
        "session.timeout.ms" = "1500"
        "heartbeat.interval.ms" = "300"
    }
}

struct Installation {
    launch: Launch,
    traffic: Traffic,
    decided: Decided,
}

impl Installation {
    async fn start(name: &str) -> Self {
        let launch = Launch::new(Cluster::shared().kafka_options(), unique_prefix(name));
        launch.make_topics(PARTITIONS, 1).await;
        let (kafka, topics) = (launch.kafka(), launch.topics());
        Self {
            traffic: Traffic::start(kafka, &topics.content, EVENTS_PER_SECOND),
            decided: Decided::follow(kafka, &topics.decisions),
            launch,
        }
    }

    /// Waits until something that is sent from now on is decided.
    async fn goes_on(&mut self) {
        self.decided.until(self.traffic.sent()).await;
    }

    async fn end(mut self, name: &str, mut processes: Vec<Process>) {
        let events = self.traffic.stop().await;
        self.decided.until_all(events).await;
        for process in &mut processes {
            let status = process.terminate().await;
            assert!(status.success(), "{}", process.log());
        }
        let reckoning = Reckoning::read(self.launch.kafka(), &self.launch.topics()).await;
        println!("{name}: {:?}", reckoning.check(events));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_times_kill_9_of_each_stage_loses_nothing() {
    let mut installation = Installation::start("crashes").await;
    let start = |stage: Stage| installation.launch.start_with(stage, stage.name(), quick());
    let mut processes: Vec<Process> = STAGES.into_iter().map(start).collect();
    for _ in 0..ROUNDS {
        for process in &mut processes {
            process.ready().await;
        }
        installation.goes_on().await;
        for process in &mut processes {
            process.kill().await;
            process.start_again();
        }
    }
    installation.end("crashes", processes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_rolling_restarts_of_two_replicas_each_lose_nothing() {
    let mut installation = Installation::start("rolling").await;
    let mut processes = Vec::new();
    for replica in ["a", "b"] {
        for stage in STAGES {
            let mut extra = quick();
            if stage == Stage::ControlPlane {
                extra.insert("listen".to_owned(), "127.0.0.1:0".into());
            }
            let name = format!("{}-{replica}", stage.name());
            processes.push(installation.launch.start_with(stage, &name, extra));
        }
    }
    for process in &mut processes {
        process.ready().await;
    }
    for _ in 0..ROUNDS {
        for process in &mut processes {
            let status = process.terminate().await;
            assert!(status.success(), "{}", process.log());
            process.start_again();
            process.ready().await;
        }
        installation.goes_on().await;
    }
    installation.end("rolling", processes).await;
}

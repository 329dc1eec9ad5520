//! Brokers that go away and come back.

use std::time::Duration;

use tidegate_tests::kafka::{Cluster, ClusterOptions, unique_prefix};
use tidegate_tests::reckoning::Reckoning;
use tidegate_tests::traffic::{Decided, Traffic};
use tidegate_tests::{Launch, Process, Stage};
use tokio::time::{Instant, timeout};

const RESTARTS: usize = 3;
/// What unoptimised stages can catch up with.
const EVENTS_PER_SECOND: u64 = 300;
const STAGES: [Stage; 3] = [Stage::ControlPlane, Stage::Classifier, Stage::Enforcer];
/// From the broker's being back until everything that was sent by then is decided.
const MOST_TO_RECOVER: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_and_restarted_under_load_costs_nothing_but_time() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await;
    let launch = Launch::new(cluster.kafka_options(), unique_prefix("outage"));
    launch.make_topics(4, 1).await;
    let (kafka, topics) = (launch.kafka().clone(), launch.topics());
    let start = |stage: Stage| launch.start(stage, stage.name());
    let mut processes: Vec<Process> = STAGES.into_iter().map(start).collect();
    for process in &mut processes {
        process.ready().await;
    }
    let traffic = Traffic::start(&kafka, &topics.content, EVENTS_PER_SECOND);
    let mut decided = Decided::follow(&kafka, &topics.decisions);
    decided.until_all(1000).await;

    for _ in 0..RESTARTS {
        cluster.kill(1).await;
        cluster.restart(1).await;
        let back = Instant::now();
        let recovered = timeout(MOST_TO_RECOVER, decided.until(traffic.sent())).await;
        let logs: Vec<String> = processes.iter().map(Process::log).collect();
        let logs = logs.join("\n");
        assert!(recovered.is_ok(), "not within {MOST_TO_RECOVER:?}:\n{logs}");
        println!(
            "outage: all decided {:?} after the broker was back",
            back.elapsed()
        );
    }

    // Long enough for everybody to notice that what they know of the policy may be out of date. Groups may lose their
    // members too, whose places are kept for the session timeout after that.
    cluster.kill(1).await;
    processes[2].says("what is known of it is stale").await;
    cluster.restart(1).await;
    let back = Instant::now();
    decided.until(traffic.sent()).await;
    println!(
        "long outage: all decided {:?} after the broker was back",
        back.elapsed()
    );

    let events = traffic.stop().await;
    decided.until_all(events).await;
    for process in &mut processes {
        assert!(process.terminate().await.success(), "{}", process.log());
    }
    let reckoning = Reckoning::read(&kafka, &topics).await;
    println!("outage: {:?}", reckoning.check(events));
}

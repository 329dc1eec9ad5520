//! A process that stands still is named, and when it goes on it enforces nothing that was taken back.

use std::time::{SystemTime, UNIX_EPOCH};

use moderation::PolicyVersion;
use tidegate_tests::kafka::{Cluster, unique_prefix};
use tidegate_tests::reckoning::Reckoning;
use tidegate_tests::traffic::{Decided, Traffic};
use tidegate_tests::{Launch, Stage};
use toml::toml;

const CHANGE: [&str; 7] = [
    "policy",
    "set-threshold",
    "spam-demote",
    "0.5",
    "--reason",
    "test",
    "--wait",
];

#[expect(
    clippy::disallowed_methods,
    reason = "it is compared with when producers say that they made a record"
)]
fn wall_clock_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

/// Groups notice quickly who is gone.
fn quick() -> toml::Table {
    toml! {
        [kafka.consumer]
        "session.timeout.ms" = "1500"
        "heartbeat.interval.ms" = "300"
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enforcer_that_stood_still_decides_nothing_under_the_old_policy() {
    let launch = Launch::new(
        Cluster::shared().kafka_options(),
        unique_prefix("standstill"),
    );
    launch.make_topics(4, 1).await;
    let (kafka, topics) = (launch.kafka().clone(), launch.topics());
    let mut processes = vec![
        launch.start(Stage::ControlPlane, "control-plane"),
        launch.start(Stage::Classifier, "classifier"),
        launch.start_with(Stage::Enforcer, "enforcer-a", quick()),
        launch.start_with(Stage::Enforcer, "enforcer-b", quick()),
    ];
    for process in &mut processes {
        process.ready().await;
    }
    let traffic = Traffic::start(&kafka, &topics.content, 500);
    let mut decided = Decided::follow(&kafka, &topics.decisions);
    decided.until_all(1000).await;

    processes[3].freeze();
    let changed = launch.tidegate(&CHANGE).await;
    let said = format!("{changed:?}");
    assert!(!changed.status.success(), "a replica lags: {said}");
    assert!(
        said.contains("acknowledged by enforcer-a"),
        "the one that works acknowledges: {said}"
    );
    assert!(
        said.contains("not acknowledged by enforcer-b: silent for"),
        "the one that stands still is named: {said}"
    );
    let taken_back = wall_clock_ms();
    processes[3].thaw();
    processes[3].says("this process stood still").await;

    decided.until(traffic.sent()).await;
    let events = traffic.stop().await;
    decided.until_all(events).await;
    // Both have acknowledged now.
    let again = launch
        .tidegate(&[
            "policy",
            "set-threshold",
            "spam-demote",
            "0.6",
            "--reason",
            "test",
            "--wait",
        ])
        .await;
    assert!(again.status.success(), "{again:?}");
    for process in &mut processes {
        assert!(process.terminate().await.success(), "{}", process.log());
    }
    let reckoning = Reckoning::read(&kafka, &topics).await;
    println!("standstill: {:?}", reckoning.check(events));
    let late: Vec<_> = reckoning
        .under(PolicyVersion(1))
        .filter(|(made_ms, _)| *made_ms > taken_back)
        .map(|(_, decision)| decision.event_id.to_string())
        .collect();
    assert_eq!(
        late,
        Vec::<String>::new(),
        "decided under what was taken back"
    );
    assert!(reckoning.under(PolicyVersion(1)).count() > 0);
    assert!(reckoning.under(PolicyVersion(2)).count() > 0);
}

/// Another one leads meanwhile; what the old leader had been asked for is not written, and it stands by.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_stood_still_writes_nothing() {
    let launch = Launch::new(Cluster::shared().kafka_options(), unique_prefix("fenced"));
    launch.make_topics(1, 1).await;
    let other = tidegate_tests::free_address().to_string();
    let mut first = launch.start(Stage::ControlPlane, "first");
    first.ready().await;
    first.says("this control plane leads").await;
    let listen = toml::Table::from_iter([("listen".to_owned(), other.clone().into())]);
    let mut second = launch.start_with(Stage::ControlPlane, "second", listen);
    second.ready().await;

    let change = async |threshold: &str, arguments: &[&str]| {
        let change = [
            "policy",
            "set-threshold",
            "spam-demote",
            threshold,
            "--reason",
            "test",
        ];
        let on_version_1 = ["--expected-version", "1"];
        launch
            .tidegate(&[&change[..], &on_version_1[..], arguments].concat())
            .await
    };
    first.freeze();
    second.says("this control plane leads").await;
    let changed = change("0.5", &["--endpoint", &other]).await;
    assert!(changed.status.success(), "{changed:?}");

    first.thaw();
    // It may still take itself for the leader.
    let changed = change("0.6", &[]).await;
    assert!(!changed.status.success(), "{changed:?}");
    first.says("this control plane stands by").await;
    let history = ["policy", "history", "--json", "--endpoint", &other];
    let history = launch.tidegate(&history).await;
    let history: serde_json::Value =
        serde_json::from_slice(&history.stdout).expect("the history is JSON");
    assert_eq!(
        history["versions"].as_array().map(Vec::len),
        Some(2),
        "{history}"
    );
    for process in [&mut first, &mut second] {
        assert!(process.terminate().await.success(), "{}", process.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_that_stands_by_reads_and_says_who_writes() {
    let launch = Launch::new(Cluster::shared().kafka_options(), unique_prefix("standby"));
    launch.make_topics(1, 1).await;
    let other = format!("http://{}", tidegate_tests::free_address());
    let listen = other.trim_start_matches("http://").to_owned();
    let mut leader = launch.start_with(Stage::ControlPlane, "leader", quick());
    leader.says("this control plane leads").await;
    let mut extra = quick();
    extra.insert("listen".to_owned(), listen.into());
    let mut standby = launch.start_with(Stage::ControlPlane, "standby", extra);
    standby.ready().await;

    let set = async |threshold: &str| {
        let args = [
            "policy",
            "set-threshold",
            "spam-demote",
            threshold,
            "--reason",
            "test",
            "--endpoint",
            &other,
        ];
        launch.tidegate(&args).await
    };
    // The command line asks who leads, and goes there.
    assert!(set("0.5").await.status.success());
    let status = launch
        .tidegate(&["status", "--json", "--endpoint", &other])
        .await;
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).expect("JSON");
    assert_eq!(status["leads"], false, "{status}");
    assert_eq!(status["policy_version"], 2, "{status}");

    leader.kill().await;
    // Who asks meanwhile waits for the next leader.
    let changed = set("0.6").await;
    assert!(changed.status.success(), "{changed:?}\n{}", standby.log());
    standby.says("this control plane leads").await;
    leader.start_again();
    leader.ready().await;
    assert!(standby.terminate().await.success(), "{}", standby.log());
    let changed = launch
        .tidegate(&["policy", "rollback", "1", "--reason", "test"])
        .await;
    assert!(changed.status.success(), "{changed:?}");
    assert!(leader.terminate().await.success(), "{}", leader.log());
}

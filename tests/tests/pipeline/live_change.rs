//! A policy and a model change while traffic flows: at once, for every event, and for none twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use moderation::{Decision, DeploymentVersion, PolicyVersion};
use tidegate_tests::{Feed, Stack, StackOptions, samples};
use tokio::time::{Instant, interval};

/// From the command to the first decision under what it changed.
const MOST_FOR_A_THRESHOLD: Duration = Duration::from_secs(1);
const MOST_FOR_A_MODEL: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn changes_reach_every_later_event_and_lose_none() {
    let stack = Arc::new(Stack::start(StackOptions::default()).await);
    let traffic = Traffic::start(Arc::clone(&stack));
    let mut decisions = stack.decisions();
    let mut seen = BTreeMap::new();
    collect_until(&mut decisions, &mut seen, |decision| {
        decision.event_id.as_str() == "t-50"
    })
    .await;

    let changed = Instant::now();
    succeed(
        &stack,
        &[
            "policy",
            "set-threshold",
            "spam-demote",
            "0.5",
            "--reason",
            "test",
            "--wait",
        ],
    )
    .await;
    // Every replica has acknowledged: what is sent from here on is decided under the new policy.
    let policy_mark = traffic.sent();
    collect_until(&mut decisions, &mut seen, |decision| {
        decision.policy_version == PolicyVersion(2)
    })
    .await;
    check_shown_within(MOST_FOR_A_THRESHOLD, changed);

    let changed = Instant::now();
    let deploy = [
        "model",
        "deploy",
        "--bundle",
        "deploy/models/screen-lite",
        "--reason",
        "test",
        "--wait",
    ];
    succeed(&stack, &deploy).await;
    let deployment_mark = traffic.sent();
    collect_until(&mut decisions, &mut seen, |decision| {
        decision.deployment_version == DeploymentVersion(2)
    })
    .await;
    check_shown_within(MOST_FOR_A_MODEL, changed);

    let total = traffic.stop().await;
    while seen.len() < total as usize {
        remember(decisions.next().await, &mut seen);
    }

    let digests = |decision: &Decision| {
        decision
            .bundles
            .iter()
            .map(|bundle| bundle.digest.clone())
            .collect::<Vec<_>>()
    };
    let first = digests(&seen[&0]);
    for (number, decision) in &seen {
        assert_eq!(decision.bundles.len(), 1, "one bundle speaks");
        let is_first = decision.deployment_version == DeploymentVersion(1);
        assert_eq!(
            digests(decision) == first,
            is_first,
            "the bundle is that of the deployment"
        );
        if *number > policy_mark {
            assert_eq!(
                decision.policy_version,
                PolicyVersion(2),
                "event {number} came after the change"
            );
        }
        if *number > deployment_mark {
            assert_eq!(
                decision.deployment_version,
                DeploymentVersion(2),
                "event {number} came after the change"
            );
        }
    }
    assert!(seen.keys().copied().eq(0..total), "each event is decided");
}

#[track_caller]
fn check_shown_within(most: Duration, changed: Instant) {
    let taken = changed.elapsed();
    assert!(taken < most, "the change showed after {taken:?}");
}

async fn collect_until(
    decisions: &mut Feed<Decision>,
    seen: &mut BTreeMap<u64, Decision>,
    is_enough: impl Fn(&Decision) -> bool,
) {
    loop {
        let decision = decisions.next().await;
        let enough = is_enough(&decision);
        remember(decision, seen);
        if enough {
            return;
        }
    }
}

fn remember(decision: Decision, seen: &mut BTreeMap<u64, Decision>) {
    let number = decision
        .event_id
        .as_str()
        .trim_start_matches("t-")
        .parse()
        .expect("ids are numbered");
    let before = seen.insert(number, decision);
    assert!(before.is_none(), "event {number} is decided once");
}

async fn succeed(stack: &Stack, args: &[&str]) {
    let output = stack.tidegate(args).await;
    assert!(
        output.status.success(),
        "tidegate {args:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Comments at a steady pace, numbered from 0.
struct Traffic {
    sent: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Traffic {
    fn start(stack: Arc<Stack>) -> Self {
        let (sent, stop) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let mut pace = interval(Duration::from_millis(2));
        let (counter, stopped) = (Arc::clone(&sent), Arc::clone(&stop));
        #[expect(clippy::disallowed_methods, reason = "the handle is awaited by `stop`")]
        let task = tokio::spawn(async move {
            while !stopped.load(Ordering::Acquire) {
                pace.tick().await;
                let number = counter.load(Ordering::Acquire);
                let text = if number.is_multiple_of(3) {
                    samples::SPAM
                } else {
                    samples::HARMLESS
                };
                // Each text is new, so that no cache answers for the model.
                stack
                    .send(&samples::comment(
                        &format!("t-{number}"),
                        &format!("{text} {number}"),
                    ))
                    .await;
                counter.fetch_add(1, Ordering::Release);
            }
        });
        Self { sent, stop, task }
    }

    /// Returns how many events have been taken by the broker; the next one may be under way.
    fn sent(&self) -> u64 {
        self.sent.load(Ordering::Acquire)
    }

    /// Stops, and returns how many events were sent.
    async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Release);
        self.task.await.expect("traffic does not panic");
        self.sent.load(Ordering::Acquire)
    }
}

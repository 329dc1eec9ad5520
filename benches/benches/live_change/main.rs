//! How soon a change that the control plane has accepted shows in decisions.

mod changes;
mod sightings;
mod stack;
mod traffic;

use std::time::Duration;

use tidegate_benches::{Bench, run};

use changes::{Changes, Delay};
use stack::Stack;
use traffic::Traffic;

/// Enough for a 99th percentile that is not the worst of all.
const CHANGES: usize = 100;

fn main() -> anyhow::Result<()> {
    run(
        "live_change",
        "all stages and the control plane in one process with an in-process broker, 500 events/s; \
         until whoever reads the decisions has the first one under the new version",
        |bench| {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(measure(bench))
        },
    )
}

async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let traffic = Traffic::start(&stack)?;
    let mut changes = Changes::begin(&stack).await?;

    let thresholds = changes.set_thresholds(bench.amount(CHANGES)).await?;
    record(bench, "threshold change", &thresholds);
    let deployments = changes.deploy_models(bench.amount(CHANGES)).await?;
    record(bench, "model deployment", &deployments);

    traffic.stop().await?;
    stack.stop().await
}

fn record(bench: &mut Bench, what: &str, delays: &[Delay]) {
    let millis = |of: fn(&Delay) -> Duration| -> Vec<f64> {
        delays
            .iter()
            .map(|delay| of(delay).as_secs_f64() * 1e3)
            .collect()
    };
    bench.record(
        &format!("{what}: asked to first decision"),
        "ms",
        &millis(|delay| delay.asked_to_decision),
    );
    bench.record(
        &format!("{what}: accepted to first decision"),
        "ms",
        &millis(|delay| delay.accepted_to_decision),
    );
}

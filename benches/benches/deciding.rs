//! What deciding costs under the shipped policy.

use anyhow::ensure;
use moderation::{Decided, Decision, LabelOutcome, ScoredEvent, decide};
use tidegate_benches::{Bench, run, samples};

/// Different events in turns, so that no case is decided from memory of its branches; they fit into the caches.
const VARIANTS: usize = 64;

fn main() -> anyhow::Result<()> {
    run(
        "deciding",
        "moderation::decide under deploy/policies/default.toml; baseline: a clone of the decision alone",
        measure,
    )
}

/// A kind of event, and what shows that it is decided as its name says.
struct Case {
    name: &'static str,
    targets: usize,
    outcomes: [LabelOutcome; 3],
    fits: fn(&Decided) -> bool,
}

fn cases() -> [Case; 4] {
    [
        Case {
            name: "nothing matches",
            targets: 1,
            outcomes: samples::scores([12, 31, 4]),
            fits: |decided| decided.decision.matched.is_empty(),
        },
        Case {
            name: "one match",
            targets: 0,
            outcomes: samples::scores([12, 31, 930]),
            fits: |decided| decided.decision.matched.len() == 1 && decided.actions.len() == 1,
        },
        Case {
            name: "20 targets, hidden from each",
            targets: 20,
            outcomes: samples::scores([12, 830, 4]),
            fits: |decided| decided.actions.len() == 20,
        },
        Case {
            name: "scores missing, sent to review",
            targets: 1,
            outcomes: [LabelOutcome::Failed; 3],
            fits: |decided| decided.review.is_some(),
        },
    ]
}

fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let policy = samples::shipped_policy()?;
    for case in cases() {
        let events: Vec<ScoredEvent> = (0..VARIANTS)
            .map(|number| samples::scored(samples::event(number, case.targets), case.outcomes))
            .collect();
        let decided: Vec<Decided> = events.iter().map(|event| decide(event, &policy)).collect();
        ensure!(
            decided.iter().all(case.fits),
            "the shipped policy no longer decides the case `{}` as it is called",
            case.name
        );
        let decisions: Vec<Decision> = decided.into_iter().map(|each| each.decision).collect();
        bench.compare_calls(
            case.name,
            "ns/event",
            |call| decide(&events[call % VARIANTS], &policy),
            |call| decisions[call % VARIANTS].clone(),
        );
    }
    Ok(())
}

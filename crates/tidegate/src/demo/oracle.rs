//! The oracle: makes every event again, scores and decides it offline through the libraries that the stages use, and
//! compares the result with what was seen on the topics.
//!
//! It takes from a decision only what the decision may choose: its evaluation time and its versions. It reads no counter
//! of any stage.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anyhow::Context;
use inference::{Engine, EngineConfig};
use moderation::policy::CompiledPolicy;
use moderation::{Decided, DeploymentVersion, Limits, Operation, ReviewOperation, decide};
use moderation_wire::{decode_content, encode_action, encode_decision, encode_review};

use super::clock::Clock;
use super::impact::{Consequence, Impact};
use super::ledger::{Chunk, Entry, print};
use super::reconciliation::{Discrepancies, Expected, reconcile};
use super::source::Source;
use super::traffic::{Fate, Truth};
use super::versions::Versions;

/// Events that are scored at once.
const IN_FLIGHT: usize = 4096;

/// What the oracle found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    /// Events that were compared.
    pub(crate) events: u64,
    /// How the pipeline differs from the libraries.
    pub(crate) discrepancies: Discrepancies,
    /// What the pipeline's decisions are worth.
    pub(crate) impact: Impact,
}

/// Compares chunks of the ledger.
pub(crate) struct Oracle {
    source: Arc<Source>,
    clock: Clock,
    bundle_directory: PathBuf,
    engine: Option<(u16, Engine)>,
    findings: Findings,
}

/// An event that was decided offline.
struct Judged {
    place: usize,
    expected: Expected,
    consequence: Consequence,
    truth: Option<Truth>,
}

impl Oracle {
    /// Prepares an oracle; it loads models when it first needs them.
    pub(crate) fn new(source: Arc<Source>, clock: Clock, bundle_directory: PathBuf) -> Self {
        Self {
            source,
            clock,
            bundle_directory,
            engine: None,
            findings: Findings::default(),
        }
    }

    /// Compares chunks until there are no more, and calls `on_progress` with the number of events after each.
    ///
    /// # Errors
    /// If the input cannot be read again or a deployment that was served cannot be loaded.
    pub(crate) fn run(
        mut self,
        chunks: &Receiver<(Chunk, Versions)>,
        mut on_progress: impl FnMut(u64),
    ) -> anyhow::Result<Findings> {
        while let Ok((chunk, versions)) = chunks.recv() {
            self.check(&chunk, &versions)?;
            on_progress(self.findings.events);
        }
        Ok(self.findings)
    }

    fn check(&mut self, chunk: &Chunk, versions: &Versions) -> anyhow::Result<()> {
        let deployments: BTreeSet<u16> =
            chunk.entries.iter().map(|entry| entry.deployment).collect();
        for deployment in deployments {
            self.check_deployment(chunk, versions, deployment)?;
        }
        self.findings.events += chunk.entries.len() as u64;
        Ok(())
    }

    /// Compares the events that were scored under one deployment; number 0 are those that nobody decided.
    fn check_deployment(
        &mut self,
        chunk: &Chunk,
        versions: &Versions,
        deployment: u16,
    ) -> anyhow::Result<()> {
        let is_known = versions.deployment_of(deployment.into()).is_some();
        if is_known {
            self.prepare(deployment, versions)?;
        }
        let (sender, results) = sync_channel(IN_FLIGHT);
        let mut in_flight = 0;
        for (place, entry) in chunk
            .entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.deployment == deployment)
        {
            let policy = versions.policy_of(entry.policy.into()).filter(|_| is_known);
            if in_flight == IN_FLIGHT {
                self.note(
                    chunk,
                    results.recv().context("the oracle's engine has stopped")?,
                );
                in_flight -= 1;
            }
            in_flight += usize::from(self.submit(chunk, place, policy, &sender)?);
            while let Ok(judged) = results.try_recv() {
                self.note(chunk, judged);
                in_flight -= 1;
            }
        }
        drop(sender);
        results.iter().for_each(|judged| self.note(chunk, judged));
        Ok(())
    }

    /// Makes an event again and hands it to the engine. Returns whether an answer will come.
    fn submit(
        &mut self,
        chunk: &Chunk,
        place: usize,
        policy: Option<&Arc<CompiledPolicy>>,
        sender: &SyncSender<Judged>,
    ) -> anyhow::Result<bool> {
        let entry = &chunk.entries[place];
        let event = self
            .source
            .event(chunk.first + place as u64, self.clock.wall(entry.scheduled))?;
        let evaluation_time = self.clock.at_offset_ms(entry.evaluated_ms);
        let content = decode_content(
            &event.value,
            event.format,
            evaluation_time,
            &Limits::default(),
        );
        let content = match (content, event.fate) {
            (Err(_), _) | (_, Fate::DeadLettered) => {
                self.findings.discrepancies += reconcile(
                    entry,
                    &Expected::DeadLettered {
                        print: print(&event.value),
                    },
                );
                return Ok(false);
            }
            (Ok(content), Fate::Decided) => content,
        };
        let (Some((_, engine)), Some(policy)) = (&self.engine, policy) else {
            self.findings.discrepancies += undecidable(entry);
            return Ok(false);
        };
        let (policy, sender, truth) = (Arc::clone(policy), sender.clone(), event.truth);
        engine.submit(content, evaluation_time, move |scored| {
            let decided = decide(&scored, &policy);
            let judged = Judged {
                place,
                expected: expected(&decided),
                consequence: consequence(&decided),
                truth,
            };
            if sender.send(judged).is_err() {
                tracing::debug!("the oracle has given up");
            }
        })?;
        Ok(true)
    }

    fn note(&mut self, chunk: &Chunk, judged: Judged) {
        self.findings.discrepancies += reconcile(&chunk.entries[judged.place], &judged.expected);
        if let Some(truth) = &judged.truth {
            self.findings.impact.note(truth, &judged.consequence);
        }
    }

    fn prepare(&mut self, deployment: u16, versions: &Versions) -> anyhow::Result<()> {
        if self
            .engine
            .as_ref()
            .is_some_and(|(current, _)| *current == deployment)
        {
            return Ok(());
        }
        let wanted = versions
            .deployment_of(deployment.into())
            .context("the deployment is unknown")?;
        // The old models go before the new ones come, so that both are never in memory.
        self.engine = None;
        let config = EngineConfig {
            bundle_directory: self.bundle_directory.clone(),
            ..EngineConfig::default()
        };
        let engine = Engine::start(config)?;
        engine
            .deploy(DeploymentVersion(deployment.into()), wanted)
            .with_context(|| format!("the oracle cannot load deployment {deployment}"))?;
        self.engine = Some((deployment, engine));
        Ok(())
    }
}

/// What is wrong with an event that should have a decision and has none, or one under versions that never were.
fn undecidable(entry: &Entry) -> Discrepancies {
    Discrepancies {
        lost: u64::from(entry.decisions == 0),
        duplicates: 0,
        contradictory: u64::from(entry.decisions > 0) + u64::from(entry.dead_letters),
    }
}

fn expected(decided: &Decided) -> Expected {
    let actions = decided
        .actions
        .iter()
        .map(|action| print(&encode_action(action)));
    let reviews = decided
        .review
        .iter()
        .map(|review| print(&encode_review(review)));
    Expected::Decided {
        print: print(&encode_decision(&decided.decision)),
        actions: u8::try_from(decided.actions.len()).unwrap_or(u8::MAX),
        reviews: u8::from(decided.review.is_some()),
        outputs: actions.chain(reviews).fold(0, u64::wrapping_add),
    }
}

fn consequence(decided: &Decided) -> Consequence {
    let acted = decided.decision.matched.iter().find(|rule| rule.enforced);
    Consequence {
        is_actioned: decided
            .actions
            .iter()
            .any(|action| action.operation == Operation::Apply),
        is_reviewed: decided
            .review
            .as_ref()
            .is_some_and(|review| review.operation == ReviewOperation::Open),
        issue: acted.map(|rule| rule.issue.to_string()),
    }
}

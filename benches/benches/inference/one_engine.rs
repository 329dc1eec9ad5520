//! An engine of one worker.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use anyhow::{Context, ensure};
use inference::inspect::inspect;
use inference::{Engine, EngineConfig, Workers};
use moderation::{
    BundleRole, ContentEvent, DeployedBundle, Deployment, DeploymentVersion, DirectMessageScope,
    ScoredEvent,
};
use tidegate_benches::{Cost, Meter, samples};

/// An engine that serves one bundle.
pub(crate) struct OneEngine(Engine);

impl OneEngine {
    /// Starts an engine that keeps `cache_entries` scores; 0 keeps none.
    pub(crate) fn start(
        directory: &Path,
        bundle: &str,
        cache_entries: usize,
    ) -> anyhow::Result<Self> {
        let inspection = inspect(&directory.join(bundle))?;
        let engine = Engine::start(EngineConfig {
            bundle_directory: directory.to_owned(),
            workers: Workers::Count(NonZeroUsize::MIN),
            cache_entries,
            ..EngineConfig::default()
        })?;
        let deployment = Deployment {
            bundles: vec![DeployedBundle {
                digest: inspection.digest,
                name: inspection.name,
                version: inspection.version,
                role: BundleRole::Serving,
                path: bundle.to_owned(),
            }],
            direct_messages: DirectMessageScope::All,
        };
        engine.deploy(DeploymentVersion(1), &deployment)?;
        Ok(Self(engine))
    }

    /// Submits all texts as they are taken, and waits for the last.
    pub(crate) fn submit_all(&self, texts: Vec<String>) -> anyhow::Result<Cost> {
        let events = events(texts);
        let count = events.len();
        let tally = Arc::new(Tally::default());
        let (finished, all_finished) = mpsc::sync_channel(1);
        let meter = Meter::start();
        for event in events {
            let (tally, finished) = (Arc::clone(&tally), finished.clone());
            self.0.submit(event, samples::NOW, move |scored| {
                if tally.add(&scored) == count {
                    // There is room for the one message that is ever sent.
                    finished.send(()).expect("the receiver waits below");
                }
            })?;
        }
        drop(finished);
        all_finished.recv().context("an event was not finished")?;
        let cost = meter.cost();
        tally.check()?;
        Ok(cost)
    }

    /// Scores one text after the other, and waits for each.
    pub(crate) fn score_each(&self, texts: Vec<String>) -> anyhow::Result<Cost> {
        let events = events(texts);
        let tally = Tally::default();
        let meter = Meter::start();
        for event in events {
            tally.add(&self.0.score(event, samples::NOW)?);
        }
        let cost = meter.cost();
        tally.check()?;
        Ok(cost)
    }
}

fn events(texts: Vec<String>) -> Vec<ContentEvent> {
    texts
        .into_iter()
        .enumerate()
        .map(|(number, text)| samples::content(number, text))
        .collect()
}

/// Counts what was finished, and what was finished without scores.
#[derive(Default)]
struct Tally {
    finished: AtomicUsize,
    flagged: AtomicUsize,
}

impl Tally {
    /// Returns how many were finished.
    fn add(&self, scored: &ScoredEvent) -> usize {
        if !scored.flags.is_empty() {
            self.flagged.fetch_add(1, Ordering::Relaxed);
        }
        self.finished.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Failed or late texts would make the engine look faster than it is.
    fn check(&self) -> anyhow::Result<()> {
        let flagged = self.flagged.load(Ordering::Relaxed);
        ensure!(flagged == 0, "{flagged} texts were not scored properly");
        Ok(())
    }
}

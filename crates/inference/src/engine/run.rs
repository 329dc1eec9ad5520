//! Runs one batch on a worker's sessions, and tells its events what was found.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use moderation::{LabelOutcome, Score};

use super::Shared;
use super::generation::{Generation, LoadedBundle, Sessions};
use super::pending::{Answer, Open, Progress};
use super::prepare::Prepared;
use crate::batcher::{Batch, Group};
use crate::features::Features;
use crate::scoring::Scorer;
use crate::session::{ModelSession, SessionError};

/// A worker's buffers for running.
pub(crate) struct Runner {
    shared: Arc<Shared>,
    worker: usize,
    scorer: Scorer,
}

/// The sessions of a batch; gone after a failure, until they are needed again.
struct Loan<'a> {
    generation: &'a Generation,
    sessions: Option<Sessions>,
}

impl Runner {
    pub(crate) fn new(shared: Arc<Shared>, worker: usize) -> Self {
        Self {
            shared,
            worker,
            scorer: Scorer::default(),
        }
    }

    /// Finds every awaited answer of the batch, bundle by bundle. What serving bundles say is noted before a shadow runs,
    /// so that a shadow that hangs takes nothing away.
    pub(crate) fn run(&mut self, generation: &Generation, batch: Batch<Prepared>) {
        let started = Instant::now();
        let metrics = &self.shared.metrics;
        metrics.released(batch.groups.len(), batch.cost, batch.reason);
        let members: usize = batch.groups.iter().map(|group| group.members.len()).sum();
        metrics
            .shared_runs
            .increment((members - batch.groups.len()) as u64);
        let events = batch.groups.iter().flat_map(|group| &group.members);
        let events = events.map(|item| Arc::clone(&item.pending)).collect();
        self.slot().begin(events, started);

        let mut loan = Loan {
            generation,
            sessions: None,
        };
        let mut finished = Vec::with_capacity(members);
        for bundle in generation.bundles().iter().enumerate() {
            self.ask(&mut loan, bundle, &batch.groups, &mut finished);
        }
        let was_late = self.slot().end();
        // What the watchdog has stopped stays stopped.
        if let Some(sessions) = loan.sessions.filter(|_| !was_late) {
            generation.put_sessions(self.worker, sessions);
        }
        self.shared.metrics.inferred(started.elapsed());
        for event in finished {
            event.complete();
        }
    }

    fn slot(&self) -> &super::watchdog::Slot {
        &self.shared.slots[self.worker]
    }

    /// Asks one bundle about every group that awaits its answer.
    fn ask(
        &mut self,
        loan: &mut Loan<'_>,
        (index, loaded): (usize, &LoadedBundle),
        groups: &[Group<Prepared>],
        finished: &mut Vec<Open>,
    ) {
        let is_asked =
            |group: &&Group<Prepared>| group.members.iter().any(|item| item.awaits(index));
        let asked: Vec<&Group<Prepared>> = groups.iter().filter(is_asked).collect();
        let texts: Vec<&Features> = asked
            .iter()
            .map(|group| &group.members[0].features[loaded.extractor])
            .collect();
        let found = self.score(loan, (index, loaded), &texts);
        for (group, scores) in asked.into_iter().zip(found) {
            let answer = match scores {
                None => Answer::Absent(LabelOutcome::Failed),
                Some(scores) => {
                    let key = group.members[0].keys[loaded.extractor];
                    self.remember(loaded, key, &scores);
                    Answer::Scores(scores)
                }
            };
            self.tell(group, index, &answer, finished);
        }
    }

    fn tell(
        &self,
        group: &Group<Prepared>,
        bundle: usize,
        answer: &Answer,
        finished: &mut Vec<Open>,
    ) {
        for item in group.members.iter().filter(|item| item.awaits(bundle)) {
            match item.pending.answer(item.part, bundle, answer.clone()) {
                Progress::Waiting => {}
                Progress::Finished(event) => finished.push(*event),
                Progress::TooLate => self.shared.metrics.late_results.increment(1),
            }
        }
    }

    fn remember(&self, loaded: &LoadedBundle, key: u128, scores: &Arc<[Score]>) {
        loaded.metrics.scored(scores);
        if let Some(cache) = &self.shared.cache {
            cache.insert(loaded.cache_key, key, Arc::clone(scores));
        }
    }

    /// Scores texts together; if that fails, each alone, so that only the culprit has none.
    fn score(
        &mut self,
        loan: &mut Loan<'_>,
        bundle: (usize, &LoadedBundle),
        texts: &[&Features],
    ) -> Vec<Option<Arc<[Score]>>> {
        if texts.is_empty() {
            return Vec::new();
        }
        if let Some(scores) = self.try_score(loan, bundle, texts) {
            return scores;
        }
        if texts.len() == 1 {
            return vec![None];
        }
        let alone = |text: &&Features| {
            let scores = self.try_score(loan, bundle, &[text])?;
            scores.into_iter().next().flatten()
        };
        texts.iter().map(alone).collect()
    }

    /// Runs the model once. After a failure the sessions are dropped: nobody knows what state they are in.
    fn try_score(
        &mut self,
        loan: &mut Loan<'_>,
        (index, loaded): (usize, &LoadedBundle),
        texts: &[&Features],
    ) -> Option<Vec<Option<Arc<[Score]>>>> {
        if self.slot().is_late() {
            return None;
        }
        let result = self.borrow(loan).and_then(|sessions| {
            let session: &mut ModelSession = &mut sessions[index];
            let scorer = &mut self.scorer;
            let run = || scorer.score(session, loaded.bundle(), loaded.epsilon(), texts);
            catch_unwind(AssertUnwindSafe(run))
                .unwrap_or_else(|_| Err(SessionError::Run("panic".to_owned())))
        });
        match result {
            Ok(scored) => {
                loaded
                    .metrics
                    .recomputed
                    .increment(scored.recomputed as u64);
                Some(scored.texts)
            }
            Err(error) => {
                loan.sessions = None;
                loaded.metrics.failures.increment(1);
                let bundle = loaded.bundle().digest();
                tracing::warn!(%error, %bundle, texts = texts.len(), "scoring failed; the session is replaced");
                None
            }
        }
    }

    fn borrow<'l>(&self, loan: &'l mut Loan<'_>) -> Result<&'l mut Sessions, SessionError> {
        if loan.sessions.is_none() {
            let sessions = loan.generation.take_sessions(self.worker)?;
            self.slot()
                .run_on(sessions.iter().map(ModelSession::stopper).collect());
            loan.sessions = Some(sessions);
        }
        loan.sessions
            .as_mut()
            .ok_or_else(|| SessionError::Run("no session".to_owned()))
    }
}

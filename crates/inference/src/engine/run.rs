//! Runs one batch on a worker's sessions, and tells its events what was found.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use moderation::{LabelOutcome, Score};

use super::Shared;
use super::generation::{Generation, LoadedBundle, Sessions};
use super::outage::{Inquiry, Proof};
use super::pending::{Answer, Open, Pending, Progress};
use super::prepare::Prepared;
use super::schedule::Released;
use super::watchdog::{self, Slot};
use crate::batcher::{Batch, Group};
use crate::features::Features;
use crate::scoring::Scorer;
use crate::session::SessionError;

/// A worker's buffers for running.
pub(crate) struct Runner {
    shared: Arc<Shared>,
    worker: usize,
    scorer: Scorer,
}

/// How often a text is tried on sessions that were right just before. One that fails that often breaks them.
const TRIES: usize = 3;

/// A batch that is being run.
struct Run<'a> {
    generation: &'a Generation,
    sessions: Sessions,
}

/// Why a batch ends before every bundle was asked.
enum Interruption {
    /// It takes too long, and the model is not to blame.
    Late,
    /// A model is down and nobody waits for it any longer.
    Released(Released),
}

impl From<Released> for Interruption {
    fn from(released: Released) -> Self {
        Self::Released(released)
    }
}

/// What was found of each text; nothing where it fails.
type Found = Vec<Option<Arc<[Score]>>>;

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
        self.slot().begin(events_of(&batch), started);

        let mut run = Run {
            generation,
            sessions: generation.take_sessions(self.worker),
        };
        let mut finished = Vec::with_capacity(members);
        let mut bundles = generation.bundles().iter().enumerate();
        let outcome =
            bundles.try_for_each(|bundle| self.ask(&mut run, bundle, &batch.groups, &mut finished));
        self.slot().end();
        generation.put_sessions(self.worker, run.sessions);
        self.shared.metrics.inferred(started.elapsed());
        for event in finished {
            event.complete();
        }
        if let Err(interruption) = outcome {
            self.break_off(&batch, interruption);
        }
    }

    /// Decides what becomes of the events that a batch has not finished.
    fn break_off(&self, batch: &Batch<Prepared>, interruption: Interruption) {
        let events = events_of(batch);
        match interruption {
            Interruption::Late => {
                let late = watchdog::time_out(&events);
                self.shared.metrics.timeouts.increment(late as u64);
            }
            Interruption::Released(Released::Superseded) => {
                let reclaimed = events.iter().filter_map(|event| event.reclaim());
                self.shared.schedule.begin_again(reclaimed.collect());
            }
            Interruption::Released(Released::Stopping) => {
                // Uncompleted, they are whoever's who submitted them; anything else would be a guess.
                let reclaimed: Vec<_> = events.iter().filter_map(|event| event.reclaim()).collect();
                tracing::warn!("stopping with a model that is down; its work is given back");
                drop(reclaimed);
                self.shared.schedule.abandon();
            }
        }
    }

    fn slot(&self) -> &Slot {
        &self.shared.slots[self.worker]
    }

    /// Asks one bundle about every group that awaits its answer.
    fn ask(
        &mut self,
        run: &mut Run<'_>,
        (index, loaded): (usize, &LoadedBundle),
        groups: &[Group<Prepared>],
        finished: &mut Vec<Open>,
    ) -> Result<(), Interruption> {
        let is_asked =
            |group: &&Group<Prepared>| group.members.iter().any(|item| item.awaits(index));
        let asked: Vec<&Group<Prepared>> = groups.iter().filter(is_asked).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let texts: Vec<&Features> = asked
            .iter()
            .map(|group| &group.members[0].features[loaded.extractor])
            .collect();
        self.slot().enter(loaded.is_serving());
        let found = if loaded.is_serving() {
            self.score_for_sure(run, (index, loaded), &texts)?
        } else {
            self.score_if_possible(run, (index, loaded), &texts)
        };
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
        Ok(())
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

    /// Scores texts with a shadow: together, and if that fails, each alone.
    fn score_if_possible(
        &mut self,
        run: &mut Run<'_>,
        bundle: (usize, &LoadedBundle),
        texts: &[&Features],
    ) -> Found {
        if let Some(found) = self.try_score(run, bundle, texts) {
            return found;
        }
        if texts.len() == 1 {
            return vec![None];
        }
        let alone = |text: &&Features| self.try_alone(run, bundle, text);
        texts.iter().map(alone).collect()
    }

    /// Scores texts with a serving bundle, so that only those have no score that are themselves at fault.
    fn score_for_sure(
        &mut self,
        run: &mut Run<'_>,
        bundle: (usize, &LoadedBundle),
        texts: &[&Features],
    ) -> Result<Found, Interruption> {
        let together = self.try_score(run, bundle, texts);
        let mut found = together.unwrap_or_else(|| vec![None; texts.len()]);
        for (text, scores) in texts.iter().zip(&mut found) {
            if scores.is_none() {
                *scores = self.score_alone_for_sure(run, bundle, text)?;
            }
        }
        Ok(found)
    }

    /// Scores a text that has failed before. `None` means that it fails while the model answers.
    fn score_alone_for_sure(
        &mut self,
        run: &mut Run<'_>,
        bundle: (usize, &LoadedBundle),
        text: &Features,
    ) -> Result<Option<Arc<[Score]>>, Interruption> {
        let mut was_late = false;
        for _ in 0..TRIES {
            if let Some(scores) = self.try_alone(run, bundle, text) {
                return Ok(Some(scores));
            }
            was_late = self.slot().is_late();
            let inquiry = Inquiry {
                shared: &self.shared,
                worker: self.worker,
                generation: run.generation,
                bundle: bundle.0,
            };
            if inquiry.prove(&mut run.sessions)? == Proof::AtOnce {
                break;
            }
        }
        if was_late {
            return Err(Interruption::Late);
        }
        Ok(None)
    }

    fn try_alone(
        &mut self,
        run: &mut Run<'_>,
        bundle: (usize, &LoadedBundle),
        text: &Features,
    ) -> Option<Arc<[Score]>> {
        let found = self.try_score(run, bundle, &[text])?;
        found.into_iter().next().flatten()
    }

    /// Runs the model once. After a failure its session is dropped: nobody knows what state it is in.
    fn try_score(
        &mut self,
        run: &mut Run<'_>,
        (index, loaded): (usize, &LoadedBundle),
        texts: &[&Features],
    ) -> Option<Found> {
        if self.slot().is_late() {
            return None;
        }
        let session = match run.sessions[index].take() {
            Some(session) => Ok(session),
            None => run.generation.open_session(index),
        };
        let result = session.and_then(|mut session| {
            self.slot().run_on(session.stopper());
            let scorer = &mut self.scorer;
            let score = || scorer.score(&mut session, loaded.bundle(), loaded.epsilon(), texts);
            let scored = catch_unwind(AssertUnwindSafe(score))
                .unwrap_or_else(|_| Err(SessionError::Run("panic".to_owned())));
            // What the watchdog has stopped stays stopped.
            let may_be_stopped = self.slot().run_off();
            if scored.is_ok() && !may_be_stopped {
                run.sessions[index] = Some(session);
            }
            scored
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
                loaded.metrics.failures.increment(1);
                let bundle = loaded.bundle().digest();
                tracing::warn!(%error, %bundle, texts = texts.len(), "scoring failed; the session is replaced");
                None
            }
        }
    }
}

fn events_of(batch: &Batch<Prepared>) -> Vec<Arc<Pending>> {
    let members = batch.groups.iter().flat_map(|group| &group.members);
    members.map(|item| Arc::clone(&item.pending)).collect()
}

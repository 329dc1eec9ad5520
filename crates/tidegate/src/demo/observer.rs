//! The observer: keeps the ledger, and knows when everything is accounted for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use moderation_wire::{Word, v1};
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::cpu::CpuTime;
use super::flow::Flow;
use super::ledger::{Chunk, Ledger};
use super::live::{Live, Now};
use super::measured::MeasuredProcesses;
use super::observation::{DecisionGlance, Observation};
use super::versions::Versions;

/// How long nothing may come while something is missing.
const STALL: Duration = Duration::from_secs(15);
/// How long to go on after everything has come, to see what comes twice.
const AFTERMATH: Duration = Duration::from_millis(300);
/// How often to look up while nothing comes.
const TICK: Duration = Duration::from_millis(50);
/// Observations between two looks at the clock.
const OBSERVATIONS_PER_LOOK: u32 = 512;
/// Chunks of the ledger that are held at most, about 2.5 MiB each.
const MAX_CHUNKS: usize = 64;

/// What was counted on the topics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Events that were sent.
    pub(crate) events_in: u64,
    /// Decisions that came.
    pub(crate) decisions: u64,
    /// Actions that came, by kind.
    pub(crate) actions: BTreeMap<&'static str, u64>,
    /// Review requests that came.
    pub(crate) reviews: u64,
    /// Dead letters that came.
    pub(crate) dead_letters: u64,
    /// Records that belong to no event that was sent, or came after their event was reconciled.
    pub(crate) strangers: u64,
    /// Events that were decided or put aside.
    pub(crate) answered: u64,
    /// Actions and reviews that decisions name and that have not come.
    pub(crate) awaited_outputs: i64,
    /// The policy of the last decision.
    pub(crate) policy_version: u64,
}

/// Returns the word that policies use.
fn action_name(kind: v1::ActionKind) -> &'static str {
    moderation::ActionKind::from_number(kind.into())
        .map_or("unrecognised", moderation::ActionKind::as_str)
}

/// All that the observer saw.
pub(crate) struct Observed {
    /// Counts.
    pub(crate) tally: Tally,
    /// Ages at decision in microseconds.
    pub(crate) ages: Histogram<u64>,
    /// From the first event to the last answer.
    pub(crate) span: Duration,
    /// When the first decision came.
    pub(crate) first_decision: Option<Instant>,
    /// Processor time by part and event.
    pub(crate) cpu_us_per_event: BTreeMap<&'static str, f64>,
    /// The most memory that the stages' own processes have held.
    pub(crate) peak_bytes_of_children: u64,
    /// The versions that appeared.
    pub(crate) versions: Versions,
    /// The deployments that decisions name.
    pub(crate) deployments: BTreeSet<u64>,
    /// Why waiting was given up, if it was.
    pub(crate) given_up: Option<String>,
    /// How far a run with an end came that was told to stop before.
    pub(crate) interrupted: Option<String>,
}

/// The observer's dependencies.
pub(crate) struct Wiring {
    /// The beginning of the load.
    pub(crate) clock: Clock,
    /// Told what is answered.
    pub(crate) flow: Arc<Flow>,
    /// Cancelled when there is no use in going on.
    pub(crate) stop: CancellationToken,
    /// Takes what is to be reconciled.
    pub(crate) chunks: SyncSender<(Chunk, Versions)>,
    /// Whether chunks are reconciled while traffic flows; otherwise afterwards.
    pub(crate) reconciles_meanwhile: bool,
    /// Whose use of the machine is told.
    pub(crate) measured: MeasuredProcesses,
    /// Shows how it goes.
    pub(crate) live: Live,
}

/// Keeps the ledger.
pub(crate) struct Observer {
    wiring: Wiring,
    ledger: Ledger,
    versions: Versions,
    deployments: BTreeSet<u64>,
    tally: Tally,
    ages: Histogram<u64>,
    recent_ages: Histogram<u64>,
    all_published: bool,
    waiting_chunk: Option<(Chunk, Versions)>,
    first_decision: Option<Instant>,
    last_answer: Instant,
    last_arrival: Instant,
    cpu_before: CpuTime,
    cpu_when_published: CpuTime,
    given_up: Option<String>,
}

impl Observer {
    /// Prepares an observer.
    ///
    /// # Errors
    /// Never in practice: the histograms' bounds are constant.
    pub(crate) fn new(wiring: Wiring) -> anyhow::Result<Self> {
        let ages = Histogram::new_with_max(3_600_000_000, 3)?;
        let now = Instant::now();
        Ok(Self {
            wiring,
            ledger: Ledger::default(),
            versions: Versions::default(),
            deployments: BTreeSet::new(),
            tally: Tally::default(),
            recent_ages: ages.clone(),
            ages,
            all_published: false,
            waiting_chunk: None,
            first_decision: None,
            last_answer: now,
            last_arrival: now,
            cpu_before: CpuTime::default(),
            cpu_when_published: CpuTime::default(),
            given_up: None,
        })
    }

    /// Observes until everything is accounted for or nothing comes any more; then hands over the rest of the ledger.
    pub(crate) fn run(mut self, observations: &Receiver<Observation>) -> Observed {
        let mut until_look = OBSERVATIONS_PER_LOOK;
        loop {
            match observations.recv_timeout(TICK) {
                Ok(observation) => {
                    self.note(observation);
                    until_look -= 1;
                }
                Err(RecvTimeoutError::Timeout) => until_look = 0,
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if until_look == 0 {
                until_look = OBSERVATIONS_PER_LOOK;
                if self.look(Instant::now()) {
                    break;
                }
            }
        }
        self.finish()
    }

    fn note(&mut self, observation: Observation) {
        match observation {
            Observation::Published { scheduled, bytes } => {
                if self.tally.events_in == 0 {
                    self.cpu_before = self.wiring.measured.cpu_time();
                }
                self.tally.events_in += 1;
                self.ledger.publish(scheduled, bytes);
            }
            Observation::AllPublished(cpu) => {
                self.all_published = true;
                self.cpu_when_published = cpu;
            }
            Observation::Decision {
                index,
                at,
                print,
                glance,
            } => self.decision(index, (at, print), &glance),
            Observation::Action { index, print, kind } => self.action(index, print, kind),
            Observation::Review { index, print } => self.review(index, print),
            Observation::DeadLetter { index, print } => self.dead_letter(index, print),
            Observation::Control(value) => {
                if let Err(error) = self.versions.apply(&value) {
                    self.give_up(format!("{error:#}"));
                }
            }
            Observation::Failed(error) => {
                self.give_up(format!("a topic can no longer be followed: {error}"))
            }
        }
        self.last_arrival = Instant::now();
    }

    fn decision(
        &mut self,
        index: Option<u64>,
        (at, print): (Instant, u64),
        glance: &DecisionGlance,
    ) {
        self.tally.decisions += 1;
        self.tally.policy_version = glance.policy_version;
        self.deployments.insert(glance.deployment_version);
        self.first_decision.get_or_insert(at);
        let clock = self.wiring.clock;
        let Some(entry) = index.and_then(|index| self.ledger.entry(index)) else {
            self.tally.strangers += 1;
            return;
        };
        entry.decisions = entry.decisions.saturating_add(1);
        if entry.decisions > 1 {
            return;
        }
        let was_answered = entry.dead_letters > 0;
        entry.print = print;
        entry.evaluated_ms = clock.offset_ms(glance.evaluation_time());
        entry.policy = u32::try_from(glance.policy_version).unwrap_or(u32::MAX);
        entry.deployment = u16::try_from(glance.deployment_version).unwrap_or(u16::MAX);
        (entry.named_actions, entry.named_reviews) = (glance.actions(), glance.reviews());
        let (age, bytes) = (clock.age(entry.scheduled, at), entry.bytes);
        self.tally.awaited_outputs += i64::from(glance.actions()) + i64::from(glance.reviews());
        let age = u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
        self.ages.saturating_record(age);
        self.recent_ages.saturating_record(age);
        if !was_answered {
            self.answered(bytes, at);
        }
    }

    fn action(&mut self, index: Option<u64>, print: u64, kind: v1::ActionKind) {
        let name = action_name(kind);
        *self.tally.actions.entry(name).or_default() += 1;
        match index.and_then(|index| self.ledger.entry(index)) {
            Some(entry) => {
                entry.actions = entry.actions.saturating_add(1);
                entry.outputs = entry.outputs.wrapping_add(print);
                self.tally.awaited_outputs -= 1;
            }
            None => self.tally.strangers += 1,
        }
    }

    fn review(&mut self, index: Option<u64>, print: u64) {
        self.tally.reviews += 1;
        match index.and_then(|index| self.ledger.entry(index)) {
            Some(entry) => {
                entry.reviews = entry.reviews.saturating_add(1);
                entry.outputs = entry.outputs.wrapping_add(print);
                self.tally.awaited_outputs -= 1;
            }
            None => self.tally.strangers += 1,
        }
    }

    fn dead_letter(&mut self, index: Option<u64>, print: u64) {
        self.tally.dead_letters += 1;
        let Some(entry) = index.and_then(|index| self.ledger.entry(index)) else {
            self.tally.strangers += 1;
            return;
        };
        let was_answered = entry.is_answered();
        if !was_answered {
            entry.print = print;
        }
        entry.dead_letters = entry.dead_letters.saturating_add(1);
        let bytes = entry.bytes;
        if !was_answered {
            self.answered(bytes, Instant::now());
        }
    }

    fn answered(&mut self, bytes: u32, at: Instant) {
        self.tally.answered += 1;
        self.last_answer = at;
        self.wiring.flow.answered(bytes);
    }

    /// Shows how it goes and hands over what can be. Returns whether there is nothing more to wait for.
    fn look(&mut self, now: Instant) -> bool {
        let line = Now {
            tally: &self.tally,
            ages: &self.recent_ages,
            elapsed: self.wiring.clock.elapsed(),
        };
        if self.wiring.live.show(now, &line) {
            self.recent_ages.reset();
        }
        if self.wiring.reconciles_meanwhile {
            self.hand_over();
        }
        let quiet = now.saturating_duration_since(self.last_arrival);
        if self.given_up.is_some() {
            return self.all_published;
        }
        let missing = self.missing();
        if missing.is_some() && quiet > STALL {
            let missing = missing.unwrap_or_default();
            self.give_up(format!(
                "nothing came for {} s while still missing: {missing}",
                STALL.as_secs()
            ));
        }
        self.all_published && self.missing().is_none() && quiet > AFTERMATH
    }

    fn missing(&self) -> Option<String> {
        let events = self.tally.events_in - self.tally.answered;
        let outputs = self.tally.awaited_outputs.max(0);
        (events > 0 || outputs > 0).then(|| {
            format!("decisions or dead letters of {events} events, {outputs} actions or reviews")
        })
    }

    fn give_up(&mut self, reason: String) {
        self.given_up.get_or_insert(reason);
        self.wiring.stop.cancel();
    }

    /// Hands complete chunks to the oracle as far as it can take them.
    fn hand_over(&mut self) {
        while let Some(next) = self.waiting_chunk.take().or_else(|| {
            self.ledger
                .take_complete()
                .map(|chunk| (chunk, self.versions.clone()))
        }) {
            if let Err(TrySendError::Full(next)) = self.wiring.chunks.try_send(next) {
                self.waiting_chunk = Some(next);
                break;
            }
        }
        self.wiring
            .flow
            .set_ledger_full(self.ledger.chunks() >= MAX_CHUNKS);
    }

    fn finish(mut self) -> Observed {
        let cpu = self
            .wiring
            .measured
            .cpu_time()
            .or_more(&self.cpu_when_published);
        self.wiring.live.end();
        let rest = std::iter::from_fn(|| {
            self.ledger
                .take()
                .map(|chunk| (chunk, self.versions.clone()))
        });
        for next in self.waiting_chunk.take().into_iter().chain(rest) {
            if self.wiring.chunks.send(next).is_err() {
                // The oracle has failed, and says why when it is joined.
                break;
            }
        }
        Observed {
            span: self.wiring.clock.age(0, self.last_answer),
            cpu_us_per_event: cpu.per_event_since(&self.cpu_before, self.tally.events_in),
            peak_bytes_of_children: self.wiring.measured.peak_bytes_of_children(),
            tally: self.tally,
            ages: self.ages,
            first_decision: self.first_decision,
            versions: self.versions,
            deployments: self.deployments,
            given_up: self.given_up,
            interrupted: None,
        }
    }
}

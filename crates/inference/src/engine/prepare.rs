//! From an event to what a batch needs: languages, features, and what the cache knows already.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use moderation::{Flag, LabelOutcome, Language, Part, PartContent};

use super::Shared;
use super::applicability::is_applicable;
use super::draft::Draft;
use super::generation::Generation;
use super::pending::{Answer, Open, Pending};
use super::schedule::Begun;
use crate::cache::{KeyMaker, TextKey};
use crate::features::{Features, Scratch};
use crate::language;

/// A text part that waits for a batch.
pub(crate) struct Prepared {
    pub(crate) generation: Arc<Generation>,
    pub(crate) pending: Arc<Pending>,
    pub(crate) part: usize,
    /// Answers that are known, and [`Answer::Awaited`] for those that a batch must find.
    pub(crate) answers: Vec<Answer>,
    /// One an extractor of the generation.
    pub(crate) features: Vec<Features>,
    /// Their keys.
    pub(crate) keys: Vec<TextKey>,
    /// Stands for all features.
    pub(crate) key: TextKey,
    /// Features that all bundles together read.
    pub(crate) cost: u32,
}

impl Prepared {
    /// Returns whether one of the bundles has not spoken yet.
    pub(crate) fn awaits(&self, bundle: usize) -> bool {
        matches!(self.answers[bundle], Answer::Awaited)
    }
}

/// What is known of a text when it has been read.
struct Reading {
    language: Language,
    features: Vec<Features>,
    keys: Vec<TextKey>,
    answers: Vec<Answer>,
}

impl Reading {
    fn is_awaited(&self) -> bool {
        self.answers
            .iter()
            .any(|answer| matches!(answer, Answer::Awaited))
    }
}

/// A worker's buffers for preparing.
pub(crate) struct Preparer {
    shared: Arc<Shared>,
    scratch: Scratch,
    keys: KeyMaker,
}

impl Preparer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            keys: KeyMaker::new(shared.secret),
            scratch: Scratch::default(),
            shared,
        }
    }

    /// Adds the parts of an event that must be run to `prepared`, or completes it if there is none.
    pub(crate) fn prepare(&mut self, begun: Begun, prepared: &mut Vec<Prepared>) {
        let started = Instant::now();
        let submitted = begun.job.submitted;
        self.read(begun, prepared);
        self.shared.metrics.prepared(
            started.saturating_duration_since(submitted),
            started.elapsed(),
        );
    }

    fn read(&mut self, begun: Begun, prepared: &mut Vec<Prepared>) {
        let (mut open, parts, is_applicable) = open(begun);
        if !is_applicable {
            return open.complete();
        }
        let generation = Arc::clone(&open.generation);
        let mut awaited: Vec<(usize, Reading)> = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let PartContent::Text(text) = &part.content else {
                continue;
            };
            let read = || self.read_text(text.expose(), part, &generation);
            let Ok(reading) = catch_unwind(AssertUnwindSafe(read)) else {
                tracing::error!("preparing a text panicked");
                open.draft.fail(index);
                continue;
            };
            note(&mut open.draft, index, &reading);
            if reading.is_awaited() {
                awaited.push((index, reading));
            }
        }
        if !open.draft.is_awaiting() {
            return open.complete();
        }
        open.draft.keep(parts);
        let pending = Pending::new(open);
        prepared.extend(awaited.into_iter().map(|(part, reading)| {
            let pending = Arc::clone(&pending);
            into_prepared(reading, part, pending, &generation)
        }));
    }

    fn read_text(&mut self, text: &str, part: &Part, generation: &Generation) -> Reading {
        let language = language::detect(text, part.declared_language);
        let mut features = Vec::with_capacity(generation.extractors().len());
        let mut keys = Vec::with_capacity(generation.extractors().len());
        for extractor in generation.extractors() {
            let mut found = Features::default();
            extractor.extract_into(text, &mut self.scratch, &mut found);
            keys.push(self.keys.key(&found));
            features.push(found);
        }
        let mut reading = Reading {
            language,
            features,
            keys,
            answers: Vec::new(),
        };
        reading.answers = self.look_up(&reading, generation);
        reading
    }

    fn look_up(&self, reading: &Reading, generation: &Generation) -> Vec<Answer> {
        let answer = |loaded: &super::generation::LoadedBundle| {
            if reading.features[loaded.extractor].window_ends.is_empty() {
                return Answer::Absent(LabelOutcome::NotApplicable);
            }
            if !loaded.speaks(reading.language) {
                return Answer::Absent(LabelOutcome::UnsupportedLanguage);
            }
            let Some(cache) = &self.shared.cache else {
                return Answer::Awaited;
            };
            let known = cache.get(loaded.cache_key, reading.keys[loaded.extractor]);
            self.shared.metrics.looked_up(known.is_some());
            known.map_or(Answer::Awaited, Answer::Scores)
        };
        generation.bundles().iter().map(answer).collect()
    }
}

/// Begins the draft of an event. The last value tells whether its texts are to be scored.
pub(crate) fn open(begun: Begun) -> (Open, Vec<Part>, bool) {
    let Begun {
        job,
        ticket,
        generation,
    } = begun;
    let is_applicable = is_applicable(&job.content.event, generation.direct_messages());
    let bundles = generation.bundles().len();
    let (draft, parts) = Draft::new(job.content, job.evaluation_time, is_applicable, bundles);
    let open = Open {
        draft,
        generation,
        on_done: job.on_done,
        ticket,
    };
    (open, parts, is_applicable)
}

fn note(draft: &mut Draft, part: usize, reading: &Reading) {
    let windows = reading
        .features
        .iter()
        .map(|features| features.window_ends.len())
        .max();
    draft.describe(part, reading.language, windows.unwrap_or(0));
    if reading.features.iter().any(|features| features.sampled) {
        draft.flag(Flag::LimitExceeded);
    }
    draft.begin(part, reading.answers.clone());
}

fn into_prepared(
    reading: Reading,
    part: usize,
    pending: Arc<Pending>,
    generation: &Arc<Generation>,
) -> Prepared {
    let features_of = |extractor: usize| reading.features[extractor].ids.len();
    let cost: usize = generation
        .bundles()
        .iter()
        .map(|loaded| features_of(loaded.extractor))
        .sum();
    // Keys are hashes; turning each by its place keeps texts apart that differ in one extractor alone.
    let key = reading
        .keys
        .iter()
        .zip(0..)
        .fold(0, |all, (key, place)| all ^ key.rotate_left(place));
    Prepared {
        generation: Arc::clone(generation),
        pending,
        part,
        answers: reading.answers,
        features: reading.features,
        keys: reading.keys,
        key,
        cost: u32::try_from(cost).unwrap_or(u32::MAX),
    }
}

//! A scored event in the making: what is known of each part so far.

use moderation::{
    ContentEvent, Event, Flag, LabelOutcome, LabelScore, Language, Part, PartContent, ScoredEvent,
    ScoredPart, Support, Timestamp,
};

use super::generation::{Generation, LoadedBundle};
use super::pending::Answer;
use crate::cpu::cpu_class;

/// The name under which the engine's scored events speak, wherever it runs: a gateway's are the stream's.
pub const SOURCE: &str = "classifier";

/// A scored event in the making.
pub(crate) struct Draft {
    event: Event,
    evaluation_time: Timestamp,
    flags: Vec<Flag>,
    /// How many of the flags the event came with.
    given_flags: usize,
    parts: Vec<PartDraft>,
    /// The parts as they came, should the event have to begin again under another deployment.
    given_parts: Vec<Part>,
    /// Answers that batches will find.
    awaited: usize,
}

struct PartDraft {
    facts: ScoredPart,
    /// One a bundle of the generation.
    answers: Vec<Answer>,
}

impl Draft {
    /// Begins with every part's outcome as it is without any model. Returns the parts along with it, as they came.
    pub(crate) fn new(
        content: ContentEvent,
        evaluation_time: Timestamp,
        is_applicable: bool,
        bundles: usize,
    ) -> (Self, Vec<Part>) {
        let ContentEvent {
            event,
            parts,
            flags,
        } = content;
        let part_draft = |part: &Part| {
            let outcome = match part.content {
                PartContent::Broken(_) if is_applicable => LabelOutcome::Failed,
                _ => LabelOutcome::NotApplicable,
            };
            PartDraft {
                facts: facts_of(part),
                answers: vec![Answer::Absent(outcome); bundles],
            }
        };
        let draft = Self {
            event,
            evaluation_time,
            given_flags: flags.len(),
            flags,
            parts: parts.iter().map(part_draft).collect(),
            given_parts: Vec::new(),
            awaited: 0,
        };
        (draft, parts)
    }

    pub(crate) fn flag(&mut self, flag: Flag) {
        if !self.flags.contains(&flag) {
            self.flags.push(flag);
        }
    }

    /// Notes what a part's text is like.
    pub(crate) fn describe(&mut self, part: usize, language: Language, windows: usize) {
        let facts = &mut self.parts[part].facts;
        facts.detected_language = Some(language);
        facts.windows = u32::try_from(windows).unwrap_or(u32::MAX);
    }

    /// Notes what is known of a part before any batch.
    pub(crate) fn begin(&mut self, part: usize, answers: Vec<Answer>) {
        let is_awaited = |answer: &&Answer| matches!(answer, Answer::Awaited);
        self.awaited += answers.iter().filter(is_awaited).count();
        self.parts[part].answers = answers;
    }

    /// Notes that reading a part failed.
    pub(crate) fn fail(&mut self, part: usize) {
        self.flag(Flag::InferenceFailed);
        self.parts[part]
            .answers
            .fill(Answer::Absent(LabelOutcome::Failed));
    }

    /// Keeps the parts as they came, for [`Draft::into_content`].
    pub(crate) fn keep(&mut self, parts: Vec<Part>) {
        self.given_parts = parts;
    }

    /// Returns the event as it came.
    pub(crate) fn into_content(mut self) -> (ContentEvent, Timestamp) {
        self.flags.truncate(self.given_flags);
        let content = ContentEvent {
            event: self.event,
            parts: self.given_parts,
            flags: self.flags,
        };
        (content, self.evaluation_time)
    }

    pub(crate) fn is_awaiting(&self) -> bool {
        self.awaited > 0
    }

    /// Notes an answer of one bundle about one part, which is awaited; returns whether it was the last.
    pub(crate) fn answer(&mut self, part: usize, bundle: usize, answer: Answer) -> bool {
        self.parts[part].answers[bundle] = answer;
        self.awaited -= 1;
        self.awaited == 0
    }

    pub(crate) fn time_out(&mut self) {
        for answer in self.parts.iter_mut().flat_map(|part| &mut part.answers) {
            if matches!(answer, Answer::Awaited) {
                *answer = Answer::Absent(LabelOutcome::TimedOut);
            }
        }
    }

    /// Writes the scored event.
    pub(crate) fn finish(mut self, generation: &Generation) -> ScoredEvent {
        let mut scores = Vec::new();
        let mut was_computed = false;
        for (index, part) in self.parts.iter().enumerate() {
            for (position, (bundle, answer)) in
                generation.bundles().iter().zip(&part.answers).enumerate()
            {
                was_computed |= matches!(answer, Answer::Scores(_));
                let place = (index as u32, position as u32);
                scores.extend(label_scores(bundle, &part.facts, answer, place));
            }
        }
        for (outcome, flag) in [
            (LabelOutcome::TimedOut, Flag::TimedOut),
            (LabelOutcome::Failed, Flag::InferenceFailed),
        ] {
            // A broken part has a flag of its own, and what runs in the shadow is no flaw of the event.
            let is_meant = |score: &LabelScore| {
                let bundle = score
                    .bundle
                    .map(|index| &generation.bundles()[index as usize]);
                score.outcome == outcome && bundle.is_some_and(LoadedBundle::is_serving)
            };
            if scores.iter().any(is_meant) {
                self.flag(flag);
            }
        }
        ScoredEvent {
            cause: self.event.cause(),
            event: self.event,
            source: SOURCE.to_owned(),
            parts: self.parts.into_iter().map(|part| part.facts).collect(),
            scores,
            evaluation_time: self.evaluation_time,
            deployment_version: generation.version(),
            bundles: generation.identities().to_vec(),
            flags: self.flags,
            overturned: Vec::new(),
            cpu_class: if was_computed {
                cpu_class().to_owned()
            } else {
                String::new()
            },
        }
    }
}

fn facts_of(part: &Part) -> ScoredPart {
    let characters = match &part.content {
        PartContent::Text(text) => text.expose().chars().count(),
        PartContent::Reference(_) | PartContent::Broken(_) => 0,
    };
    ScoredPart {
        part_id: part.part_id.clone(),
        origin: part.origin,
        condition: part.content.condition(),
        declared_language: part.declared_language,
        detected_language: None,
        characters: u32::try_from(characters).unwrap_or(u32::MAX),
        windows: 0,
    }
}

/// Writes what one bundle says of one part, a label each. Where no bundle was asked, only serving ones have a line.
fn label_scores<'a>(
    bundle: &'a LoadedBundle,
    facts: &'a ScoredPart,
    answer: &'a Answer,
    (part, position): (u32, u32),
) -> impl Iterator<Item = LabelScore> + 'a {
    let was_asked = facts.windows > 0;
    let labels = if was_asked || bundle.is_serving() {
        bundle.labels()
    } else {
        &[]
    };
    let language = facts
        .detected_language
        .or(facts.declared_language)
        .unwrap_or_else(Language::undetermined);
    labels.iter().enumerate().map(move |(index, label)| {
        let support = bundle.support(index, language);
        let outcome = match answer {
            _ if was_asked && support == Support::Unsupported => LabelOutcome::UnsupportedLanguage,
            Answer::Scores(scores) => LabelOutcome::Scored(scores[index]),
            Answer::Absent(outcome) => *outcome,
            // A draft is finished when nothing is awaited any more.
            Answer::Awaited => LabelOutcome::Failed,
        };
        LabelScore {
            part,
            label: label.clone(),
            outcome,
            bundle: was_asked.then_some(position),
            support,
        }
    })
}

//! What an event's scores say, without the bundles that do not decide.

use crate::policy::CompiledPolicy;
use crate::{
    BundleRole, EventKind, Label, LabelOutcome, LabelScore, Language, PartCondition, Score,
    ScoredEvent, Support,
};

/// One thing that was said of the event, or should have been.
pub(super) struct Evidence<'a> {
    /// The category of its label; `None` where nothing was said, which concerns every category.
    pub(super) category: Option<u8>,
    pub(super) label: Option<&'a Label>,
    /// Index into the event's parts.
    pub(super) part: Option<usize>,
    pub(super) language: Option<Language>,
    pub(super) outcome: LabelOutcome,
    pub(super) weight: Weight,
}

/// What a rule may do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// A score good enough to act on.
    Usable(Score),
    /// A score good enough to ask a person.
    Experimental(Score),
    /// A score should be here.
    Missing,
    /// A score should be here, but the models do not know the language.
    UnknownLanguage,
}

/// Collects what serving bundles said of labels that the policy knows, and the silences where they should have spoken.
pub(super) fn collect<'a>(scored: &'a ScoredEvent, policy: &CompiledPolicy) -> Vec<Evidence<'a>> {
    let mut evidence = Vec::with_capacity(scored.scores.len());
    for score in &scored.scores {
        let Some(outcome) = deciding_outcome(scored, score) else {
            continue;
        };
        let (Some(category), Some(weight)) = (
            policy.category_of(&score.label),
            weigh(outcome, score.support),
        ) else {
            continue;
        };
        let place = score.part as usize;
        let part = scored.parts.get(place);
        evidence.push(Evidence {
            category: Some(category),
            label: Some(&score.label),
            part: part.map(|_| place),
            language: part.and_then(|part| part.detected_language),
            outcome,
            weight,
        });
    }
    add_silences(scored, &mut evidence);
    evidence
}

/// Returns the outcome that a decision may look at; `None` from bundles that do not serve. One that names a bundle that
/// does not exist says nothing that can be relied on.
fn deciding_outcome(scored: &ScoredEvent, score: &LabelScore) -> Option<LabelOutcome> {
    let Some(bundle) = score.bundle else {
        return Some(score.outcome);
    };
    match scored.bundles.get(bundle as usize) {
        Some(bundle) if bundle.role == BundleRole::Serving => Some(score.outcome),
        Some(_) => None,
        None => Some(LabelOutcome::Failed),
    }
}

fn weigh(outcome: LabelOutcome, support: Support) -> Option<Weight> {
    match (outcome, support) {
        (LabelOutcome::Scored(score), Support::Supported) => Some(Weight::Usable(score)),
        (LabelOutcome::Scored(score), Support::Experimental) => Some(Weight::Experimental(score)),
        (LabelOutcome::Scored(_), Support::Unsupported)
        | (LabelOutcome::UnsupportedLanguage, _) => Some(Weight::UnknownLanguage),
        (LabelOutcome::Failed | LabelOutcome::TimedOut, _) => Some(Weight::Missing),
        (LabelOutcome::NotApplicable | LabelOutcome::SkippedByCascade, _) => None,
    }
}

fn add_silences(scored: &ScoredEvent, evidence: &mut Vec<Evidence<'_>>) {
    if scored.parts.is_empty() && says_something(scored.event.kind) {
        evidence.push(silence(None, None));
    }
    let mut is_spoken_of = vec![false; scored.parts.len()];
    for score in &scored.scores {
        if let Some(part) = is_spoken_of.get_mut(score.part as usize) {
            *part |= deciding_outcome(scored, score).is_some();
        }
    }
    for (place, part) in scored.parts.iter().enumerate() {
        if !is_spoken_of[place] && part.condition != PartCondition::Reference {
            evidence.push(silence(Some(place), part.detected_language));
        }
    }
}

fn silence<'a>(part: Option<usize>, language: Option<Language>) -> Evidence<'a> {
    Evidence {
        category: None,
        label: None,
        part,
        language,
        outcome: LabelOutcome::Failed,
        weight: Weight::Missing,
    }
}

/// Returns whether an event of that kind has content, so that none at all means that it was lost.
fn says_something(kind: EventKind) -> bool {
    match kind {
        EventKind::React | EventKind::Follow | EventKind::Delete | EventKind::AccountChange => {
            false
        }
        EventKind::Publish
        | EventKind::Edit
        | EventKind::Message
        | EventKind::Report
        | EventKind::LiveSegment
        | EventKind::Unrecognised => true,
    }
}

//! Which rules match, and why.

use super::ages::{Ages, is_protected};
use super::evidence::{Evidence, Weight, collect};
use super::identity;
use crate::policy::{Canary, CanaryUnit, CompiledPolicy, CompiledRule};
use crate::{
    Event, Label, LabelOutcome, MatchedRule, OnMissing, PartId, RuleMode, Score, ScoredEvent,
    Trigger,
};

/// A rule that matched.
pub(super) struct RuleMatch<'a> {
    pub(super) rule: &'a CompiledRule,
    pub(super) enforced: bool,
    trigger: Trigger,
    pub(super) effects: Effects,
    label: Option<&'a Label>,
    part_id: Option<&'a PartId>,
    outcome: LabelOutcome,
    threshold: Score,
    source: u16,
}

impl RuleMatch<'_> {
    pub(super) fn into_matched(self, policy: &CompiledPolicy) -> MatchedRule {
        MatchedRule {
            rule_id: self.rule.id.clone(),
            issue: self.rule.issue.clone(),
            category: self.rule.category.clone(),
            severity: self.rule.severity,
            mode: self.rule.mode,
            enforced: self.enforced,
            trigger: self.trigger,
            label: self.label.cloned(),
            part_id: self.part_id.cloned(),
            outcome: self.outcome,
            threshold: self.threshold,
            threshold_source: policy.source_name(self.source),
            reason: self.rule.reason.clone(),
        }
    }
}

/// Finds the rules that match, in the policy's order.
pub(super) fn find<'a>(
    scored: &'a ScoredEvent,
    policy: &'a CompiledPolicy,
    ages: &Ages,
) -> Vec<RuleMatch<'a>> {
    let evidence = collect(scored, policy);
    if evidence.is_empty() {
        return Vec::new();
    }
    let region = scored
        .event
        .author
        .as_ref()
        .and_then(|author| author.region);
    let block = policy.block(scored.event.surface, region);
    let mut matches = Vec::new();
    for (place, rule) in policy.rules().iter().enumerate() {
        let applies = rule.applies(
            scored.event.kind,
            ages.author,
            ages.protected.targets,
            scored.evaluation_time,
        );
        if !applies {
            continue;
        }
        let mut strongest: Option<Strongest<'_, 'a>> = None;
        let mut effects = Effects::default();
        for item in &evidence {
            if item
                .category
                .is_some_and(|category| !rule.is_about(category))
            {
                continue;
            }
            let Some(threshold) = policy.threshold(place, block, item.language, ages.protected)
            else {
                continue;
            };
            let Some(strength) = strength(rule, item.weight, threshold.score) else {
                continue;
            };
            effects.add(strength);
            if strongest
                .as_ref()
                .is_none_or(|best| strength > best.strength)
            {
                strongest = Some(Strongest {
                    strength,
                    item,
                    threshold: threshold.score,
                    source: threshold.source,
                });
            }
        }
        if let Some(found) = strongest {
            matches.push(found.into_match(scored, rule, effects));
        }
    }
    matches
}

/// What a piece of evidence makes a rule do; the greatest counts. A missing score is never stronger than a score, and an
/// interim action is stronger than a question, so that whatever score stood in for a missing one, no less is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    AsksForMissing,
    AsksForExperimental(Score),
    ActsForMissing,
    Acts(Score),
}

fn strength(rule: &CompiledRule, weight: Weight, threshold: Score) -> Option<Strength> {
    match weight {
        Weight::Usable(score) => (score >= threshold).then_some(Strength::Acts(score)),
        Weight::Experimental(score) => {
            let leaves_something_to_a_person =
                rule.review.is_some() || rule.on_missing != OnMissing::Allow;
            (score >= threshold && leaves_something_to_a_person)
                .then_some(Strength::AsksForExperimental(score))
        }
        Weight::Missing => without_score(rule.on_missing),
        Weight::UnknownLanguage => without_score(rule.on_unsupported),
    }
}

fn without_score(on_missing: OnMissing) -> Option<Strength> {
    match on_missing {
        OnMissing::Allow => None,
        OnMissing::Review => Some(Strength::AsksForMissing),
        OnMissing::Interim => Some(Strength::ActsForMissing),
    }
}

/// All that the evidence makes a rule do. A score in one part does not answer for a missing one in another.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Effects {
    pub(super) acts: bool,
    pub(super) acts_meanwhile: bool,
    pub(super) asks: bool,
}

impl Effects {
    fn add(&mut self, strength: Strength) {
        match strength {
            Strength::Acts(_) => self.acts = true,
            Strength::ActsForMissing => {
                self.acts_meanwhile = true;
                self.asks = true;
            }
            Strength::AsksForExperimental(_) | Strength::AsksForMissing => self.asks = true,
        }
    }
}

/// The strongest evidence so far.
struct Strongest<'e, 'a> {
    strength: Strength,
    item: &'e Evidence<'a>,
    threshold: Score,
    source: u16,
}

impl<'a> Strongest<'_, 'a> {
    fn into_match(
        self,
        scored: &'a ScoredEvent,
        rule: &'a CompiledRule,
        effects: Effects,
    ) -> RuleMatch<'a> {
        RuleMatch {
            rule,
            enforced: is_enforced(rule, &scored.event),
            trigger: match self.strength {
                Strength::Acts(_) => Trigger::Score,
                Strength::ActsForMissing => Trigger::MissingInterim,
                Strength::AsksForExperimental(_) => Trigger::UnsupportedReview,
                Strength::AsksForMissing => Trigger::MissingReview,
            },
            effects,
            label: self.item.label,
            part_id: self.item.part.map(|place| &scored.parts[place].part_id),
            outcome: self.item.outcome,
            threshold: self.threshold,
            source: self.source,
        }
    }
}

fn is_enforced(rule: &CompiledRule, event: &Event) -> bool {
    match (rule.mode, rule.canary) {
        (RuleMode::Live, _) => true,
        (RuleMode::Canary, Some(canary)) => is_in_share(rule, canary, event),
        _ => false,
    }
}

/// Draws by hash, so that the same account is in or out of a rule's share everywhere and always.
fn is_in_share(rule: &CompiledRule, canary: Canary, event: &Event) -> bool {
    let is_drawn = |unit: &str| {
        let place = identity::draw(&rule.id, unit);
        place < canary.share.thousandths()
    };
    match canary.unit {
        CanaryUnit::Author => match &event.author {
            Some(author) => is_drawn(author.account_id.as_str()),
            None => is_drawn(event.subject.id.as_str()),
        },
        CanaryUnit::Target => {
            let mut targets = event
                .targets
                .iter()
                .filter(|target| is_protected(target.role))
                .peekable();
            match targets.peek() {
                Some(_) => targets.any(|target| is_drawn(target.account.account_id.as_str())),
                None => is_drawn(event.subject.id.as_str()),
            }
        }
    }
}

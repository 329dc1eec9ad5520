//! Decisions: what a policy says of each event.

use std::sync::Arc;

use moderation::{
    AccountId, ActionId, Decision, DecisionId, DeploymentVersion, EffectiveAge, EventId, Label,
    LabelOutcome, MatchedRule, PartId, PolicyVersion, RuleId, Score, TargetRole, TaskId,
};

use crate::event::subject;
use crate::invalid::{Invalid, Path, Problem};
use crate::label_scores::outcome_from_wire;
use crate::reading::{Reading, absent_or, known, required, required_time};
use crate::scored::{bundle, cause};
use crate::time::timestamp_to_wire;
use crate::v1;
use crate::words::Word;

/// Facts on which an age band may rest.
const BASES: [&str; 5] = ["assured", "inferred", "declared", "state", "unknown"];
/// The role of whoever acts; the others are roles of targets.
const AUTHOR: &str = "author";

impl TryFrom<v1::Decision> for Decision {
    type Error = Invalid;

    fn try_from(wire: v1::Decision) -> Result<Self, Invalid> {
        crate::strict(|reading| decision(reading, wire))
    }
}

fn decision(reading: &mut Reading<'_>, wire: v1::Decision) -> Result<Decision, Invalid> {
    let at = Path::ROOT;
    let subject_at = at.field("subject");
    Ok(Decision {
        decision_id: required(&at.field("decision_id"), wire.decision_id, DecisionId::new)?,
        event_id: required(&at.field("event_id"), wire.event_id, EventId::new)?,
        cause: cause(reading, &at.field("cause"), wire.cause)?,
        decided_by: known(&at.field("decided_by"), wire.decided_by)?,
        supersedes: absent_or(&at.field("supersedes"), wire.supersedes, DecisionId::new)?,
        subject: subject(
            reading,
            &subject_at,
            wire.subject.ok_or_else(|| subject_at.missing())?,
        )?,
        kind: reading.open(&at.field("kind"), wire.kind),
        surface: reading.open(&at.field("surface"), wire.surface),
        author: absent_or(&at.field("author_id"), wire.author_id, AccountId::new)?,
        author_region: reading.region(&at.field("author_region"), &wire.author_region),
        target_regions: wire
            .target_regions
            .iter()
            .filter_map(|region| reading.region(&at.field("target_regions"), region))
            .collect(),
        languages: wire
            .languages
            .iter()
            .filter_map(|language| reading.language(&at.field("languages"), language))
            .collect(),
        detection_source: reading.open(&at.field("detection_source"), wire.detection_source),
        ages: each(&at, "ages", wire.ages, effective_age)?,
        matched: each(&at, "matched", wire.matched, matched_rule)?,
        action_ids: each(&at, "action_ids", wire.action_ids, |at, id| {
            required(at, id, ActionId::new)
        })?,
        review_task_id: absent_or(
            &at.field("review_task_id"),
            wire.review_task_id,
            TaskId::new,
        )?,
        policy_version: PolicyVersion(wire.policy_version),
        deployment_version: DeploymentVersion(wire.deployment_version),
        bundles: each(&at, "bundles", wire.bundles, |at, wire| {
            bundle(reading, at, wire)
        })?,
        evaluation_time: required_time(&at.field("evaluation_time"), wire.evaluation_time)?,
        source: wire.source,
        flags: each(&at, "flags", wire.flags, known)?,
        cpu_class: wire.cpu_class,
    })
}

/// Reads a list of which every element must be right.
pub(crate) fn each<W, T>(
    at: &Path<'_>,
    name: &'static str,
    wire: Vec<W>,
    mut read: impl FnMut(&Path<'_>, W) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    wire.into_iter()
        .enumerate()
        .map(|(index, wire)| read(&at.item(name, index), wire))
        .collect()
}

fn effective_age(at: &Path<'_>, wire: v1::EffectiveAge) -> Result<EffectiveAge, Invalid> {
    let role = if wire.role == AUTHOR {
        AUTHOR
    } else {
        target_role(&at.field("role"), &wire.role)?.as_str()
    };
    let basis = BASES
        .into_iter()
        .find(|basis| *basis == wire.basis)
        .ok_or_else(|| at.field("basis").invalid(Problem::UnknownValue))?;
    Ok(EffectiveAge {
        role,
        account_id: required(&at.field("account_id"), wire.account_id, AccountId::new)?,
        band: wire.band.into(),
        basis,
    })
}

fn target_role(at: &Path<'_>, word: &str) -> Result<TargetRole, Invalid> {
    if word == TargetRole::Unrecognised.as_str() {
        return Ok(TargetRole::Unrecognised);
    }
    word.parse().map_err(|_| at.invalid(Problem::UnknownValue))
}

fn matched_rule(at: &Path<'_>, wire: v1::MatchedRule) -> Result<MatchedRule, Invalid> {
    Ok(MatchedRule {
        rule_id: required(&at.field("rule_id"), wire.rule_id, RuleId::new)?,
        issue: wire.issue.into(),
        category: wire.category.into(),
        severity: known(&at.field("severity"), wire.severity)?,
        mode: known(&at.field("mode"), wire.mode)?,
        enforced: wire.enforced,
        trigger: known(&at.field("trigger"), wire.trigger)?,
        label: absent_or(&at.field("label"), wire.label, Label::new)?,
        part_id: absent_or(&at.field("part_id"), wire.part_id, PartId::new)?,
        outcome: outcome(at, wire.status, wire.score)?,
        threshold: thousandths(&at.field("threshold"), wire.threshold)?,
        threshold_source: wire.threshold_source.into(),
        reason: wire.reason.into(),
    })
}

fn outcome(at: &Path<'_>, status: i32, score: Option<u32>) -> Result<LabelOutcome, Invalid> {
    let score = score
        .map(|score| thousandths(&at.field("score"), score))
        .transpose()?;
    outcome_from_wire(status, score)
        .ok_or_else(|| at.field("status").invalid(Problem::UnknownValue))
}

fn thousandths(at: &Path<'_>, value: u32) -> Result<Score, Invalid> {
    Score::from_thousandths(value).ok_or_else(|| at.invalid(Problem::OutOfRange))
}

impl From<&Decision> for v1::Decision {
    fn from(decision: &Decision) -> Self {
        Self {
            decision_id: decision.decision_id.as_str().to_owned(),
            event_id: decision.event_id.as_str().to_owned(),
            cause: Some((&decision.cause).into()),
            decided_by: decision.decided_by.number(),
            supersedes: text(decision.supersedes.as_ref().map(DecisionId::as_str)),
            subject: Some((&decision.subject).into()),
            kind: decision.kind.number(),
            surface: decision.surface.number(),
            author_id: text(decision.author.as_ref().map(AccountId::as_str)),
            author_region: text(
                decision
                    .author_region
                    .as_ref()
                    .map(|region| region.as_str()),
            ),
            target_regions: strings(decision.target_regions.iter().map(|region| region.as_str())),
            languages: strings(decision.languages.iter().map(|language| language.as_str())),
            detection_source: decision.detection_source.number(),
            ages: decision.ages.iter().map(Into::into).collect(),
            matched: decision.matched.iter().map(Into::into).collect(),
            action_ids: strings(decision.action_ids.iter().map(ActionId::as_str)),
            review_task_id: text(decision.review_task_id.as_ref().map(TaskId::as_str)),
            policy_version: decision.policy_version.0,
            deployment_version: decision.deployment_version.0,
            bundles: decision.bundles.iter().map(Into::into).collect(),
            evaluation_time: Some(timestamp_to_wire(decision.evaluation_time)),
            source: decision.source.clone(),
            flags: decision.flags.iter().map(|flag| flag.number()).collect(),
            cpu_class: decision.cpu_class.clone(),
        }
    }
}

impl From<&EffectiveAge> for v1::EffectiveAge {
    fn from(age: &EffectiveAge) -> Self {
        Self {
            role: age.role.to_owned(),
            account_id: age.account_id.as_str().to_owned(),
            band: age.band.as_ref().to_owned(),
            basis: age.basis.to_owned(),
        }
    }
}

impl From<&MatchedRule> for v1::MatchedRule {
    fn from(rule: &MatchedRule) -> Self {
        let shared = |text: &Arc<str>| text.as_ref().to_owned();
        Self {
            rule_id: rule.rule_id.as_str().to_owned(),
            issue: shared(&rule.issue),
            category: shared(&rule.category),
            severity: rule.severity.number(),
            mode: rule.mode.number(),
            enforced: rule.enforced,
            trigger: rule.trigger.number(),
            label: text(rule.label.as_ref().map(Label::as_str)),
            part_id: text(rule.part_id.as_ref().map(PartId::as_str)),
            score: rule
                .outcome
                .score()
                .map(|score| u32::from(score.thousandths())),
            threshold: u32::from(rule.threshold.thousandths()),
            threshold_source: shared(&rule.threshold_source),
            reason: shared(&rule.reason),
            status: v1::ScoreStatus::from(rule.outcome) as i32,
        }
    }
}

/// Writes text that may be absent.
pub(crate) fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

/// Writes a list of names.
pub(crate) fn strings<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.map(str::to_owned).collect()
}

//! What is unsafe or senseless about a policy that has the form of one.
//!
//! | code | | says |
//! |---|---|---|
//! | `T201` | error | a minor is protected less than an adult, as target or viewer |
//! | `T202` | error | some authors are sanctioned more severely than others for their age, without a waiver |
//! | `T203` | warning | a rule never matches, or never adds anything to another |
//! | `T204` | warning | content is removed or disabled and nobody looks at it |
//! | `T205` | error | what is done to an account, or told an authority of it, rests on one automated score, without a waiver |
//! | `T206` | error | the tables are too large; the rule that adds most |
//! | `T208` | warning | a cap for viewers of a band that no event tells of |
//! | `T209` | warning | an override or a cap changes nothing |
//! | `T210` | warning | interim actions that are never taken |
//!
//! `T1…` codes are of form, and come from [`Policy::parse`].

use std::collections::BTreeSet;

use super::compiled::explosion;
use super::protection::{self, Side, does_the_same, includes_all, matches_as_low};
use super::table::{Dimensions, Layer, base_threshold, oversized};
use super::{ActionSubject, Finding, Policy, Rule};
use crate::{ActionKind, OnMissing, Score};

/// Says what is unsafe (errors) or senseless (warnings) about a policy, in the order of the document.
pub fn lint(policy: &Policy) -> Vec<Finding> {
    if let Some((rule, cells)) = oversized(policy) {
        return vec![explosion(rule, cells)];
    }
    let mut findings = protection::check(policy);
    for rule in &policy.rules {
        findings.extend(unreachable(policy, rule));
        findings.extend(removal_without_review(rule));
        findings.extend(account_sanction(rule));
        findings.extend(idle_viewer_caps(policy, rule));
        findings.extend(idle_layers(policy, rule));
        findings.extend(idle_interim(rule));
    }
    findings.sort_by_key(|finding| (finding.line, finding.column, finding.code));
    findings
}

fn unreachable(policy: &Policy, rule: &Rule) -> Option<Finding> {
    let mut about = policy
        .categories
        .iter()
        .filter(|category| category.is_within(&rule.category));
    if about.all(|category| category.labels.is_empty()) {
        return Some(Finding::warning(
            "T203",
            rule.position,
            format!(
                "rule {} never matches: no label speaks of {}",
                rule.id, rule.category
            ),
            "name the models' labels in the category",
        ));
    }
    let adds_nothing_to = |other: &&Rule| {
        let is_first_of_equals =
            other.position < rule.position || !adds_nothing(policy, other, rule);
        other.id != rule.id && adds_nothing(policy, rule, other) && is_first_of_equals
    };
    let other = policy.rules.iter().find(adds_nothing_to)?;
    Some(Finding::warning(
        "T203",
        rule.position,
        format!("rule {} adds nothing to rule {}", rule.id, other.id),
        "remove it, or make it differ",
    ))
}

/// Returns whether another rule does all that a rule does, for everybody. Rules that do not act report matches of their
/// own, which nothing else does.
fn adds_nothing(policy: &Policy, rule: &Rule, other: &Rule) -> bool {
    let sides = || {
        let targets = |band| (Side::of_target(other, band), Side::of_target(rule, band));
        let viewers = |band| (Side::of_viewer(other, band), Side::of_viewer(rule, band));
        let bands = policy.age.all();
        bands.flat_map(move |band| [targets(band), viewers(band)])
    };
    rule.acts()
        && other.severity >= rule.severity
        && includes_all(&other.authors, &rule.authors)
        && includes_all(&other.targets, &rule.targets)
        && does_the_same(policy, other, rule)
        && matches_as_low(&sides().collect::<Vec<_>>())
}

fn removal_without_review(rule: &Rule) -> Option<Finding> {
    let removal = rule
        .actions
        .iter()
        .find(|action| matches!(action.kind, ActionKind::Remove | ActionKind::Disable))?;
    let is_looked_at = rule.review.is_some() || rule.waiver.is_some();
    (rule.acts() && !is_looked_at).then(|| {
        Finding::warning(
            "T204",
            rule.position,
            format!(
                "rule {} does {} and nobody looks at it",
                rule.id, removal.kind
            ),
            "add review = true, or say in `waiver` who allowed it",
        )
    })
}

fn account_sanction(rule: &Rule) -> Option<Finding> {
    use ActionKind as K;
    let mut actions = rule.actions.iter().chain(&rule.interim);
    let sanction = actions.find(|action| {
        let is_escalation = matches!(action.kind, K::PreserveEvidence | K::Escalate);
        match action.subject {
            ActionSubject::Author => !is_escalation && action.kind != K::NudgeAuthor,
            _ => action.kind == K::ReportToAuthority,
        }
    })?;
    (rule.acts() && rule.waiver.is_none()).then(|| {
        Finding::error(
            "T205",
            rule.position,
            format!(
                "rule {} does {} on one automated score",
                rule.id, sanction.kind
            ),
            "keep it in shadow and ask for review, or say in `waiver` who allowed it",
        )
    })
}

fn idle_viewer_caps(policy: &Policy, rule: &Rule) -> Option<Finding> {
    let known = policy.age.unknown();
    let band = rule.caps.viewer.keys().find(|band| **band != known)?;
    Some(Finding::warning(
        "T208",
        rule.position,
        format!(
            "rule {}: no event tells of viewers in band {}",
            rule.id,
            policy.age.name(*band)
        ),
        format!(
            "viewers are read as {}; cap that band",
            policy.age.name(known)
        ),
    ))
}

fn idle_layers(policy: &Policy, rule: &Rule) -> Vec<Finding> {
    let dimensions = Dimensions::of(std::iter::once(rule));
    let reached = || {
        dimensions
            .contexts()
            .filter_map(|context| base_threshold(rule, context))
    };
    let highest = reached().map(|(score, _)| score).max();
    let effective: BTreeSet<Layer> = reached().map(|(_, layer)| layer).collect();
    let effective: BTreeSet<String> = effective.iter().map(Layer::to_string).collect();
    let idle = |layer: &String, score: Score| match layer.strip_prefix("cap:") {
        Some(_) => highest.is_none_or(|highest| score >= highest),
        None => !effective.contains(layer),
    };
    let mut names: Vec<String> = super::difference::layers_of(rule, &policy.age)
        .into_iter()
        .filter(|(layer, score)| idle(layer, *score))
        .map(|(layer, _)| layer)
        .collect();
    let unaddressed = rule
        .caps
        .target
        .keys()
        .filter(|band| !rule.targets.is_empty() && !rule.targets.contains(band))
        .map(|band| format!("cap:target={}", policy.age.name(*band)));
    names.extend(unaddressed);
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|layer| {
            Finding::warning(
                "T209",
                rule.position,
                format!("rule {}: {layer} changes nothing", rule.id),
                "remove it, or set it where it has an effect",
            )
        })
        .collect()
}

fn idle_interim(rule: &Rule) -> Option<Finding> {
    let is_taken = [rule.on_missing, rule.on_unsupported].contains(&OnMissing::Interim);
    (!rule.interim.is_empty() && !is_taken).then(|| {
        Finding::warning(
            "T210",
            rule.position,
            format!("rule {} has interim actions that are never taken", rule.id),
            "set on_missing = \"interim\", or remove them",
        )
    })
}

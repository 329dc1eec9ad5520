//! Whether a policy treats some people worse than it may.
//!
//! Both checks look at rules that act, with their modes, shares, schedules, overrides and caps: a rule that protects adults
//! today is no excuse for one that will protect minors tomorrow.

use super::table::{Context, Dimensions, base_threshold};
use super::{Band, Finding, Policy, PolicyAction, Rule};
use crate::{ActionKind, OnMissing, Score, Timestamp};

/// Finds where a minor is protected less than an adult, or sanctioned more.
pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in policy.rules.iter().filter(|rule| rule.acts()) {
        findings.extend(less_protected_target(policy, rule));
        findings.extend(less_protected_viewer(policy, rule));
        findings.extend(harder_on_some_authors(policy, rule));
    }
    findings
}

fn includes<T: PartialEq>(list: &[T], item: &T) -> bool {
    list.is_empty() || list.contains(item)
}

fn adults(policy: &Policy) -> [Band; 2] {
    [policy.age.unassured_adult(), policy.age.adult()]
}

fn pairs(policy: &Policy) -> impl Iterator<Item = (Band, Band)> + '_ {
    policy
        .age
        .minors()
        .flat_map(|minor| adults(policy).map(|adult| (minor, adult)))
}

fn less_protected_target(policy: &Policy, rule: &Rule) -> Option<Finding> {
    let is_left_out = |(minor, adult): &(Band, Band)| {
        let ours = Side::of_target(rule, *adult);
        includes(&rule.targets, adult)
            && !policy.rules.iter().any(|other| {
                includes(&other.targets, minor)
                    && has_wider_audience(policy, other, rule)
                    && does_as_much(policy, Side::of_target(other, *minor), ours)
            })
    };
    let (minor, adult) = pairs(policy).find(is_left_out)?;
    Some(less_protected(policy, rule, "target", minor, adult))
}

fn less_protected_viewer(policy: &Policy, rule: &Rule) -> Option<Finding> {
    let is_left_out = |(minor, adult): &(Band, Band)| {
        let ours = Side::of_viewer(rule, *adult);
        !policy.rules.iter().any(|other| {
            includes_all(&other.targets, &rule.targets)
                && has_wider_audience(policy, other, rule)
                && does_as_much(policy, Side::of_viewer(other, *minor), ours)
        })
    };
    let (minor, adult) = pairs(policy).find(is_left_out)?;
    Some(less_protected(policy, rule, "viewer", minor, adult))
}

fn less_protected(policy: &Policy, rule: &Rule, role: &str, minor: Band, adult: Band) -> Finding {
    let (minor, adult) = (policy.age.name(minor), policy.age.name(adult));
    Finding::error(
        "T201",
        rule.position,
        format!(
            "rule {} protects a {role} in band {minor} less than one in band {adult}",
            rule.id
        ),
        format!("give {minor} a cap at most as high, and no rule that acts later or less"),
    )
}

/// An author of unknown age is read as an unassured adult, so these must fare exactly as adults do.
fn harder_on_some_authors(policy: &Policy, rule: &Rule) -> Option<Finding> {
    let sanctions = rule.actions.iter().chain(&rule.interim);
    if rule.waiver.is_some() || !sanctions.clone().any(|action| is_sanction(action.kind)) {
        return None;
    }
    let (adult, unassured) = (policy.age.adult(), policy.age.unassured_adult());
    let minors = policy.age.minors().map(|minor| (minor, adult));
    let equals = [(unassured, adult), (adult, unassured)];
    let (sanctioned, spared) = minors.chain(equals).find(|(sanctioned, spared)| {
        includes(&rule.authors, sanctioned)
            && !policy.rules.iter().any(|other| {
                includes(&other.authors, spared)
                    && includes_all(&other.targets, &rule.targets)
                    && does_as_much(policy, Side::of_anybody(other), Side::of_anybody(rule))
            })
    })?;
    let (sanctioned, spared) = (policy.age.name(sanctioned), policy.age.name(spared));
    Some(Finding::error(
        "T202",
        rule.position,
        format!(
            "rule {} sanctions authors in band {sanctioned} more severely than those in band {spared}",
            rule.id
        ),
        format!("add {spared} to its authors, or say in `waiver` who allowed it"),
    ))
}

/// Returns whether an action is one that its author would rather not have.
fn is_sanction(kind: ActionKind) -> bool {
    use ActionKind as K;
    !matches!(
        kind,
        K::FilterForTarget
            | K::NudgeAuthor
            | K::NotifyTarget
            | K::OfferSupport
            | K::PreserveEvidence
            | K::Escalate
    )
}

fn has_wider_audience(policy: &Policy, other: &Rule, rule: &Rule) -> bool {
    policy
        .age
        .all()
        .all(|band| includes(&other.authors, &band) || !includes(&rule.authors, &band))
}

/// Returns whether a list of what applies (empty: all) holds all of another.
pub(super) fn includes_all<T: PartialEq>(wider: &[T], narrower: &[T]) -> bool {
    wider.is_empty() || (!narrower.is_empty() && narrower.iter().all(|item| wider.contains(item)))
}

/// A rule as it meets somebody: with the caps that hold for them.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) rule: &'a Rule,
    cap: Option<Score>,
}

impl<'a> Side<'a> {
    pub(super) fn of_target(rule: &'a Rule, band: Band) -> Self {
        let cap = rule.caps.target.get(&band).copied();
        Self { rule, cap }
    }

    pub(super) fn of_viewer(rule: &'a Rule, band: Band) -> Self {
        let cap = rule.caps.viewer.get(&band).copied();
        Self { rule, cap }
    }

    pub(super) fn of_anybody(rule: &'a Rule) -> Self {
        Self { rule, cap: None }
    }

    fn capped(self, threshold: Score) -> Score {
        self.cap.map_or(threshold, |cap| cap.min(threshold))
    }
}

/// Returns whether one rule does everything that another does, wherever, whenever and from whatever score on it does it.
fn does_as_much(policy: &Policy, other: Side<'_>, rule: Side<'_>) -> bool {
    does_the_same(policy, other.rule, rule.rule) && matches_as_low(&[(other, rule)])
}

/// Returns whether one rule does everything that another does, and whenever it does it, scores aside.
pub(super) fn does_the_same(policy: &Policy, wide: &Rule, narrow: &Rule) -> bool {
    let is_about = policy
        .categories
        .iter()
        .filter(|category| category.is_within(&narrow.category))
        .all(|category| category.is_within(&wide.category));
    let acts_as_often = wide.id == narrow.id || wide.share_thousandths() == 1000;
    is_about
        && acts_as_often
        && includes_all(&wide.kinds, &narrow.kinds)
        && lasts_as_long(wide, narrow)
        && has_all_actions(&wide.actions, &narrow.actions)
        && has_all_actions(&wide.interim, &narrow.interim)
        && strictness(wide.on_missing) >= strictness(narrow.on_missing)
        && strictness(wide.on_unsupported) >= strictness(narrow.on_unsupported)
        && reviews_as_soon(wide, narrow)
}

fn lasts_as_long(wide: &Rule, narrow: &Rule) -> bool {
    let from = |rule: &Rule| rule.valid_from.unwrap_or(Timestamp::from_millis(i64::MIN));
    let until = |rule: &Rule| rule.valid_until.unwrap_or(Timestamp::from_millis(i64::MAX));
    from(wide) <= from(narrow) && until(wide) >= until(narrow)
}

fn has_all_actions(wide: &[PolicyAction], narrow: &[PolicyAction]) -> bool {
    narrow.iter().all(|wanted| {
        wide.iter().any(|given| {
            let lasts = given.duration.is_none()
                || wanted
                    .duration
                    .is_some_and(|wanted| given.duration >= Some(wanted));
            given.kind == wanted.kind
                && given.subject == wanted.subject
                && given.label == wanted.label
                && given.feature == wanted.feature
                && includes_all(&given.territories, &wanted.territories)
                && lasts
        })
    })
}

fn strictness(on_missing: OnMissing) -> u8 {
    match on_missing {
        OnMissing::Allow => 0,
        OnMissing::Review => 1,
        OnMissing::Interim => 2,
    }
}

fn reviews_as_soon(wide: &Rule, narrow: &Rule) -> bool {
    match (wide.review, narrow.review) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(wide), Some(narrow)) => match (wide.due_in, narrow.due_in) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(wide), Some(narrow)) => wide <= narrow,
        },
    }
}

/// Returns whether the first rule of each pair matches wherever the second does. The pairs are the same two rules, as they
/// meet different people.
pub(super) fn matches_as_low(pairs: &[(Side<'_>, Side<'_>)]) -> bool {
    let Some((other, rule)) = pairs.first() else {
        return true;
    };
    let is_as_low = |context| {
        let Some((threshold, _)) = base_threshold(rule.rule, context) else {
            return true;
        };
        let Some((others, _)) = base_threshold(other.rule, context) else {
            return false;
        };
        let mut pairs = pairs.iter();
        pairs.all(|(other, rule)| other.capped(others) <= rule.capped(threshold))
    };
    // Most pairs of rules differ where nothing special is said: that spares looking everywhere else.
    is_as_low(Context::default()) && {
        let dimensions = Dimensions::of([other.rule, rule.rule].into_iter());
        dimensions.contexts().all(is_as_low)
    }
}

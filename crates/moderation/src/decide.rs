//! What a policy does with a scored event.

mod addressing;
mod ages;
mod evidence;
mod identity;
mod matching;
mod requests;
mod review;
mod wanted;

use std::collections::BTreeSet;

use crate::policy::CompiledPolicy;
use crate::{
    ActionOrigin, CauseKind, DecidedBy, Decision, EnforcementAction, EventKind, Flag, Language,
    Operation, OverturnedAction, Region, ReviewRequest, ScoredEvent,
};
use ages::Ages;
use wanted::WantedAction;

/// What comes of one scored event.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// What the policy says, no action included.
    pub decision: Decision,
    /// What the platform must do or undo: reversals first, then by kind, subject and beneficiary.
    pub actions: Vec<EnforcementAction>,
    /// What a person must look at, or need no longer.
    pub review: Option<ReviewRequest>,
}

/// Decides about an event under a policy. The same arguments give the same result, on every machine and at any time.
///
/// - A rule matches where a *serving* bundle's score of one of its labels reaches its effective threshold in some part; the
///   highest such score is reported. Scores of canary and shadow bundles never decide.
/// - Where the label is only `experimental` in the part's language, the match acts on nothing: it asks a person, if the rule
///   has anything for a person to do (it asks for review, or does not let missing scores pass).
/// - Where a score should be and is not (failed, timed out, unknown language; a readable or broken part of which no serving
///   bundle said anything; an event without parts whose kind has something to say), the rule's `on_missing` decides.
///   *Not applicable* and *skipped by cascade* are no missing scores. A source that speaks of other labels only is silent
///   about this one, which is no missing score either: sources speak of what they know.
/// - Shadow rules, and canaries outside their share, are reported as matched and do nothing. An interim action always comes
///   with a review. A match reports its strongest trigger; a score in one part does not answer for what is missing in another,
///   so the rule does what each of them asks.
/// - Where nobody knows the author, what would be done to them is asked of a person; so is what is meant for content where
///   an account is judged.
/// - A deleted subject is judged by no rule: what waits for it is cancelled.
/// - Where more targets were named than the limits allow, any of those left out may be a minor of any age.
/// - What a person overturned is reversed, once however often it is named. With an event that carries no scores, that is all; with one that does, the rules
///   judge as well, but cannot ask again for what this very event undoes.
/// - A decision is *not automated* if it only carries out what persons said, *partially automated* if it leaves the outcome
///   to a person (a review and no action), or mixes both; otherwise *fully automated*. An action that is taken at once is
///   fully automated, even if somebody will look at it afterwards.
pub fn decide(scored: &ScoredEvent, policy: &CompiledPolicy) -> Decided {
    let ages = Ages::read(scored, policy.age());
    let matches = if is_judged(scored) {
        matching::find(scored, policy, &ages)
    } else {
        Vec::new()
    };
    let decision_id = identity::decision_id(scored, policy.version());
    let requests = requests::gather(scored, policy, &matches);
    let languages = languages(scored);
    let review = review::request(
        scored,
        policy,
        &requests.reviewed_by,
        &decision_id,
        &languages,
    );
    let actions = enforcement_actions(scored, policy, requests.actions, &decision_id);
    let decision = Decision {
        decision_id,
        event_id: scored.event.event_id.clone(),
        cause: scored.cause.clone(),
        decided_by: decided_by(scored, &actions, review.as_ref()),
        supersedes: None,
        subject: scored.event.subject.clone(),
        kind: scored.event.kind,
        surface: scored.event.surface,
        author: scored
            .event
            .author
            .as_ref()
            .map(|author| author.account_id.clone()),
        author_region: scored
            .event
            .author
            .as_ref()
            .and_then(|author| author.region),
        target_regions: target_regions(scored),
        languages,
        detection_source: scored.event.detection_source,
        ages: ages.effective,
        matched: matches
            .into_iter()
            .map(|found| found.into_matched(policy))
            .collect(),
        action_ids: actions
            .iter()
            .map(|action| action.action_id.clone())
            .collect(),
        review_task_id: review.as_ref().map(|request| request.task_id.clone()),
        policy_version: policy.version(),
        deployment_version: scored.deployment_version,
        bundles: scored.bundles.clone(),
        evaluation_time: scored.evaluation_time,
        source: scored.source.clone(),
        flags: scored.flags.clone(),
        cpu_class: scored.cpu_class.clone(),
    };
    Decided {
        decision,
        actions,
        review,
    }
}

/// Returns whether rules have anything to say: not of what is gone, nor of a mere reversal. One that lost something on its
/// way may have been more.
fn is_judged(scored: &ScoredEvent) -> bool {
    let is_mere_reversal = !scored.overturned.is_empty()
        && scored.scores.is_empty()
        && !scored.flags.contains(&Flag::BrokenPart);
    scored.event.kind != EventKind::Delete && !is_mere_reversal
}

fn decided_by(
    scored: &ScoredEvent,
    actions: &[EnforcementAction],
    review: Option<&ReviewRequest>,
) -> DecidedBy {
    let has_reversals = !scored.overturned.is_empty();
    let acts_itself = actions
        .iter()
        .any(|action| action.operation == Operation::Apply);
    let asks = review.is_some_and(|request| request.operation == crate::ReviewOperation::Open);
    match (has_reversals, acts_itself, asks) {
        (true, false, false) => DecidedBy::NotAutomated,
        (true, _, _) | (false, false, true) => DecidedBy::PartiallyAutomated,
        (false, _, _) => DecidedBy::FullyAutomated,
    }
}

fn languages(scored: &ScoredEvent) -> Vec<Language> {
    let mut languages: Vec<Language> = scored
        .parts
        .iter()
        .filter_map(|part| part.detected_language)
        .collect();
    languages.sort_unstable();
    languages.dedup();
    languages
}

fn target_regions(scored: &ScoredEvent) -> Vec<Region> {
    let mut regions: Vec<Region> = scored
        .event
        .targets
        .iter()
        .filter_map(|target| target.account.region)
        .collect();
    regions.sort_unstable();
    regions.dedup();
    regions
}

fn enforcement_actions(
    scored: &ScoredEvent,
    policy: &CompiledPolicy,
    wanted: Vec<WantedAction<'_>>,
    decision_id: &crate::DecisionId,
) -> Vec<EnforcementAction> {
    let mut undone = BTreeSet::new();
    let reversals = scored
        .overturned
        .iter()
        .map(|overturned| reversal(scored, policy, overturned, decision_id))
        .filter(|reversal| undone.insert(reversal.action_id.clone()));
    let applications = wanted.into_iter().map(|wanted| EnforcementAction {
        action_id: identity::action_id(
            &scored.cause,
            &wanted.address,
            wanted.kind,
            Operation::Apply,
            None,
        ),
        subject: wanted.address.subject,
        kind: wanted.kind,
        operation: Operation::Apply,
        reverses: None,
        origin: ActionOrigin::Automated,
        decision_id: decision_id.clone(),
        cause: scored.cause.clone(),
        beneficiary: wanted.address.beneficiary,
        parameters: wanted.parameters,
        rule_ids: wanted.rules.iter().map(|rule| rule.id.clone()).collect(),
        policy_version: policy.version(),
        evaluation_time: scored.evaluation_time,
    });
    reversals.chain(applications).collect()
}

fn reversal(
    scored: &ScoredEvent,
    policy: &CompiledPolicy,
    overturned: &OverturnedAction,
    decision_id: &crate::DecisionId,
) -> EnforcementAction {
    let address = addressing::Address {
        subject: overturned.subject.clone(),
        beneficiary: overturned.beneficiary.clone(),
    };
    EnforcementAction {
        action_id: identity::action_id(
            &scored.cause,
            &address,
            overturned.kind,
            Operation::Reverse,
            Some(&overturned.action_id),
        ),
        subject: address.subject,
        kind: overturned.kind,
        operation: Operation::Reverse,
        reverses: Some(overturned.action_id.clone()),
        origin: match scored.cause.kind {
            CauseKind::Appeal => ActionOrigin::Appeal,
            _ => ActionOrigin::Reviewer,
        },
        decision_id: decision_id.clone(),
        cause: scored.cause.clone(),
        beneficiary: address.beneficiary,
        parameters: crate::ActionParameters::default(),
        rule_ids: Vec::new(),
        policy_version: policy.version(),
        evaluation_time: scored.evaluation_time,
    }
}

//! What a policy says of one cause.

use crate::{
    AccountId, ActionId, BundleIdentity, Cause, DecidedBy, DecisionId, DeploymentVersion,
    DetectionSource, EventId, EventKind, Flag, Label, LabelOutcome, Language, PartId,
    PolicyVersion, Region, RuleId, RuleMode, Score, Severity, Subject, Surface, TaskId, Timestamp,
};

/// What a policy says of one cause, no action included.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The same for the same cause, subject, source and versions.
    pub decision_id: DecisionId,
    /// The event.
    pub event_id: EventId,
    /// What made the pipeline decide.
    pub cause: Cause,
    /// How much of it a machine made.
    pub decided_by: DecidedBy,
    /// The decision that this one replaces.
    pub supersedes: Option<DecisionId>,
    /// What was judged.
    pub subject: Subject,
    /// The verb.
    pub kind: EventKind,
    /// The place.
    pub surface: Surface,
    /// Who.
    pub author: Option<AccountId>,
    /// Where from.
    pub author_region: Option<Region>,
    /// Where to, without repetition, sorted.
    pub target_regions: Vec<Region>,
    /// Detected languages, without repetition, sorted.
    pub languages: Vec<Language>,
    /// What drew attention to it.
    pub detection_source: DetectionSource,
    /// The age bands that were used, the author's first.
    pub ages: Vec<EffectiveAge>,
    /// All rules that matched, in the policy's order.
    pub matched: Vec<MatchedRule>,
    /// The actions that it made.
    pub action_ids: Vec<ActionId>,
    /// The review that it asked for.
    pub review_task_id: Option<TaskId>,
    /// Under which policy.
    pub policy_version: PolicyVersion,
    /// Under which deployment.
    pub deployment_version: DeploymentVersion,
    /// Which bundles spoke.
    pub bundles: Vec<BundleIdentity>,
    /// When, by the broker's clock.
    pub evaluation_time: Timestamp,
    /// Who scored.
    pub source: String,
    /// What was unusual.
    pub flags: Vec<Flag>,
    /// The class of processor that scored.
    pub cpu_class: String,
}

/// The age band that was used for an account, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveAge {
    /// `author`, or the target's role.
    pub role: &'static str,
    /// Which account.
    pub account_id: AccountId,
    /// A band that the policy declares.
    pub band: std::sync::Arc<str>,
    /// Which fact decided: `assured`, `inferred`, `declared`, `state` or `unknown`.
    pub basis: &'static str,
}

/// A rule that matched, whether it acted or only would have.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchedRule {
    /// Which.
    pub rule_id: RuleId,
    /// Whose concern it is.
    pub issue: std::sync::Arc<str>,
    /// What it is about.
    pub category: std::sync::Arc<str>,
    /// How bad.
    pub severity: Severity,
    /// Its mode.
    pub mode: RuleMode,
    /// Whether it acted.
    pub enforced: bool,
    /// Why it matched.
    pub trigger: Trigger,
    /// The label it looked at.
    pub label: Option<Label>,
    /// The part it looked at.
    pub part_id: Option<PartId>,
    /// What it found there.
    pub outcome: LabelOutcome,
    /// The threshold after overrides and caps.
    pub threshold: Score,
    /// What set it: `base`, `surface=comment`, `region=DE`, `language=de` or `cap:target=13_15`.
    pub threshold_source: std::sync::Arc<str>,
    /// The reason shown to users.
    pub reason: std::sync::Arc<str>,
}

/// Why a rule matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// A score reached the threshold.
    Score,
    /// No usable score; a person is asked.
    MissingReview,
    /// No usable score; the interim action is taken.
    MissingInterim,
    /// A score reached the threshold, but is not good enough in this language to act on; a person is asked.
    UnsupportedReview,
}

//! What the platform must do, or undo.

use crate::{
    AccountId, ActionId, ActionKind, ActionOrigin, Cause, DecisionId, Operation, PolicyVersion,
    Region, RuleId, Subject, Timestamp,
};

/// One thing to do, or to undo, to one subject.
#[derive(Clone, Debug, PartialEq)]
pub struct EnforcementAction {
    /// The same for the same cause, subject, beneficiary, kind and operation, whatever rule asked for it.
    pub action_id: ActionId,
    /// What it is done to.
    pub subject: Subject,
    /// What is done.
    pub kind: ActionKind,
    /// Done or undone.
    pub operation: Operation,
    /// What is undone.
    pub reverses: Option<ActionId>,
    /// Who made it happen.
    pub origin: ActionOrigin,
    /// The decision that it belongs to.
    pub decision_id: DecisionId,
    /// What made the pipeline decide.
    pub cause: Cause,
    /// Who is protected by it.
    pub beneficiary: Option<AccountId>,
    /// How it is done.
    pub parameters: ActionParameters,
    /// Which rules asked for it, in the policy's order.
    pub rule_ids: Vec<RuleId>,
    /// Under which policy.
    pub policy_version: PolicyVersion,
    /// When, by the broker's clock.
    pub evaluation_time: Timestamp,
}

/// How an action is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionParameters {
    /// Until when; absent is for good.
    pub until: Option<Timestamp>,
    /// Where it holds; empty is everywhere.
    pub territories: Vec<Region>,
    /// The labels shown, with kind `label` or `interstitial`, sorted.
    pub labels: Vec<String>,
    /// The reason shown to users.
    pub reason_code: Option<String>,
    /// The features taken away, with kind `restrict_feature`, sorted.
    pub features: Vec<String>,
}

/// An earlier action that a person found wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverturnedAction {
    /// Which.
    pub action_id: ActionId,
    /// What it was done to.
    pub subject: Subject,
    /// What was done.
    pub kind: ActionKind,
    /// Who was protected by it.
    pub beneficiary: Option<AccountId>,
}

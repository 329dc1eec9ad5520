//! What a person must look at.

use std::sync::Arc;

use crate::{
    Cause, DecisionId, Language, PolicyVersion, ReviewOperation, RuleId, Sensitivity, Severity,
    Subject, Surface, TaskId, Timestamp,
};

/// A task for a person, or word that it is void.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewRequest {
    /// The same for the same cause, subject and operation.
    pub task_id: TaskId,
    /// Look, or forget.
    pub operation: ReviewOperation,
    /// At what.
    pub subject: Subject,
    /// Why the pipeline looked.
    pub causes: Vec<Cause>,
    /// What it may be.
    pub categories: Vec<Arc<str>>,
    /// How bad at worst.
    pub severity: Severity,
    /// Which languages the reviewer should read.
    pub languages: Vec<Language>,
    /// How harmful looking may be.
    pub sensitivity: Sensitivity,
    /// By when.
    pub due_at: Option<Timestamp>,
    /// Present where chance chose it.
    pub sample: Option<Sample>,
    /// The decision that asked.
    pub decision_id: DecisionId,
    /// The rules that asked, in the policy's order.
    pub rule_ids: Vec<RuleId>,
    /// Under which policy.
    pub policy_version: PolicyVersion,
    /// Where it happened.
    pub surface: Surface,
    /// When, by the broker's clock.
    pub evaluation_time: Timestamp,
}

/// How chance chose an item.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// For what purpose.
    pub reason: String,
    /// 0 to 1.
    pub inclusion_probability: f64,
}

//! What a person must look at.

use std::sync::Arc;

use super::identity;
use crate::policy::{CompiledPolicy, CompiledRule};
use crate::{
    DecisionId, EventKind, Language, ReviewOperation, ReviewRequest, ScoredEvent, Sensitivity,
    Severity,
};

/// Makes at most one request: for all rules that ask, or to cancel what waits for a subject that is gone. It is as severe
/// and sensitive as the worst of the rules, and due when the first of them is.
pub(super) fn request(
    scored: &ScoredEvent,
    policy: &CompiledPolicy,
    rules: &[&CompiledRule],
    decision_id: &DecisionId,
    languages: &[Language],
) -> Option<ReviewRequest> {
    let operation = match scored.event.kind {
        EventKind::Delete => ReviewOperation::Cancel,
        _ if rules.is_empty() => return None,
        _ => ReviewOperation::Open,
    };
    let severity = rules.iter().map(|rule| rule.severity).max();
    let sensitivity = rules.iter().map(|rule| rule.sensitivity).max();
    let due_in = rules.iter().filter_map(|rule| rule.due_in()).min();
    Some(ReviewRequest {
        task_id: identity::task_id(&scored.cause, &scored.event.subject, operation),
        operation,
        subject: scored.event.subject.clone(),
        causes: vec![scored.cause.clone()],
        categories: categories(rules),
        severity: severity.unwrap_or(Severity::Low),
        languages: languages.to_vec(),
        sensitivity: sensitivity.unwrap_or(Sensitivity::Ordinary),
        due_at: due_in.map(|due_in| scored.evaluation_time.saturating_add(due_in)),
        sample: None,
        decision_id: decision_id.clone(),
        rule_ids: rules.iter().map(|rule| rule.id.clone()).collect(),
        policy_version: policy.version(),
        surface: scored.event.surface,
        evaluation_time: scored.evaluation_time,
    })
}

/// Returns what it may be, sorted, each once.
fn categories(rules: &[&CompiledRule]) -> Vec<Arc<str>> {
    let mut categories: Vec<Arc<str>> = rules.iter().map(|rule| rule.category.clone()).collect();
    categories.sort_unstable();
    categories.dedup();
    categories
}

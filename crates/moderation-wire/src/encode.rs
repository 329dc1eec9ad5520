//! Records to bytes. Always protobuf, always the same bytes for the same record.

use moderation::{ContentEvent, Decision, EnforcementAction, ReviewRequest, ScoredEvent, Subject};
use prost::Message;

use crate::v1;

/// Encodes a record of the content topic.
///
/// A broken part is written without its content, and flags are not written: whoever reads the record finds them again.
pub fn encode_content(content: &ContentEvent) -> Vec<u8> {
    v1::ContentEvent::from(content).encode_to_vec()
}

/// Encodes a record of the scores topic.
pub fn encode_scored(scored: &ScoredEvent) -> Vec<u8> {
    v1::ScoredEvent::from(scored).encode_to_vec()
}

/// Encodes a record of the decisions topic.
pub fn encode_decision(decision: &Decision) -> Vec<u8> {
    v1::Decision::from(decision).encode_to_vec()
}

/// Encodes a record of the actions topic.
pub fn encode_action(action: &EnforcementAction) -> Vec<u8> {
    v1::EnforcementAction::from(action).encode_to_vec()
}

/// Encodes a record of the review topic.
pub fn encode_review(review: &ReviewRequest) -> Vec<u8> {
    v1::ReviewRequest::from(review).encode_to_vec()
}

/// Returns the key of a record about a subject, such as `content:42`.
///
/// The revision is not part of it, so that all that happens to a subject stays in order.
pub fn record_key(subject: &Subject) -> Vec<u8> {
    let kind = subject.kind.as_str();
    let id = subject.id.as_str();
    [kind.as_bytes(), b":", id.as_bytes()].concat()
}

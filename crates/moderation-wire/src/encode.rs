//! Records to bytes. Always protobuf, always the same bytes for the same record.

use moderation::{ContentEvent, Decision, EnforcementAction, ReviewRequest, ScoredEvent, Subject};
use prost::{Message, Name};
use prost_reflect::{DynamicMessage, SerializeOptions};

use crate::{descriptors, v1};

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

/// Writes any message of the schema as JSON, for people: fields in snake case, absent fields left out.
///
/// # Errors
/// If a point in time lies outside the years 1 to 9999.
pub fn to_json<W: Name>(message: &W) -> Result<serde_json::Value, serde_json::Error> {
    let mut dynamic = DynamicMessage::new(descriptors::message::<W>());
    dynamic
        .transcode_from(message)
        .expect("a generated message fits the descriptor that it was generated from");
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .stringify_64_bit_integers(false);
    dynamic.serialize_with_options(serde_json::value::Serializer, &options)
}

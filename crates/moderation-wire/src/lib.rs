//! Protobuf and gRPC types, and their validating conversions to the moderation vocabulary.
//!
//! - [`v1`] is generated from `proto/tidegate/v1`: the records of all topics, and the control plane's services.
//! - [`decode_content`] and [`decode_scored`] read topics that anybody may write to, as protobuf or JSON. Whatever tells
//!   its event id and subject is read; the event's flags say what was unusual, and parts that cannot be read, or may be
//!   missing, are there as broken parts. Only what tells neither is [`Unreadable`]. Time and memory are linear in the
//!   payload.
//! - [`decode_decision`], [`decode_action`], [`decode_review`] and `TryFrom` are strict, and name the field that is wrong.
//! - [`Topics`] names the topics, and says what each must be ([`TopicRequirement`]).
//! - The same record is always encoded to the same bytes; `tests/golden` freezes them.
//!
//! No error shows a value, only the path of its field.

mod account;
mod action;
mod content;
mod damage;
mod decision;
mod decode;
mod deployment;
mod descriptors;
mod encode;
mod event;
mod format;
pub mod headers;
mod invalid;
mod json;
mod json_text;
mod label_scores;
mod part_ids;
mod reading;
mod review;
mod salvage;
mod scored;
mod time;
mod topic_requirements;
mod topics;
pub mod v1;
mod wire_format;
mod words;

pub use decode::{decode_action, decode_content, decode_decision, decode_review, decode_scored};
pub use descriptors::FILE_DESCRIPTOR_SET;
pub use encode::{
    encode_action, encode_content, encode_decision, encode_review, encode_scored, record_key,
    to_json,
};
pub use format::Format;
pub use invalid::{DecodeError, Invalid, Problem, Unreadable, UnreadableReason};
pub use time::{timestamp_from_wire, timestamp_to_wire};
pub use topic_requirements::{
    CleanupRule, HEADER_ROOM, PartitionRule, RetentionRule, TopicMinimum, TopicRequirement,
};
pub use topics::Topics;
pub use words::Word;

/// Converts under the default limits, and fails with the first thing that is unusual.
fn strict<T>(
    read: impl FnOnce(&mut reading::Reading<'_>) -> Result<T, Invalid>,
) -> Result<T, Invalid> {
    let limits = moderation::Limits::default();
    let mut reading = reading::Reading::new(reading::Writer::Stage, &limits);
    let value = read(&mut reading)?;
    reading.into_strict().map(|()| value)
}

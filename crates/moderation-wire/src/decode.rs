//! Bytes to records.
//!
//! Whoever can write to an input topic can write anything. A record that tells its event id and subject is decided,
//! whatever else is wrong with it; only one that does not is [`Unreadable`].

use moderation::{
    ContentEvent, Decision, EnforcementAction, Limits, ReviewRequest, ScoredEvent, Timestamp,
};
use prost::{Message, Name};

use crate::content::content;
use crate::damage::Damage;
use crate::descriptors;
use crate::format::Format;
use crate::invalid::{DecodeError, Invalid, Problem, Unreadable};
use crate::reading::{Reading, Writer};
use crate::scored::scored;
use crate::{json, salvage, v1};

/// Largest payload that is parsed before its elements are counted. A short record cannot claim much memory: an empty
/// element takes two bytes on the wire and about a hundred in memory.
const MAX_UNCOUNTED_BYTES: usize = 32 * 1024;
/// Elements of any list that are kept at least. Beyond this, and beyond what the limits name, nothing is kept in memory.
const MIN_ELEMENTS: usize = 4096;

/// Reads a record of the content topic.
///
/// `broker_time` replaces a producer's clock that runs ahead by more than the limits allow. Parts that cannot be read
/// are [`Broken`](moderation::PartContent::Broken); where parts may be missing altogether, a broken part stands in for
/// them, so that nothing passes for the lack of it. The event's flags say what was unusual.
///
/// # Errors
/// If the record does not tell its event id and subject.
pub fn decode_content(
    payload: &[u8],
    format: Format,
    broker_time: Timestamp,
    limits: &Limits,
) -> Result<ContentEvent, Unreadable> {
    let (wire, damage) = lenient(payload, format, limits)?;
    let mut reading = Reading::new(Writer::Platform, limits);
    reading.set_clock(broker_time);
    damage.raise(&mut reading);
    let event = content(&mut reading, wire, &damage)?;
    Ok(ContentEvent {
        flags: reading.into_flags(),
        ..event
    })
}

/// Reads a record of the scores topic, whichever stage or system wrote it.
///
/// A score that contradicts itself or points nowhere has failed, and rules treat it as missing. `broker_time` stands in
/// for an evaluation time that is absent or ahead.
///
/// # Errors
/// If the record does not tell its event id and subject.
pub fn decode_scored(
    payload: &[u8],
    format: Format,
    broker_time: Timestamp,
    limits: &Limits,
) -> Result<ScoredEvent, Unreadable> {
    let (wire, damage) = lenient(payload, format, limits)?;
    let mut reading = Reading::new(Writer::Stage, limits);
    reading.set_clock(broker_time);
    damage.raise(&mut reading);
    let event = scored(&mut reading, wire, &damage, Some(broker_time))?;
    Ok(ScoredEvent {
        flags: reading.into_flags(),
        ..event
    })
}

/// Reads a record of the decisions topic, as this version of the enforcer writes it.
///
/// # Errors
/// If the record is broken anywhere.
pub fn decode_decision(payload: &[u8]) -> Result<Decision, DecodeError> {
    strict::<v1::Decision, _>(payload)
}

/// Reads a record of the actions topic.
///
/// # Errors
/// If the record is broken anywhere.
pub fn decode_action(payload: &[u8]) -> Result<EnforcementAction, DecodeError> {
    strict::<v1::EnforcementAction, _>(payload)
}

/// Reads a record of the review topic.
///
/// # Errors
/// If the record is broken anywhere.
pub fn decode_review(payload: &[u8]) -> Result<ReviewRequest, DecodeError> {
    strict::<v1::ReviewRequest, _>(payload)
}

fn strict<W, T>(payload: &[u8]) -> Result<T, DecodeError>
where
    W: Message + Default,
    T: TryFrom<W, Error = Invalid>,
{
    let wire = W::decode(payload).map_err(|_| DecodeError::Malformed)?;
    Ok(T::try_from(wire)?)
}

/// Parses what can be parsed of a record, and says what could not.
fn lenient<W: Name + Default>(
    payload: &[u8],
    format: Format,
    limits: &Limits,
) -> Result<(W, Damage), Unreadable> {
    let is_short_protobuf = format == Format::Protobuf && payload.len() <= MAX_UNCOUNTED_BYTES;
    if is_short_protobuf && let Ok(wire) = W::decode(payload) {
        return Ok((wire, Damage::default()));
    }
    let descriptor = descriptors::message::<W>();
    let max_elements = MIN_ELEMENTS.max(largest_limit(limits) + 1);
    let (clean, damage) = match format {
        Format::Protobuf => salvage::clean(payload, &descriptor, max_elements),
        Format::Json => json::to_protobuf(payload, &descriptor, max_elements)?,
    };
    let wire = W::decode(clean.as_slice()).map_err(|_| {
        let record = crate::invalid::Path::ROOT.field("record");
        record.invalid(Problem::Unreadable)
    })?;
    Ok((wire, damage))
}

fn largest_limit(limits: &Limits) -> usize {
    limits
        .max_parts
        .max(limits.max_targets)
        .max(limits.max_facts)
}

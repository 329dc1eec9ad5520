//! Bytes that older and newer versions must agree on. A file of `tests/golden` never changes: later versions only add
//! fields, and a sample of an added field goes into a new file.

use std::collections::BTreeSet;
use std::path::Path;

use moderation::Limits;
use moderation_wire::{
    FILE_DESCRIPTOR_SET, Format, decode_action, decode_content, decode_decision, decode_review,
    decode_scored, encode_action, encode_content, encode_decision, encode_review, encode_scored,
    v1,
};
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, Value};

use crate::samples::{self, NOW};

/// Checks that a sample is encoded as it was when its file was frozen, and returns those bytes.
fn frozen(name: &str, encoded: &[u8]) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.hex"));
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let frozen = from_hex(&text);
    assert!(
        frozen == encoded,
        "{name} is encoded otherwise than {}; it gives\n{}",
        path.display(),
        to_hex(encoded)
    );
    frozen
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len())
        .step_by(2)
        .map(|place| u8::from_str_radix(&digits[place..place + 2], 16).expect("hexadecimal"))
        .collect()
}

fn to_hex(bytes: &[u8]) -> String {
    let line = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    bytes.chunks(40).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn content_events_are_frozen() {
    let bytes = frozen("content-event", &encode_content(&samples::content()));
    let decoded = decode_content(&bytes, Format::Protobuf, NOW, &Limits::default());
    assert_eq!(decoded, Ok(samples::content()));
}

#[test]
fn scored_events_are_frozen() {
    let bytes = frozen("scored-event", &encode_scored(&samples::scored()));
    let decoded = decode_scored(&bytes, Format::Protobuf, NOW, &Limits::default());
    assert_eq!(decoded, Ok(samples::scored()));
}

#[test]
fn decisions_are_frozen() {
    let bytes = frozen("decision", &encode_decision(&samples::decision()));
    assert_eq!(decode_decision(&bytes), Ok(samples::decision()));
}

#[test]
fn actions_are_frozen() {
    let bytes = frozen("enforcement-action", &encode_action(&samples::action()));
    assert_eq!(decode_action(&bytes), Ok(samples::action()));
}

#[test]
fn review_requests_are_frozen() {
    let bytes = frozen("review-request", &encode_review(&samples::review()));
    assert_eq!(decode_review(&bytes), Ok(samples::review()));
}

#[test]
fn control_records_are_frozen() {
    for (name, record) in samples::control_records() {
        check_message(name, &record);
    }
    check_message("audit-record", &samples::audit());
    check_message("audit-record-refused", &samples::refused_audit());
    check_message("replica-heartbeat", &samples::heartbeat());
    check_message("replica-heartbeat-leader", &samples::leader_heartbeat());
    let wire = v1::Deployment::from(&samples::deployment());
    assert_eq!(wire.try_into(), Ok(samples::deployment()));
}

fn check_message<W: Message + Default + PartialEq + std::fmt::Debug>(name: &str, message: &W) {
    let bytes = frozen(name, &message.encode_to_vec());
    assert_eq!(W::decode(bytes.as_slice()).as_ref(), Ok(message), "{name}");
}

/// A field that is added to a record must be added to its sample too, and thus to the conversions.
#[test]
fn samples_fill_every_field() {
    check_filled::<v1::ContentEvent>(&[encode_content(&samples::content())]);
    check_filled::<v1::ScoredEvent>(&[encode_scored(&samples::scored())]);
    check_filled::<v1::Decision>(&[encode_decision(&samples::decision())]);
    check_filled::<v1::EnforcementAction>(&[encode_action(&samples::action())]);
    check_filled::<v1::ReviewRequest>(&[encode_review(&samples::review())]);
    let control: Vec<_> = samples::control_records()
        .iter()
        .map(|(_, record)| record.encode_to_vec())
        .collect();
    check_filled::<v1::ControlRecord>(&control);
    check_filled::<v1::AuditRecord>(&[
        samples::audit().encode_to_vec(),
        samples::refused_audit().encode_to_vec(),
    ]);
    check_filled::<v1::ReplicaHeartbeat>(&[
        samples::heartbeat().encode_to_vec(),
        samples::leader_heartbeat().encode_to_vec(),
    ]);
}

fn check_filled<W: Name>(records: &[Vec<u8>]) {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("a descriptor set");
    let descriptor = pool.get_message_by_name(&W::full_name()).expect("known");
    let mut filled = BTreeSet::new();
    for record in records {
        let message = DynamicMessage::decode(descriptor.clone(), record.as_slice());
        collect_filled(&message.expect("decodes"), &mut filled);
    }
    let mut all = BTreeSet::new();
    collect_all(&descriptor, &mut all);
    let empty: Vec<_> = all.difference(&filled).collect();
    assert!(
        empty.is_empty(),
        "left empty in the sample of {}: {empty:?}",
        W::NAME
    );
}

fn collect_all(descriptor: &MessageDescriptor, all: &mut BTreeSet<String>) {
    for field in descriptor.fields() {
        let is_new = all.insert(field.full_name().to_owned());
        if is_new && let Kind::Message(inner) = field.kind() {
            collect_all(&inner, all);
        }
    }
}

fn collect_filled(message: &DynamicMessage, filled: &mut BTreeSet<String>) {
    for (field, value) in message.fields() {
        filled.insert(field.full_name().to_owned());
        if let (Value::Map(_), Kind::Message(entry)) = (value, field.kind()) {
            filled.extend(entry.fields().map(|field| field.full_name().to_owned()));
        }
        collect_filled_values(value, filled);
    }
}

fn collect_filled_values(value: &Value, filled: &mut BTreeSet<String>) {
    match value {
        Value::Message(message) => collect_filled(message, filled),
        Value::List(values) => values
            .iter()
            .for_each(|value| collect_filled_values(value, filled)),
        Value::Map(values) => values
            .values()
            .for_each(|value| collect_filled_values(value, filled)),
        _ => {}
    }
}

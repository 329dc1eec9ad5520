//! Making readable protobuf of what is not quite.
//!
//! A parser gives up at the first broken byte. Here the schema is followed field by field instead: what fits it is
//! copied, what does not is left out and noted. The copy parses. The schema nests a handful of messages and none in
//! itself, so the work is linear in the payload and the stack is bounded.

use moderation::PartCondition;
use prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::damage::{Damage, Lost};
use crate::wire_format::{Next, Value, Walk, holds_varints};

/// Copies what fits the schema. No list of the copy is longer than `max_elements`.
pub(crate) fn clean(
    payload: &[u8],
    descriptor: &MessageDescriptor,
    max_elements: usize,
) -> (Vec<u8>, Damage) {
    let mut cleaner = Cleaner {
        damage: Damage::default(),
        max_elements,
    };
    let mut out = Vec::with_capacity(payload.len());
    cleaner.record(payload, descriptor, &mut out);
    (out, cleaner.damage)
}

struct Cleaner {
    damage: Damage,
    max_elements: usize,
}

impl Cleaner {
    /// Copies the record itself, whose lists of parts and scores are accounted for one by one.
    fn record(&mut self, payload: &[u8], descriptor: &MessageDescriptor, out: &mut Vec<u8>) {
        let mut walk = Walk::new(payload);
        let mut counts = Counts::default();
        loop {
            match walk.next() {
                Next::End => return,
                Next::Broken => {
                    self.damage.any = true;
                    self.damage.parts_lost = true;
                    return;
                }
                Next::Field(number, value) => {
                    let is_cut = matches!(value, Value::Delimited { is_cut: true, .. });
                    let Some(field) = descriptor.get_field(number) else {
                        self.damage.any |= is_cut;
                        self.damage.parts_lost |= is_cut;
                        continue;
                    };
                    if is_no_element(&field, &value) {
                        self.damage.any = true;
                        self.damage.parts_lost |= field.name() == "parts";
                        continue;
                    }
                    let Some(index) = counts.admit(&field, self.max_elements) else {
                        self.damage.surplus = true;
                        continue;
                    };
                    let lost = self.field(&field, value, out);
                    self.damage.note_element(field.name(), index, lost);
                    self.damage.parts_lost |= is_cut && field.name() != "parts";
                }
            }
        }
    }

    fn message(
        &mut self,
        payload: &[u8],
        descriptor: &MessageDescriptor,
        out: &mut Vec<u8>,
    ) -> Lost {
        let mut walk = Walk::new(payload);
        let mut counts = Counts::default();
        let mut lost = Lost::default();
        loop {
            match walk.next() {
                Next::End => return lost,
                Next::Broken => {
                    lost.field(None, PartCondition::Malformed);
                    return lost;
                }
                Next::Field(number, value) => {
                    let Some(field) = descriptor.get_field(number) else {
                        if matches!(value, Value::Delimited { is_cut: true, .. }) {
                            lost.field(None, PartCondition::Malformed);
                        }
                        continue;
                    };
                    if counts.admit(&field, self.max_elements).is_none() {
                        self.damage.surplus = true;
                        continue;
                    }
                    let inner = self.field(&field, value, out);
                    if let Some(condition) = inner.worst {
                        lost.field(Some(&field), condition);
                    }
                }
            }
        }
    }

    /// Copies one field if it fits, and says what it lost.
    fn field(&mut self, field: &FieldDescriptor, value: Value<'_>, out: &mut Vec<u8>) -> Lost {
        match (field.kind(), value) {
            (Kind::Message(inner), Value::Delimited { body, is_cut }) => {
                let mut copy = Vec::with_capacity(body.len());
                let mut lost = self.message(body, &inner, &mut copy);
                if is_cut {
                    lost.field(None, PartCondition::Malformed);
                }
                write_delimited(field.number(), &copy, out);
                lost
            }
            (
                Kind::String,
                Value::Delimited {
                    body,
                    is_cut: false,
                },
            ) => {
                if std::str::from_utf8(body).is_err() {
                    return Lost::all(PartCondition::InvalidUtf8);
                }
                write_delimited(field.number(), body, out);
                Lost::default()
            }
            (
                Kind::Bytes,
                Value::Delimited {
                    body,
                    is_cut: false,
                },
            ) => {
                write_delimited(field.number(), body, out);
                Lost::default()
            }
            (kind, Value::Scalar { wire_type, body }) if kind.wire_type() == wire_type => {
                encode_key(field.number(), wire_type, out);
                out.extend_from_slice(body);
                Lost::default()
            }
            (
                kind,
                Value::Delimited {
                    body,
                    is_cut: false,
                },
            ) if field.is_list() && is_packed(&kind, body) => {
                write_delimited(field.number(), body, out);
                Lost::default()
            }
            _ => Lost::all(PartCondition::Malformed),
        }
    }
}

/// Returns whether the value has no place in a list of messages.
fn is_no_element(field: &FieldDescriptor, value: &Value<'_>) -> bool {
    let is_delimited = matches!(value, Value::Delimited { .. });
    field.is_list() && matches!(field.kind(), Kind::Message(_)) && !is_delimited
}

fn is_packed(kind: &Kind, body: &[u8]) -> bool {
    match kind.wire_type() {
        WireType::Varint => holds_varints(body),
        WireType::SixtyFourBit => body.len().is_multiple_of(8),
        WireType::ThirtyTwoBit => body.len().is_multiple_of(4),
        _ => false,
    }
}

/// Writes a field of bytes.
pub(crate) fn write_delimited(number: u32, body: &[u8], out: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(body.len() as u64, out);
    out.extend_from_slice(body);
}

/// How many elements each list of one message has had so far.
#[derive(Default)]
struct Counts(Vec<(u32, usize)>);

impl Counts {
    /// Returns the element's index, or `None` for one too many.
    fn admit(&mut self, field: &FieldDescriptor, max_elements: usize) -> Option<usize> {
        if !field.is_list() && !field.is_map() {
            return Some(0);
        }
        let place = match self
            .0
            .iter()
            .position(|(number, _)| *number == field.number())
        {
            Some(place) => place,
            None => {
                self.0.push((field.number(), 0));
                self.0.len() - 1
            }
        };
        let count = &mut self.0[place].1;
        (*count < max_elements).then(|| {
            *count += 1;
            *count - 1
        })
    }
}

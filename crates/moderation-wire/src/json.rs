//! JSON, as leniently as protobuf.
//!
//! The mapping is protobuf's own (`proto/tidegate/v1` has the names), and wider where people write it by hand: fields
//! in snake case or camel case, enum words in full or short (`EVENT_KIND_PUBLISH`, `publish`), whole numbers as numbers
//! or strings. Fields that the schema does not have are ignored, words that it does not have are read as unknown, and a
//! value that does not fit its field is left out and noted.

use moderation::PartCondition;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value as Json};

use crate::damage::{Damage, Lost};
use crate::invalid::{Unreadable, UnreadableReason};
use crate::json_text;
use crate::salvage::write_delimited;

/// A number that no enum of the schema has.
const UNKNOWN_WORD: i32 = i32::MAX;
const REPLACEMENT: char = '\u{fffd}';

/// Turns JSON into protobuf. No list of it is longer than `max_elements`.
pub(crate) fn to_protobuf(
    payload: &[u8],
    descriptor: &MessageDescriptor,
    max_elements: usize,
) -> Result<(Vec<u8>, Damage), Unreadable> {
    let not_json = || Unreadable {
        reason: UnreadableReason::NotJson,
        field: "record".to_owned(),
    };
    let text = json_text::parse(payload).ok_or_else(not_json)?;
    let Json::Object(object) = text.value else {
        return Err(not_json());
    };
    let mut reader = Reader {
        damage: Damage {
            any: text.was_repaired,
            ..Damage::default()
        },
        was_repaired: text.was_repaired,
        max_elements,
    };
    let mut out = Vec::with_capacity(payload.len());
    reader.record(descriptor, object, &mut out);
    Ok((out, reader.damage))
}

struct Reader {
    damage: Damage,
    /// Whether a replacement character may stand for lost bytes.
    was_repaired: bool,
    max_elements: usize,
}

impl Reader {
    /// Writes the record itself, whose lists of parts and scores are accounted for one by one.
    fn record(
        &mut self,
        descriptor: &MessageDescriptor,
        object: Map<String, Json>,
        out: &mut Vec<u8>,
    ) {
        for (name, json) in object {
            let Some(field) = field_named(descriptor, &name) else {
                continue;
            };
            match json {
                Json::Array(elements) if field.is_list() => {
                    self.damage.surplus |= elements.len() > self.max_elements;
                    for (index, json) in elements.into_iter().take(self.max_elements).enumerate() {
                        let lost = self.element(&field, json, out);
                        self.damage.note_element(field.name(), index, lost);
                    }
                }
                json => {
                    let lost = self.field(&field, json, out);
                    self.damage.any |= lost.worst.is_some();
                    self.damage.parts_lost |= lost.worst.is_some() && field.name() == "parts";
                }
            }
        }
    }

    fn message(
        &mut self,
        descriptor: &MessageDescriptor,
        object: Map<String, Json>,
        out: &mut Vec<u8>,
    ) -> Lost {
        let mut lost = Lost::default();
        for (name, json) in object {
            let Some(field) = field_named(descriptor, &name) else {
                continue;
            };
            if let Some(condition) = self.field(&field, json, out).worst {
                lost.field(Some(&field), condition);
            }
        }
        lost
    }

    /// Writes what fits of one field, and says what was lost.
    fn field(&mut self, field: &FieldDescriptor, json: Json, out: &mut Vec<u8>) -> Lost {
        match json {
            Json::Null => Lost::default(),
            Json::Array(elements) if field.is_list() => self.list(field, elements, out),
            Json::Object(entries) if field.is_map() => self.map(field, entries, out),
            _ if field.is_list() || field.is_map() => Lost::all(PartCondition::Malformed),
            json => self.singular(field, json, out).err().unwrap_or_default(),
        }
    }

    fn list(&mut self, field: &FieldDescriptor, elements: Vec<Json>, out: &mut Vec<u8>) -> Lost {
        let mut lost = Lost::default();
        self.damage.surplus |= elements.len() > self.max_elements;
        for json in elements.into_iter().take(self.max_elements) {
            if let Some(condition) = self.element(field, json, out).worst {
                lost.field(None, condition);
            }
        }
        lost
    }

    /// Writes an element of a list. A message keeps its place, whatever it lost.
    fn element(&mut self, field: &FieldDescriptor, json: Json, out: &mut Vec<u8>) -> Lost {
        let length = out.len();
        let lost = self.singular(field, json, out).err().unwrap_or_default();
        let is_message = matches!(field.kind(), Kind::Message(_));
        if is_message && out.len() == length {
            write_delimited(field.number(), &[], out);
        }
        lost
    }

    fn map(
        &mut self,
        field: &FieldDescriptor,
        entries: Map<String, Json>,
        out: &mut Vec<u8>,
    ) -> Lost {
        let mut lost = Lost::default();
        let Kind::Message(entry) = field.kind() else {
            return Lost::all(PartCondition::Malformed);
        };
        let (key_field, value_field) = (entry.map_entry_key_field(), entry.map_entry_value_field());
        self.damage.surplus |= entries.len() > self.max_elements;
        for (name, json) in entries.into_iter().take(self.max_elements) {
            let mut body = Vec::new();
            write_delimited(key_field.number(), name.as_bytes(), &mut body);
            let length = body.len();
            if let Err(inner) = self.singular(&value_field, json, &mut body)
                && let Some(condition) = inner.worst
            {
                lost.field(None, condition);
            }
            if body.len() > length {
                write_delimited(field.number(), &body, out);
            }
        }
        lost
    }

    /// Writes one value; what it lost is an error even where the rest was written.
    fn singular(
        &mut self,
        field: &FieldDescriptor,
        json: Json,
        out: &mut Vec<u8>,
    ) -> Result<(), Lost> {
        let number = field.number();
        match (field.kind(), json) {
            (Kind::Message(descriptor), Json::Object(object)) => {
                let mut body = Vec::new();
                let lost = self.message(&descriptor, object, &mut body);
                write_delimited(number, &body, out);
                lost.worst.map_or(Ok(()), |_| Err(lost))
            }
            (Kind::String, Json::String(text)) if self.is_damaged(&text) => {
                Err(Lost::all(PartCondition::InvalidUtf8))
            }
            (Kind::String, Json::String(text)) => {
                write_delimited(number, text.as_bytes(), out);
                Ok(())
            }
            // The one message that JSON writes as a string.
            (Kind::Message(descriptor), json)
                if descriptor.full_name() == "google.protobuf.Timestamp" =>
            {
                let time = DynamicMessage::deserialize(descriptor, json)
                    .map_err(|_| Lost::all(PartCondition::Malformed))?;
                write_delimited(number, &time.encode_to_vec(), out);
                Ok(())
            }
            (kind, json) => {
                write_number(number, &kind, &json, out).ok_or(Lost::all(PartCondition::Malformed))
            }
        }
    }

    fn is_damaged(&self, text: &str) -> bool {
        self.was_repaired && text.contains(REPLACEMENT)
    }
}

fn field_named(descriptor: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    descriptor
        .get_field_by_json_name(name)
        .or_else(|| descriptor.get_field_by_name(name))
}

/// Writes what has no length of its own; `None` for what does not fit.
fn write_number(number: u32, kind: &Kind, json: &Json, out: &mut Vec<u8>) -> Option<()> {
    let varint = match kind {
        Kind::Double => {
            let value = double(json)?;
            encode_key(number, WireType::SixtyFourBit, out);
            out.extend_from_slice(&value.to_le_bytes());
            return Some(());
        }
        Kind::Bool => json.as_bool()?.into(),
        // Negative numbers are written in two's complement.
        Kind::Int64 => whole::<i64>(json)? as u64,
        Kind::Uint64 => whole(json)?,
        Kind::Uint32 => whole::<u32>(json)?.into(),
        Kind::Enum(list) => i64::from(word(list, json)?) as u64,
        _ => return None,
    };
    encode_key(number, WireType::Varint, out);
    encode_varint(varint, out);
    Some(())
}

fn whole<T: TryFrom<i128>>(json: &Json) -> Option<T> {
    let number: i128 = match json {
        Json::String(text) => text.parse().ok()?,
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => number.into(),
            (_, Some(number), _) => number.into(),
            (_, _, Some(number)) if number.fract() == 0.0 => number as i128,
            _ => return None,
        },
        _ => return None,
    };
    T::try_from(number).ok()
}

fn double(json: &Json) -> Option<f64> {
    match json {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => match text.as_str() {
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            "NaN" => Some(f64::NAN),
            text => text.parse().ok(),
        },
        _ => None,
    }
}

fn word(list: &EnumDescriptor, json: &Json) -> Option<i32> {
    match json {
        Json::Number(_) => Some(whole(json).unwrap_or(UNKNOWN_WORD)),
        Json::String(word) => {
            let word = word.to_ascii_uppercase();
            let zero = list.default_value();
            let prefix = zero.name().strip_suffix("UNSPECIFIED").unwrap_or_default();
            let known = list
                .get_value_by_name(&word)
                .or_else(|| list.get_value_by_name(&format!("{prefix}{word}")));
            Some(known.map_or(UNKNOWN_WORD, |value| value.number()))
        }
        _ => None,
    }
}

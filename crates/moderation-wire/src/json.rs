//! JSON, as leniently as protobuf.
//!
//! The mapping is protobuf's own (`proto/tidegate/v1` has the names), and wider where people write it by hand: fields
//! in snake case or camel case, enum words in full or short (`EVENT_KIND_PUBLISH`, `publish`), whole numbers as numbers
//! or strings. Fields that the schema does not have are ignored, words that it does not have are read as unknown, and a
//! value that does not fit its field is left out and noted.

use std::collections::HashMap;

use moderation::PartCondition;
use prost::Message;
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value,
};
use serde_json::{Map, Value as Json};

use crate::damage::{Damage, Lost};
use crate::invalid::{Unreadable, UnreadableReason};
use crate::json_text;

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
    let message = reader.record(descriptor, object);
    Ok((message.encode_to_vec(), reader.damage))
}

struct Reader {
    damage: Damage,
    /// Whether a replacement character may stand for lost bytes.
    was_repaired: bool,
    max_elements: usize,
}

impl Reader {
    /// Reads the record itself, whose lists of parts and scores are accounted for one by one.
    fn record(
        &mut self,
        descriptor: &MessageDescriptor,
        object: Map<String, Json>,
    ) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        for (name, json) in object {
            let Some(field) = field_named(descriptor, &name) else {
                continue;
            };
            match json {
                Json::Array(elements) if field.is_list() => {
                    let mut list = Vec::with_capacity(elements.len().min(self.max_elements));
                    self.damage.surplus |= elements.len() > self.max_elements;
                    for json in elements.into_iter().take(self.max_elements) {
                        let (value, lost) = self.element(&field.kind(), json);
                        self.damage.note_element(field.name(), list.len(), lost);
                        list.extend(value);
                    }
                    message.set_field(&field, Value::List(list));
                }
                json => {
                    let lost = self.field(&mut message, &field, json);
                    self.damage.any |= lost.worst.is_some();
                    self.damage.parts_lost |= lost.worst.is_some() && field.name() == "parts";
                }
            }
        }
        message
    }

    fn message(
        &mut self,
        descriptor: &MessageDescriptor,
        object: Map<String, Json>,
    ) -> (DynamicMessage, Lost) {
        let mut message = DynamicMessage::new(descriptor.clone());
        let mut lost = Lost::default();
        for (name, json) in object {
            let Some(field) = field_named(descriptor, &name) else {
                continue;
            };
            if let Some(condition) = self.field(&mut message, &field, json).worst {
                lost.field(Some(&field), condition);
            }
        }
        (message, lost)
    }

    /// Sets one field to what fits, and says what was lost.
    fn field(&mut self, message: &mut DynamicMessage, field: &FieldDescriptor, json: Json) -> Lost {
        match json {
            Json::Null => Lost::default(),
            Json::Array(elements) if field.is_list() => {
                let (list, lost) = self.list(&field.kind(), elements);
                message.set_field(field, list);
                lost
            }
            Json::Object(entries) if field.is_map() => {
                let (map, lost) = self.map(field, entries);
                message.set_field(field, map);
                lost
            }
            _ if field.is_list() || field.is_map() => Lost::all(PartCondition::Malformed),
            json => {
                let (value, lost) = self.singular(&field.kind(), json);
                if let Some(value) = value {
                    message.set_field(field, value);
                }
                lost
            }
        }
    }

    fn list(&mut self, kind: &Kind, elements: Vec<Json>) -> (Value, Lost) {
        let mut lost = Lost::default();
        let mut list = Vec::with_capacity(elements.len().min(self.max_elements));
        self.damage.surplus |= elements.len() > self.max_elements;
        for json in elements.into_iter().take(self.max_elements) {
            let (value, inner) = self.element(kind, json);
            if let Some(condition) = inner.worst {
                lost.field(None, condition);
            }
            list.extend(value);
        }
        (Value::List(list), lost)
    }

    /// Reads an element of a list. A message keeps its place, whatever it lost.
    fn element(&mut self, kind: &Kind, json: Json) -> (Option<Value>, Lost) {
        let (value, lost) = self.singular(kind, json);
        match (value, kind) {
            (None, Kind::Message(descriptor)) => {
                let empty = DynamicMessage::new(descriptor.clone());
                (Some(Value::Message(empty)), lost)
            }
            (value, _) => (value, lost),
        }
    }

    fn map(&mut self, field: &FieldDescriptor, entries: Map<String, Json>) -> (Value, Lost) {
        let mut lost = Lost::default();
        let mut map = HashMap::new();
        let kind = match field.kind() {
            Kind::Message(entry) => entry.map_entry_value_field().kind(),
            other => other,
        };
        self.damage.surplus |= entries.len() > self.max_elements;
        for (name, json) in entries.into_iter().take(self.max_elements) {
            let (value, inner) = self.singular(&kind, json);
            if let Some(condition) = inner.worst {
                lost.field(None, condition);
            }
            if let Some(value) = value {
                map.insert(MapKey::String(name), value);
            }
        }
        (Value::Map(map), lost)
    }

    fn singular(&mut self, kind: &Kind, json: Json) -> (Option<Value>, Lost) {
        match (kind, json) {
            (Kind::Message(descriptor), Json::Object(object)) => {
                let (message, lost) = self.message(descriptor, object);
                (Some(Value::Message(message)), lost)
            }
            (Kind::String, Json::String(text)) if self.is_damaged(&text) => {
                (None, Lost::all(PartCondition::InvalidUtf8))
            }
            (kind, json) => match scalar(kind, json) {
                Some(value) => (Some(value), Lost::default()),
                None => (None, Lost::all(PartCondition::Malformed)),
            },
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

fn scalar(kind: &Kind, json: Json) -> Option<Value> {
    match kind {
        Kind::String => match json {
            Json::String(text) => Some(Value::String(text)),
            _ => None,
        },
        Kind::Bool => json.as_bool().map(Value::Bool),
        Kind::Double => double(&json).map(Value::F64),
        Kind::Int64 => whole(&json).map(Value::I64),
        Kind::Uint64 => whole(&json).map(Value::U64),
        Kind::Uint32 => whole(&json).map(Value::U32),
        Kind::Enum(list) => word(list, &json).map(Value::EnumNumber),
        // The one message that JSON writes as a string.
        Kind::Message(descriptor) if descriptor.full_name() == "google.protobuf.Timestamp" => {
            DynamicMessage::deserialize(descriptor.clone(), json)
                .ok()
                .map(Value::Message)
        }
        _ => None,
    }
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

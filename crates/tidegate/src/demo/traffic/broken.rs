//! Records that are not as they should be, and what must become of them.

use moderation_wire::{Format, v1};
use prost::Message;

use super::dice::Dice;
use super::draft::Draft;

/// Longer than any limit of ours on one text, and shorter than a broker's on one record.
const OVERSIZED_BYTES: usize = 300 * 1024;
const ONE_DAY_SECONDS: i64 = 86_400;
/// A number that no list of words has.
const UNKNOWN_WORD: i32 = 9_999;

/// What must become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It gets a decision.
    Decided,
    /// Nobody can tell what it is about: it is put aside, byte by byte.
    DeadLettered,
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    RandomBytes,
    NoBytes,
    TruncatedProtobuf,
    InvalidUtf8,
    BrokenJson,
    MissingEventId,
    MissingSubject,
    UnknownWords,
    ClockInFuture,
    Oversized,
}

impl Fault {
    pub(super) const ALL: [Self; 10] = [
        Self::RandomBytes,
        Self::UnknownWords,
        Self::InvalidUtf8,
        Self::BrokenJson,
        Self::MissingEventId,
        Self::TruncatedProtobuf,
        Self::MissingSubject,
        Self::ClockInFuture,
        Self::NoBytes,
        Self::Oversized,
    ];

    pub(super) fn fate(self) -> Fate {
        match self {
            Self::RandomBytes
            | Self::NoBytes
            | Self::BrokenJson
            | Self::MissingEventId
            | Self::MissingSubject => Fate::DeadLettered,
            Self::TruncatedProtobuf
            | Self::InvalidUtf8
            | Self::UnknownWords
            | Self::ClockInFuture
            | Self::Oversized => Fate::Decided,
        }
    }

    /// Writes a record with this fault.
    pub(super) fn encode(self, mut draft: Draft, dice: &mut Dice) -> (Format, Vec<u8>) {
        match self {
            Self::RandomBytes => return (Format::Protobuf, random_bytes(dice)),
            Self::NoBytes => return (Format::Protobuf, Vec::new()),
            Self::BrokenJson => return (Format::Json, cut_short(json(&draft.record), 12)),
            Self::TruncatedProtobuf => {
                let bytes = draft.record.encode_to_vec();
                let kept = bytes.len() - 3;
                return (Format::Protobuf, cut_short(bytes, kept));
            }
            Self::InvalidUtf8 => return (Format::Protobuf, break_text(&draft.record)),
            Self::MissingEventId => draft.event().event_id.clear(),
            Self::MissingSubject => draft.event().subject = None,
            Self::UnknownWords => {
                let event = draft.event();
                (event.kind, event.surface) = (UNKNOWN_WORD, UNKNOWN_WORD);
            }
            Self::ClockInFuture => {
                if let Some(time) = &mut draft.event().occurred_at {
                    time.seconds += ONE_DAY_SECONDS;
                }
            }
            Self::Oversized => lengthen(&mut draft.record),
        }
        (Format::Protobuf, draft.record.encode_to_vec())
    }
}

/// Writes an event in protobuf's JSON form, as producers in other languages do.
pub(super) fn json(record: &v1::ContentEvent) -> Vec<u8> {
    // Only a time beyond the year 9999 has no JSON form, and an empty record shows that as a fault.
    moderation_wire::to_json(record)
        .map(|value| value.to_string().into_bytes())
        .unwrap_or_default()
}

fn random_bytes(dice: &mut Dice) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    dice.bytes(&mut bytes);
    // Field number 0 does not exist, so that no chance makes these bytes a record.
    bytes[0] = 0;
    bytes
}

fn cut_short(mut bytes: Vec<u8>, kept: usize) -> Vec<u8> {
    bytes.truncate(kept);
    bytes
}

/// Puts a byte that no UTF-8 has into the text.
fn break_text(record: &v1::ContentEvent) -> Vec<u8> {
    const MARK: char = '\u{10fffd}';
    let mut marked = record.clone();
    if let Some(v1::part::Content::Text(text)) = marked
        .parts
        .first_mut()
        .and_then(|part| part.content.as_mut())
    {
        text.push(MARK);
    }
    let mut bytes = marked.encode_to_vec();
    let mark = MARK.to_string().into_bytes();
    if let Some(place) = bytes.windows(mark.len()).position(|window| window == mark) {
        bytes[place] = 0xff;
    }
    bytes
}

fn lengthen(record: &mut v1::ContentEvent) {
    if let Some(v1::part::Content::Text(text)) = record
        .parts
        .first_mut()
        .and_then(|part| part.content.as_mut())
    {
        text.push(' ');
        *text = text.repeat(OVERSIZED_BYTES / text.len() + 1);
    }
}

//! Content events as a broken or malicious producer may write them.

use moderation::{
    ContentEvent, EventKind, Flag, Limits, PartCondition, PartContent, SubjectKind, Timestamp,
};
use moderation_wire::{
    Format, Unreadable, UnreadableReason, decode_content, encode_content, timestamp_to_wire, v1,
};
use proptest::prelude::*;
use prost::Message;

use crate::samples::{self, NOW};

const MIB: usize = 1024 * 1024;

fn decode(payload: &[u8]) -> Result<ContentEvent, Unreadable> {
    decode_content(payload, Format::Protobuf, NOW, &Limits::default())
}

fn decided(payload: &[u8]) -> ContentEvent {
    decode(payload).expect("has an event id and a subject")
}

/// A short text part under `part_id`.
fn part(part_id: &str, text: &str) -> v1::Part {
    v1::Part {
        part_id: part_id.to_owned(),
        origin: v1::PartOrigin::Body as i32,
        content: Some(v1::part::Content::Text(text.to_owned())),
        declared_language: String::new(),
    }
}

fn wire(change: impl FnOnce(&mut v1::ContentEvent, &mut v1::Event)) -> Vec<u8> {
    let mut content = v1::ContentEvent {
        event: None,
        parts: vec![part("body", "hello")],
    };
    let mut event = v1::Event::from(&samples::event());
    change(&mut content, &mut event);
    content.event.get_or_insert(event);
    content.encode_to_vec()
}

/// One length-delimited field.
fn delimited(number: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    prost::encoding::encode_varint(body.len() as u64, &mut bytes);
    bytes.extend_from_slice(body);
    bytes
}

/// An event as bytes, followed by more of its fields.
fn event_with(more: &[u8]) -> Vec<u8> {
    let mut event = v1::Event::from(&samples::event()).encode_to_vec();
    event.extend_from_slice(more);
    delimited(1, &event)
}

fn content_with(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = event_with(&[]);
    for part in parts {
        bytes.extend(delimited(2, part));
    }
    bytes
}

#[test]
fn unusual_fields_are_flagged() {
    let check = |what: &str, payload: &[u8], expected: &[Flag]| {
        assert_eq!(decided(payload).flags, expected, "{what}");
    };
    check("nothing unusual", &wire(|_, _| {}), &[]);
    check(
        "no author",
        &wire(|_, event| event.author = None),
        &[Flag::MissingField],
    );
    check(
        "no kind",
        &wire(|_, event| event.kind = 0),
        &[Flag::MissingField],
    );
    check(
        "no surface",
        &wire(|_, event| event.surface = 0),
        &[Flag::MissingField],
    );
    check(
        "unknown kind",
        &wire(|_, event| event.kind = 999),
        &[Flag::UnknownEnumValue],
    );
    check(
        "unknown role",
        &wire(|_, event| event.targets[0].role = -1),
        &[Flag::UnknownEnumValue],
    );
    check(
        "unknown subject kind",
        &wire(|_, event| event.subject.as_mut().unwrap().kind = 77),
        &[Flag::UnknownEnumValue],
    );
    check(
        "no region code",
        &wire(|_, event| event.data_region = "Germany".to_owned()),
        &[Flag::Salvaged],
    );
    check(
        "a clock ahead, and no surface",
        &wire(|_, event| {
            event.surface = 0;
            event.occurred_at = Some(timestamp_to_wire(samples::at(-61_000)));
        }),
        &[Flag::MissingField, Flag::ClockInFuture],
    );
    check(
        "a clock ahead, within the limit",
        &wire(|_, event| event.occurred_at = Some(timestamp_to_wire(samples::at(-60_000)))),
        &[],
    );
    check(
        "impossible time",
        &wire(|_, event| {
            event.occurred_at = Some(prost_types::Timestamp {
                seconds: i64::MAX,
                nanos: -5,
            });
        }),
        &[Flag::Salvaged],
    );
    check(
        "impossible age",
        &wire(|_, event| {
            let age = event.author.as_mut().unwrap().age.as_mut().unwrap();
            age.declared_years = Some(u32::MAX);
        }),
        &[Flag::Salvaged],
    );
    check(
        "impossible probability",
        &wire(|_, event| {
            let age = event.author.as_mut().unwrap().age.as_mut().unwrap();
            age.inferred_confidence = Some(f64::NAN);
        }),
        &[Flag::Salvaged],
    );
    check(
        "a fact without a value",
        &wire(|_, event| drop(event.facts.insert("empty".to_owned(), v1::Fact::default()))),
        &[Flag::Salvaged],
    );
    check(
        "too many targets",
        &wire(|_, event| event.targets = vec![event.targets[0].clone(); 65]),
        &[Flag::LimitExceeded],
    );
}

#[test]
fn unknown_words_and_future_clocks_are_replaced() {
    let event = decided(&wire(|_, event| {
        event.kind = 999;
        event.subject.as_mut().unwrap().kind = 0;
        event.occurred_at = Some(timestamp_to_wire(samples::at(-3_600_000)));
    }))
    .event;
    assert_eq!(event.kind, EventKind::Unrecognised);
    assert_eq!(event.subject.kind, SubjectKind::Unrecognised);
    assert_eq!(event.occurred_at, Some(NOW));
}

#[test]
fn what_tells_no_event_or_subject_is_unreadable() {
    let check = |what: &str, payload: &[u8], reason: UnreadableReason, field: &str| {
        let field = field.to_owned();
        assert_eq!(decode(payload), Err(Unreadable { reason, field }), "{what}");
    };
    let missing = UnreadableReason::MissingField;
    check("nothing", b"", missing, "event");
    check("text", b"hello, is this on?", missing, "event");
    check(
        "parts alone",
        &delimited(2, &part("a", "b").encode_to_vec()),
        missing,
        "event",
    );
    check("empty event", &delimited(1, b""), missing, "event.event_id");
    check(
        "no subject",
        &wire(|_, event| event.subject = None),
        missing,
        "event.subject",
    );
    check(
        "no subject id",
        &wire(|_, event| event.subject.as_mut().unwrap().id.clear()),
        missing,
        "event.subject.id",
    );
    let invalid = UnreadableReason::InvalidField;
    check(
        "a control character",
        &wire(|_, event| event.event_id = "a\nb".to_owned()),
        invalid,
        "event.event_id",
    );
    check(
        "too long an id",
        &wire(|_, event| event.event_id = "x".repeat(129)),
        invalid,
        "event.event_id",
    );
    let utf8 = delimited(
        1,
        &[delimited(1, b"\xff"), delimited(2, b"\x12\x01a")].concat(),
    );
    check("an id that is no text", &utf8, missing, "event.event_id");
}

#[test]
fn parts_that_cannot_be_read_are_broken() {
    let check = |what: &str, part: &[u8], expected: PartCondition| {
        let content = decided(&content_with(&[
            part,
            &self::part("sound", "text").encode_to_vec(),
        ]));
        let conditions: Vec<_> = content
            .parts
            .iter()
            .map(|part| part.content.condition())
            .collect();
        assert_eq!(conditions, [expected, PartCondition::Readable], "{what}");
        assert_eq!(content.event, samples::event(), "{what}");
        let is_flagged = content.flags.contains(&Flag::BrokenPart);
        assert_eq!(is_flagged, expected != PartCondition::Readable, "{what}");
    };
    check("text", &delimited(3, b"text"), PartCondition::Readable);
    check(
        "text that is no UTF-8",
        &delimited(3, b"te\xffxt"),
        PartCondition::InvalidUtf8,
    );
    check(
        "reference that is no UTF-8",
        &delimited(4, b"\xff"),
        PartCondition::InvalidUtf8,
    );
    check("no content", b"", PartCondition::Malformed);
    check("garbage", b"\x07\xff\xff\xff", PartCondition::Malformed);
    check(
        "text of the wrong type",
        b"\x18\x05",
        PartCondition::Malformed,
    );
    check(
        "a cut field",
        b"\x0a\x01a\x1a\x7fshort",
        PartCondition::Malformed,
    );
    check(
        "a broken byte behind the text",
        &[delimited(3, b"text"), vec![0xff]].concat(),
        PartCondition::Malformed,
    );
    check(
        "an id that is no UTF-8, beside sound text",
        &[delimited(1, b"\xff"), delimited(3, b"text")].concat(),
        PartCondition::Readable,
    );
    check(
        "sound text, then text that is no UTF-8",
        &[delimited(3, b"text"), delimited(3, b"\xff")].concat(),
        PartCondition::InvalidUtf8,
    );
}

#[test]
fn text_over_the_limit_is_broken() {
    let text = "a".repeat(5 * MIB);
    let content = decided(&wire(|content, _| content.parts.push(part("long", &text))));
    let conditions: Vec<_> = content
        .parts
        .iter()
        .map(|part| part.content.condition())
        .collect();
    assert_eq!(
        conditions,
        [PartCondition::Readable, PartCondition::Oversized]
    );
    assert_eq!(content.flags, [Flag::BrokenPart]);
}

#[test]
fn lost_parts_have_a_stand_in() {
    let check = |what: &str, tail: &[u8]| {
        let payload = [event_with(&[]), tail.to_vec()].concat();
        let content = decided(&payload);
        let last = content.parts.last().expect("a part stands in");
        assert_eq!(
            last.content,
            PartContent::Broken(PartCondition::Malformed),
            "{what}"
        );
        assert_eq!(content.flags, [Flag::Salvaged, Flag::BrokenPart], "{what}");
    };
    check("parts of the wrong type", b"\x10\x05");
    check("no field at all", b"\x00\x00");
    check("an end without a start", b"\x14");
    check("half a length", b"\x12\xff");
    check("a cut unknown field", b"\x7a\x7fab");
    check("an unclosed group", b"\x7b\x0b");

    let event = v1::Event::from(&samples::event()).encode_to_vec();
    let cut = &delimited(1, &event)[..event.len() - 10];
    let last = decided(cut).parts.pop().map(|part| part.content);
    assert_eq!(last, Some(PartContent::Broken(PartCondition::Malformed)));
}

#[test]
fn broken_fields_of_the_event_leave_the_rest() {
    let bad_utf8 = [
        delimited(14, b"\xff"),
        delimited(6, &delimited(2, b"\xff\xfe")),
    ]
    .concat();
    let payload = [
        event_with(&bad_utf8),
        delimited(2, &part("body", "hello").encode_to_vec()),
    ];
    let content = decided(&payload.concat());
    assert_eq!(content.event, samples::event());
    assert_eq!(content.flags, [Flag::Salvaged]);
    assert_eq!(content.parts.len(), 1);
}

#[test]
fn targets_without_an_id_still_protect() {
    let content = decided(&wire(|_, event| {
        event.targets[0]
            .account
            .as_mut()
            .unwrap()
            .account_id
            .clear();
        event.targets[1].account.as_mut().unwrap().account_id = "\u{7}".to_owned();
    }));
    let expected = samples::event().targets;
    for (index, target) in content.event.targets.iter().enumerate() {
        assert_eq!(
            target.account.account_id.as_str(),
            format!("unreadable-target-{index}")
        );
        assert_eq!(target.account.age, expected[index].account.age);
        assert_eq!(target.role, expected[index].role);
    }
    assert_eq!(content.flags, [Flag::Salvaged, Flag::MissingField]);
}

#[test]
fn part_ids_are_unique() {
    let names = ["part-3", "a", "a", "", "\u{1}", "part-2"];
    let content = decided(&wire(|content, _| {
        content.parts = names.iter().map(|name| part(name, "text")).collect();
    }));
    let ids: Vec<_> = content
        .parts
        .iter()
        .map(|part| part.part_id.as_str())
        .collect();
    assert_eq!(
        ids,
        ["part-3", "a", "part-2", "part-3-2", "part-4", "part-5"]
    );
}

#[test]
fn surplus_parts_have_a_stand_in() {
    let content = decided(&wire(|content, _| {
        content.parts = vec![part("", "text"); 33];
    }));
    assert_eq!(content.parts.len(), 33);
    assert_eq!(content.parts[32].part_id.as_str(), "surplus-parts");
    assert_eq!(
        content.parts[32].content,
        PartContent::Broken(PartCondition::Oversized)
    );
    assert!(content.flags.contains(&Flag::LimitExceeded));
}

#[test]
fn size_and_depth_do_no_harm() {
    let check = |what: &str, tail: Vec<u8>, is_flagged: Flag| {
        let content = decided(&[event_with(&[]), tail].concat());
        assert_eq!(content.event.event_id, samples::event().event_id, "{what}");
        assert!(
            content.flags.contains(&is_flagged),
            "{what}: {:?}",
            content.flags
        );
    };
    check(
        "a million parts",
        b"\x12\x00".repeat(MIB),
        Flag::LimitExceeded,
    );
    check(
        "a million events",
        b"\x0a\x00\xff".repeat(MIB),
        Flag::Salvaged,
    );
    check("deep groups", b"\x7b".repeat(4 * MIB), Flag::Salvaged);
    let closed = [
        b"\x7b".repeat(MIB),
        b"\x7c".repeat(MIB),
        b"\x12\x00".to_vec(),
    ]
    .concat();
    check("deep groups that close", closed, Flag::BrokenPart);
    check(
        "a length beyond everything",
        b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec(),
        Flag::BrokenPart,
    );

    let targets = event_with(&b"\x3a\x00".repeat(MIB));
    assert_eq!(
        decided(&targets).event.targets.len(),
        Limits::default().max_targets
    );
}

#[test]
fn every_truncation_that_keeps_id_and_subject_is_decided() {
    let payload = encode_content(&samples::content());
    let subject = v1::Subject::from(&samples::event().subject).encode_to_vec();
    let needed = payload
        .windows(subject.len())
        .position(|window| window == subject)
        .expect("the subject is there")
        + subject.len();
    for length in 0..payload.len() {
        match decode(&payload[..length]) {
            Ok(content) => {
                assert_eq!(
                    content.event.event_id,
                    samples::event().event_id,
                    "{length}"
                );
                assert_eq!(content.event.subject.kind, SubjectKind::Content, "{length}");
            }
            Err(unreadable) => assert!(length < needed, "{length}: {unreadable}"),
        }
    }
}

#[test]
fn every_flipped_bit_behind_the_event_is_decided() {
    let payload = encode_content(&samples::content());
    let event_ends = event_with(&[]).len();
    for bit in event_ends * 8..payload.len() * 8 {
        let mut flipped = payload.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(decided(&flipped).event, samples::event(), "bit {bit}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(payload in prop::collection::vec(any::<u8>(), 0..512)) {
        for format in [Format::Protobuf, Format::Json] {
            let decoded = decode_content(&payload, format, Timestamp::from_millis(0), &Limits::default());
            prop_assert!(decoded.is_err() || !decoded.unwrap().event.event_id.as_str().is_empty());
        }
    }

    #[test]
    fn damaged_events_never_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut payload = encode_content(&samples::content());
        for (place, byte) in damage {
            let place = place.index(payload.len());
            payload[place] = byte;
        }
        payload.truncate(cut.index(payload.len()) + 1);
        if let Ok(content) = decode(&payload) {
            let reencoded = decode(&encode_content(&content));
            prop_assert_eq!(reencoded.map(|content| content.event), Ok(content.event));
        }
    }
}

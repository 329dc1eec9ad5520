//! JSON as `kcat`, scripts and people write it.

use moderation::{
    ContentEvent, EventKind, Flag, Limits, PartCondition, SubjectKind, Surface, TargetRole,
};
use moderation_wire::{
    Format, Unreadable, UnreadableReason, decode_content, decode_scored, to_json, v1,
};

use crate::samples::{self, NOW};

const HEAD: &str = r#""event": {"event_id": "e-1", "subject": {"kind": "content", "id": "s-1"},
    "kind": "publish", "surface": "comment", "author": {"account_id": "a-1"}}"#;

fn decode(payload: &[u8]) -> Result<ContentEvent, Unreadable> {
    decode_content(payload, Format::Json, NOW, &Limits::default())
}

fn decided(payload: &[u8]) -> ContentEvent {
    decode(payload).expect("has an event id and a subject")
}

#[test]
fn the_standard_mapping_is_read() {
    let json = to_json(&v1::ContentEvent::from(&samples::content())).expect("can be written");
    assert_eq!(decode(json.to_string().as_bytes()), Ok(samples::content()));

    let json = to_json(&v1::ScoredEvent::from(&samples::scored())).expect("can be written");
    let scored = decode_scored(
        json.to_string().as_bytes(),
        Format::Json,
        NOW,
        &Limits::default(),
    );
    assert_eq!(scored, Ok(samples::scored()));
}

#[test]
fn short_words_and_both_cases_are_read() {
    let content = decided(
        br#"{"event": {"eventId": "e-1", "subject": {"kind": "live_session", "id": "s-1", "revision": "4"},
            "kind": "EVENT_KIND_PUBLISH", "surface": "Live_Chat", "occurredAt": "2026-08-01T10:00:00Z",
            "author": {"account_id": "a-1", "age": {"declaredYears": 14.0, "inferred_years": "15"}},
            "targets": [{"account": {"accountId": "t-1"}, "role": 3}], "future_field": {"x": [1]}, "report": null,
            "contentTypes": ["text", "CONTENT_TYPE_VIDEO"], "facts": {"strikes_90d": {"integer": "2"}}},
            "parts": [{"partId": "body", "origin": "body", "text": "hi"}]}"#,
    );
    assert_eq!(content.flags, []);
    assert_eq!(content.event.kind, EventKind::Publish);
    assert_eq!(content.event.surface, Surface::LiveChat);
    assert_eq!(content.event.subject.kind, SubjectKind::LiveSession);
    assert_eq!(content.event.subject.revision, 4);
    assert_eq!(content.event.targets[0].role, TargetRole::RepliedTo);
    assert_eq!(content.event.content_types.len(), 2);
    assert_eq!(content.event.facts.len(), 1);
    let age = content.event.author.expect("an author").age;
    assert_eq!(
        (age.declared_years, age.inferred_years),
        (Some(14), Some(15))
    );
}

#[test]
fn what_does_not_fit_is_left_out_and_flagged() {
    let check = |what: &str, event_fields: &str, flags: &[Flag]| {
        let payload = format!(
            r#"{{"event": {{"event_id": "e-1", "subject": {{"kind": 1, "id": "s-1"}}, "kind": "publish",
                "surface": 4, "author": {{"account_id": "a-1"}}{event_fields}}}, "parts": []}}"#
        );
        let content = decided(payload.as_bytes());
        assert_eq!(content.flags, flags, "{what}");
        assert_eq!(content.event.event_id.as_str(), "e-1", "{what}");
    };
    check("nothing", "", &[]);
    check(
        "an unknown word",
        r#", "audience": "everybody""#,
        &[Flag::UnknownEnumValue],
    );
    check(
        "a huge word number",
        r#", "audience": 1e300"#,
        &[Flag::UnknownEnumValue],
    );
    check(
        "a number for a string",
        r#", "data_region": 5"#,
        &[Flag::Salvaged],
    );
    check(
        "a string for a message",
        r#", "context": "reply""#,
        &[Flag::Salvaged],
    );
    check(
        "a message for a list",
        r#", "targets": {}"#,
        &[Flag::Salvaged],
    );
    check("a list for a map", r#", "facts": [1]"#, &[Flag::Salvaged]);
    check(
        "a bad time",
        r#", "occurred_at": "yesterday""#,
        &[Flag::Salvaged],
    );
    check(
        "a bad fact",
        r#", "facts": {"a": {"integer": 1.5}}"#,
        &[Flag::Salvaged],
    );
    check(
        "a negative age",
        r#", "author": {"account_id": "a-1", "age": {"declared_years": -1}}"#,
        &[Flag::Salvaged],
    );
}

#[test]
fn parts_that_cannot_be_read_are_broken() {
    let check = |what: &str, parts: &[u8], expected: &[PartCondition]| {
        let payload = [b"{", HEAD.as_bytes(), b", \"parts\": ", parts, b"}"].concat();
        let content = decided(&payload);
        let conditions: Vec<_> = content
            .parts
            .iter()
            .map(|part| part.content.condition())
            .collect();
        assert_eq!(conditions, expected, "{what}");
        let any_broken = expected
            .iter()
            .any(|condition| *condition > PartCondition::Reference);
        assert_eq!(
            content.flags.contains(&Flag::BrokenPart),
            any_broken,
            "{what}"
        );
    };
    use PartCondition::{InvalidUtf8, Malformed, Readable};
    check(
        "sound",
        br#"[{"text": "a"}, {"text": ""}]"#,
        &[Readable, Readable],
    );
    check(
        "one is no object",
        br#"[{"text": "a"}, 7]"#,
        &[Readable, Malformed],
    );
    check(
        "one is null",
        br#"[null, {"text": "a"}]"#,
        &[Malformed, Readable],
    );
    check(
        "text is a number",
        br#"[{"text": 7}, {"text": "a"}]"#,
        &[Malformed, Readable],
    );
    check("parts is no list", br#"{"text": "a"}"#, &[Malformed]);
    check(
        "bytes that are no UTF-8",
        b"[{\"text\": \"a\xff\"}, {\"text\": \"b\"}]",
        &[InvalidUtf8, Readable],
    );
    check(
        "half a character",
        br#"[{"text": "a\ud83d"}, {"text": "b"}]"#,
        &[InvalidUtf8, Readable],
    );
    check("a bare line break", b"[{\"text\": \"a\nb\"}]", &[Readable]);
    check(
        "a bad language",
        br#"[{"text": "a", "declared_language": 7}]"#,
        &[Readable],
    );
    check(
        "a replacement character that was meant",
        "[{\"text\": \"\u{fffd}\"}]".as_bytes(),
        &[Readable],
    );
}

#[test]
fn what_is_no_json_is_unreadable() {
    let check = |what: &str, payload: &[u8], reason: UnreadableReason, field: &str| {
        let field = field.to_owned();
        assert_eq!(decode(payload), Err(Unreadable { reason, field }), "{what}");
    };
    let not_json = UnreadableReason::NotJson;
    check("nothing", b"", not_json, "record");
    check(
        "cut off",
        format!("{{{HEAD}").as_bytes(),
        not_json,
        "record",
    );
    check("a list", b"[]", not_json, "record");
    check(
        "protobuf",
        &moderation_wire::encode_content(&samples::content()),
        not_json,
        "record",
    );
    check("deep", "[".repeat(1 << 20).as_bytes(), not_json, "record");
    check(
        "an empty object",
        b"{}",
        UnreadableReason::MissingField,
        "event",
    );
    check(
        "an id that is a number",
        br#"{"event": {"event_id": 7, "subject": {"id": "s-1"}}}"#,
        UnreadableReason::MissingField,
        "event.event_id",
    );
    check(
        "an id that is no UTF-8",
        b"{\"event\": {\"event_id\": \"\xff\", \"subject\": {\"id\": \"s-1\"}}}",
        UnreadableReason::MissingField,
        "event.event_id",
    );
}

#[test]
fn size_does_no_harm() {
    let parts = vec!["{}"; 1 << 18].join(",");
    let content = decided(format!("{{{HEAD}, \"parts\": [{parts}]}}").as_bytes());
    assert_eq!(content.parts.len(), Limits::default().max_parts + 1);
    assert!(content.flags.contains(&Flag::LimitExceeded));
}

#[test]
fn people_read_snake_case_and_plain_numbers() {
    let json = to_json(&v1::Decision::from(&samples::decision())).expect("can be written");
    assert_eq!(json["policy_version"], 7);
    assert_eq!(json["subject"]["kind"], "SUBJECT_KIND_CONTENT");
    assert_eq!(json["matched"][0]["threshold_source"], "cap:target=13_15");
    assert_eq!(json["evaluation_time"], "2026-09-21T14:13:20.456Z");
}

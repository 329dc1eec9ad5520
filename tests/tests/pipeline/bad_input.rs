//! A record never stops a partition and never disappears.

use kafka_pipeline::{OutputRecord, dead_letter};
use moderation::{Flag, Surface};
use moderation_wire::{encode_content, headers};
use tidegate_tests::{Stack, StackOptions, samples};

/// What must become of a record.
enum Expected {
    /// It is decided, with these flags at least.
    Decided {
        event_id: &'static str,
        flags: &'static [Flag],
    },
    /// Its bytes go to the dead-letter topic.
    DeadLettered,
}

use Expected::{DeadLettered, Decided};

struct Case {
    name: &'static str,
    content_type: Option<&'static str>,
    value: Vec<u8>,
    expected: Expected,
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_tells_its_event_and_subject_is_decided_and_the_rest_is_kept() {
    // One partition, so that every case stands in the way of the next.
    let stack = Stack::start(StackOptions {
        partitions: 1,
        ..StackOptions::default()
    })
    .await;
    let (mut decisions, mut dead_letters) = (stack.decisions(), stack.dead_letters());
    for case in cases() {
        println!("{}", case.name);
        let mut record = OutputRecord::new(
            stack.topics.content.as_str().into(),
            "key",
            case.value.clone(),
        );
        if let Some(content_type) = case.content_type {
            record = record.with_header(headers::CONTENT_TYPE, content_type);
        }
        stack.send_record(record).await;
        match case.expected {
            Decided { event_id, flags } => {
                let decision = decisions.next().await;
                assert_eq!(decision.event_id.as_str(), event_id, "{}", case.name);
                for flag in flags {
                    assert!(
                        decision.flags.contains(flag),
                        "{}: {:?}",
                        case.name,
                        decision.flags
                    );
                }
            }
            DeadLettered => {
                let letter = dead_letters.next().await;
                assert_eq!(letter.value, case.value, "{}: bytes are kept", case.name);
                assert_eq!(
                    letter.headers.get(dead_letter::STAGE),
                    Some(&b"classifier"[..]),
                    "{}",
                    case.name
                );
                assert!(
                    letter.headers.get(dead_letter::REASON).is_some(),
                    "{}",
                    case.name
                );
            }
        }
    }
    stack
        .send(&samples::comment("after", samples::HARMLESS))
        .await;
    let after = decisions.next().await;
    assert_eq!(after.event_id.as_str(), "after");
    assert_eq!(
        after.flags,
        [],
        "nothing of the bad records clings to a good one"
    );
    assert!(
        !stack.classifier.log().contains(SECRET) && !stack.enforcer.log().contains(SECRET),
        "a user's text is never logged"
    );
}

/// Bytes of the largest text. A partition of the in-process broker holds 5 MiB and loses a batch that exceeds them.
const HUGE: usize = 5 * 1024 * 1024 - 64 * 1024;
/// Stands in the text of every broken record.
const SECRET: &str = "correct horse battery staple";

fn cases() -> Vec<Case> {
    let protobuf = |name, value, expected| Case {
        name,
        content_type: None,
        value,
        expected,
    };
    let json = |name, value: String, expected| Case {
        name,
        content_type: Some("application/json"),
        value: value.into_bytes(),
        expected,
    };
    let text = SECRET;
    vec![
        protobuf("no bytes at all", Vec::new(), DeadLettered),
        protobuf("bytes that are no protobuf", b"\xff\xff\xff not protobuf".to_vec(), DeadLettered),
        protobuf(
            "cut off in its text",
            cut_off("cut"),
            Decided { event_id: "cut", flags: &[Flag::Salvaged] },
        ),
        protobuf(
            "text that is not UTF-8",
            not_utf8("latin"),
            Decided { event_id: "latin", flags: &[Flag::BrokenPart] },
        ),
        protobuf(
            "a text as large as the in-process broker keeps",
            encode_content(&samples::comment("huge", &"a very long text ".repeat(HUGE / 17))),
            Decided { event_id: "huge", flags: &[Flag::BrokenPart] },
        ),
        protobuf("a subject without id", without_subject(), DeadLettered),
        protobuf(
            "a surface of the future",
            unknown_surface("surface"),
            Decided { event_id: "surface", flags: &[Flag::UnknownEnumValue] },
        ),
        protobuf(
            "a clock in the future",
            clock_in_future("clock"),
            Decided { event_id: "clock", flags: &[Flag::ClockInFuture] },
        ),
        json("cut off", format!(r#"{{"event": {{"eventId": "j", "parts": [{{"text": "{text}"#), DeadLettered),
        json("not an object", format!("[\"{text}\"]"), DeadLettered),
        json("no ids", format!(r#"{{"parts": [{{"partId": "p", "text": "{text}"}}]}}"#), DeadLettered),
        json(
            "an unknown word",
            json_event("word", r#""surface": "hologram", "kind": "publish""#, text),
            Decided { event_id: "word", flags: &[Flag::UnknownEnumValue] },
        ),
        json(
            "no author, no kind, no surface",
            json_event("bare", "", text),
            Decided { event_id: "bare", flags: &[Flag::MissingField] },
        ),
        json(
            "a part that is no part",
            r#"{"event": {"eventId": "part", "subject": {"kind": "content", "id": "c"}}, "parts": [17]}"#.to_owned(),
            Decided { event_id: "part", flags: &[Flag::BrokenPart] },
        ),
    ]
}

fn json_event(event_id: &str, fields: &str, text: &str) -> String {
    let separator = if fields.is_empty() { "" } else { "," };
    format!(
        r#"{{"event": {{"eventId": "{event_id}", "subject": {{"kind": "content", "id": "c-{event_id}"}}{separator} {fields}}},
            "parts": [{{"partId": "body", "origin": "body", "text": "{text}"}}]}}"#
    )
}

fn cut_off(event_id: &str) -> Vec<u8> {
    let mut bytes = encode_content(&samples::comment(event_id, SECRET));
    bytes.truncate(bytes.len() - SECRET.len() / 2);
    bytes
}

fn not_utf8(event_id: &str) -> Vec<u8> {
    let mut bytes = encode_content(&samples::comment(event_id, SECRET));
    let text = bytes
        .windows(SECRET.len())
        .position(|window| window == SECRET.as_bytes());
    bytes[text.expect("the text stands in the record")] = 0xE9;
    bytes
}

fn without_subject() -> Vec<u8> {
    use moderation_wire::v1;
    let mut content = v1::ContentEvent::from(&samples::comment("nobody", SECRET));
    content
        .event
        .as_mut()
        .expect("present")
        .subject
        .as_mut()
        .expect("present")
        .id
        .clear();
    prost::Message::encode_to_vec(&content)
}

fn unknown_surface(event_id: &str) -> Vec<u8> {
    use moderation_wire::v1;
    let sample = samples::comment(event_id, SECRET);
    assert_eq!(sample.event.surface, Surface::Comment);
    let mut content = v1::ContentEvent::from(&sample);
    content.event.as_mut().expect("present").surface = 4_711;
    prost::Message::encode_to_vec(&content)
}

fn clock_in_future(event_id: &str) -> Vec<u8> {
    let mut content = samples::comment(event_id, SECRET);
    // The year 2100.
    content.event.occurred_at = Some(moderation::Timestamp::from_millis(4_102_444_800_000));
    encode_content(&content)
}

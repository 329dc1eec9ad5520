//! What reading and writing records costs.

use anyhow::{Context, ensure};
use moderation::{ContentEvent, Flag, Limits, PartContent, ScoredEvent, decide};
use moderation_wire::{
    Format, Unreadable, decode_content, decode_decision, decode_scored, encode_content,
    encode_decision, encode_scored, to_json, v1,
};
use prost::Message;
use tidegate_benches::{Bench, Texts, run, samples};

/// Different records in turns; they fit into the caches.
const VARIANTS: usize = 64;

fn main() -> anyhow::Result<()> {
    run(
        "records",
        "moderation-wire; baseline: prost alone on the bytes or message of the same intact record as protobuf",
        |bench| {
            contents(bench)?;
            let scored: Vec<ScoredEvent> = (0..VARIANTS).map(scored).collect();
            scored_events(bench, &scored)?;
            decisions(bench, &scored)
        },
    )
}

fn scored(number: usize) -> ScoredEvent {
    samples::scored(samples::event(number, 1), samples::scores([12, 31, 930]))
}

fn contents(bench: &mut Bench) -> anyhow::Result<()> {
    let contents: Vec<ContentEvent> = Texts::new(1)
        .take(VARIANTS)
        .enumerate()
        .map(|(number, text)| samples::content(number, text))
        .collect();
    let messages: Vec<v1::ContentEvent> = contents.iter().map(Into::into).collect();
    let protobuf: Vec<Vec<u8>> = messages.iter().map(Message::encode_to_vec).collect();
    let json = messages
        .iter()
        .map(|message| Ok(serde_json::to_vec(&to_json(message)?)?))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let broken = contents
        .iter()
        .zip(&protobuf)
        .map(|(content, bytes)| with_broken_text(content, bytes))
        .collect::<anyhow::Result<Vec<_>>>()?;
    check_contents(&contents, &protobuf, &json, &broken)?;

    let bare = |call: usize| v1::ContentEvent::decode(protobuf[call % VARIANTS].as_slice());
    bench.compare_calls(
        "content, decode protobuf",
        "ns/record",
        |call| read(&protobuf[call % VARIANTS], Format::Protobuf),
        bare,
    );
    bench.compare_calls(
        "content, decode JSON",
        "ns/record",
        |call| read(&json[call % VARIANTS], Format::Json),
        bare,
    );
    bench.compare_calls(
        "content, salvage protobuf with a broken text",
        "ns/record",
        |call| read(&broken[call % VARIANTS], Format::Protobuf),
        bare,
    );
    bench.compare_calls(
        "content, encode protobuf",
        "ns/record",
        |call| encode_content(&contents[call % VARIANTS]),
        |call| messages[call % VARIANTS].encode_to_vec(),
    );
    Ok(())
}

fn read(bytes: &[u8], format: Format) -> Result<ContentEvent, Unreadable> {
    decode_content(bytes, format, samples::NOW, &Limits::default())
}

/// Replaces the text's first byte by one that UTF-8 never has.
fn with_broken_text(content: &ContentEvent, bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let PartContent::Text(text) = &content.parts[0].content else {
        anyhow::bail!("the sample has no text");
    };
    let text = text.expose().as_bytes();
    let start = bytes
        .windows(text.len())
        .position(|window| window == text)
        .context("the record does not hold its text")?;
    let mut broken = bytes.to_vec();
    broken[start] = 0xff;
    Ok(broken)
}

/// Checks that what is measured is what the cases' names say.
fn check_contents(
    contents: &[ContentEvent],
    protobuf: &[Vec<u8>],
    json: &[Vec<u8>],
    broken: &[Vec<u8>],
) -> anyhow::Result<()> {
    for (number, content) in contents.iter().enumerate() {
        ensure!(read(&protobuf[number], Format::Protobuf)? == *content);
        ensure!(read(&json[number], Format::Json)? == *content);
        let salvaged = read(&broken[number], Format::Protobuf)?;
        ensure!(salvaged.event == content.event && salvaged.flags.contains(&Flag::BrokenPart));
    }
    Ok(())
}

fn scored_events(bench: &mut Bench, scored: &[ScoredEvent]) -> anyhow::Result<()> {
    let messages: Vec<v1::ScoredEvent> = scored.iter().map(Into::into).collect();
    let bytes: Vec<Vec<u8>> = messages.iter().map(Message::encode_to_vec).collect();
    let limits = Limits::default();
    let read = |bytes: &[u8]| decode_scored(bytes, Format::Protobuf, samples::NOW, &limits);
    for (bytes, scored) in bytes.iter().zip(scored) {
        ensure!(read(bytes)? == *scored);
    }
    bench.compare_calls(
        "scored event, decode",
        "ns/record",
        |call| read(&bytes[call % VARIANTS]),
        |call| v1::ScoredEvent::decode(bytes[call % VARIANTS].as_slice()),
    );
    bench.compare_calls(
        "scored event, encode",
        "ns/record",
        |call| encode_scored(&scored[call % VARIANTS]),
        |call| messages[call % VARIANTS].encode_to_vec(),
    );
    Ok(())
}

fn decisions(bench: &mut Bench, scored: &[ScoredEvent]) -> anyhow::Result<()> {
    let policy = samples::shipped_policy()?;
    let decisions: Vec<_> = scored
        .iter()
        .map(|event| decide(event, &policy).decision)
        .collect();
    let messages: Vec<v1::Decision> = decisions.iter().map(Into::into).collect();
    let bytes: Vec<Vec<u8>> = messages.iter().map(Message::encode_to_vec).collect();
    for (bytes, decision) in bytes.iter().zip(&decisions) {
        ensure!(decode_decision(bytes)? == *decision);
    }
    bench.compare_calls(
        "decision, decode",
        "ns/record",
        |call| decode_decision(&bytes[call % VARIANTS]),
        |call| v1::Decision::decode(bytes[call % VARIANTS].as_slice()),
    );
    bench.compare_calls(
        "decision, encode",
        "ns/record",
        |call| encode_decision(&decisions[call % VARIANTS]),
        |call| messages[call % VARIANTS].encode_to_vec(),
    );
    Ok(())
}

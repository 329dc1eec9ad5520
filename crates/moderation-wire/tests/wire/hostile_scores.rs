//! Scored events as any stage or system may write them.

use moderation::{Flag, LabelOutcome, Limits, PartCondition, ScoredEvent, Support};
use moderation_wire::{Format, decode_scored, encode_scored, timestamp_to_wire, v1};
use proptest::prelude::*;
use prost::Message;

use crate::samples::{self, NOW};

fn decided(payload: &[u8]) -> ScoredEvent {
    decode_scored(payload, Format::Protobuf, NOW, &Limits::default())
        .expect("has an event id and a subject")
}

fn changed(change: impl FnOnce(&mut v1::ScoredEvent)) -> ScoredEvent {
    let mut wire = v1::ScoredEvent::from(&samples::scored());
    wire.flags.clear();
    change(&mut wire);
    decided(&wire.encode_to_vec())
}

#[test]
fn scores_that_contradict_themselves_have_failed() {
    let check = |what: &str, change: fn(&mut v1::LabelScore), flag: Flag| {
        let scored = changed(|wire| change(&mut wire.scores[0]));
        assert_eq!(scored.scores[0].outcome, LabelOutcome::Failed, "{what}");
        assert_eq!(scored.flags, [flag], "{what}");
        let part = scored.scores[0].part as usize;
        assert!(part < scored.parts.len(), "{what}");
        let bundle = scored.scores[0].bundle.unwrap_or(0) as usize;
        assert!(bundle < scored.bundles.len(), "{what}");
        assert_eq!(scored.scores[1], samples::scored().scores[1], "{what}");
    };
    check("over 1", |score| score.value = Some(1001), Flag::Salvaged);
    check(
        "scored without a value",
        |score| score.value = None,
        Flag::Salvaged,
    );
    check(
        "a value without scored",
        |score| score.status = 4,
        Flag::Salvaged,
    );
    check(
        "a part that is not there",
        |score| score.part = Some(2),
        Flag::Salvaged,
    );
    check("no part", |score| score.part = None, Flag::MissingField);
    check(
        "a part far away",
        |score| score.part = Some(u32::MAX),
        Flag::Salvaged,
    );
    check(
        "a bundle that is not there",
        |score| score.bundle = Some(2),
        Flag::Salvaged,
    );
    check(
        "an unknown support",
        |score| score.support = 99,
        Flag::UnknownEnumValue,
    );
    check(
        "a score without support",
        |score| score.support = 0,
        Flag::UnknownEnumValue,
    );
    check(
        "an unknown status",
        |score| (score.status, score.value) = (99, None),
        Flag::UnknownEnumValue,
    );
}

#[test]
fn unknown_words_read_as_the_strictest() {
    let scored = changed(|wire| {
        wire.scores[1].support = 99;
        wire.parts[0].condition = 99;
        wire.bundles[0].role = 99;
        wire.flags = vec![3, 99];
    });
    assert_eq!(scored.scores[1].support, Support::Unsupported);
    assert_eq!(
        scored.scores[1].outcome,
        samples::scored().scores[1].outcome
    );
    assert_eq!(scored.parts[0].condition, PartCondition::Malformed);
    assert_eq!(scored.bundles[0].role, moderation::BundleRole::Shadow);
    assert_eq!(scored.flags, [Flag::UnknownEnumValue]);
}

/// A part of which nothing is said stands for what may have been said of anything: rules find a score missing there.
fn has_silent_stand_in(scored: &ScoredEvent) -> bool {
    let last = scored.parts.len() - 1;
    let is_broken = scored.parts[last].condition == PartCondition::Malformed;
    is_broken
        && scored
            .scores
            .iter()
            .all(|score| score.part as usize != last)
}

#[test]
fn a_score_of_nobody_knows_what_leaves_a_silence() {
    for label in ["", "\u{7}"] {
        let scored = changed(|wire| wire.scores[0].label = label.to_owned());
        assert_eq!(scored.scores, samples::scored().scores[1..]);
        assert_eq!(scored.parts.len(), samples::scored().parts.len() + 1);
        assert!(has_silent_stand_in(&scored), "{scored:?}");
    }
}

#[test]
fn a_verdict_that_cannot_be_carried_out_leaves_a_silence() {
    let scored = changed(|wire| wire.overturned[0].kind = 99);
    assert_eq!(scored.overturned, samples::scored().overturned[1..]);
    assert_eq!(scored.flags, [Flag::BrokenPart, Flag::UnknownEnumValue]);
    assert!(has_silent_stand_in(&scored), "{scored:?}");
}

#[test]
fn scores_and_parts_beyond_the_limit_leave_a_silence() {
    let score = samples::scored().scores[0].clone();
    let many_scores = changed(|wire| wire.scores = vec![(&score).into(); 5000]);
    let many_parts = changed(|wire| {
        wire.scores = vec![(&score).into()];
        wire.parts = (0..5000)
            .map(|index| v1::ScoredPart {
                part_id: format!("part-number-{index}"),
                condition: v1::PartCondition::Readable as i32,
                ..Default::default()
            })
            .collect();
    });
    for scored in [many_scores, many_parts] {
        assert!(scored.flags.contains(&Flag::LimitExceeded));
        assert!(has_silent_stand_in(&scored));
    }
}

#[test]
fn bundles_without_a_digest_take_their_scores_with_them() {
    let scored = changed(|wire| {
        wire.scores[1].bundle = Some(0);
        wire.bundles[0].digest.clear();
    });
    assert_eq!(scored.bundles, [samples::scored().bundles[1].clone()]);
    assert_eq!(scored.scores[0].bundle, Some(0));
    assert_eq!(
        scored.scores[0].outcome,
        samples::scored().scores[0].outcome
    );
    assert_eq!(scored.scores[1].bundle, None);
    assert_eq!(scored.scores[1].outcome, LabelOutcome::Failed);
}

#[test]
fn what_is_missing_is_replaced() {
    let scored = changed(|wire| {
        wire.evaluation_time = None;
        wire.cause = None;
    });
    assert_eq!(scored.evaluation_time, NOW);
    assert_eq!(scored.cause, samples::event().cause());
    assert_eq!(scored.flags, [Flag::MissingField]);

    let ahead =
        changed(|wire| wire.evaluation_time = Some(timestamp_to_wire(samples::at(-61_000))));
    assert_eq!(ahead.evaluation_time, NOW);
    assert_eq!(ahead.flags, [Flag::ClockInFuture]);
}

#[test]
fn damaged_scores_have_failed_in_their_place() {
    let mut wire = v1::ScoredEvent::from(&samples::scored());
    let score = wire.scores[0].encode_to_vec();
    wire.scores.clear();
    let mut payload = wire.encode_to_vec();
    for damaged in [&[0xff][..], &[]] {
        payload.extend([5 << 3 | 2, (score.len() + damaged.len()) as u8]);
        payload.extend(&score);
        payload.extend(damaged);
    }
    let scored = decided(&payload);
    assert_eq!(scored.scores[0].outcome, LabelOutcome::Failed);
    assert_eq!(scored.scores[1], samples::scored().scores[0]);
    assert_eq!(scored.parts, samples::scored().parts);
    assert!(scored.flags.contains(&Flag::Salvaged));
}

#[test]
fn every_damage_leaves_indexes_in_range() {
    let payload = encode_scored(&samples::scored());
    let check = |payload: &[u8]| {
        let Ok(scored) = decode_scored(payload, Format::Protobuf, NOW, &Limits::default()) else {
            return false;
        };
        for score in &scored.scores {
            assert!((score.part as usize) < scored.parts.len());
            assert!(
                score
                    .bundle
                    .is_none_or(|bundle| (bundle as usize) < scored.bundles.len())
            );
        }
        true
    };
    for bit in 0..payload.len() * 8 {
        let mut flipped = payload.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        check(&flipped);
    }
    assert!(check(&payload));
    assert!(check(&payload[..payload.len() - 1]));
    assert!(!check(&payload[..4]));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(payload in prop::collection::vec(any::<u8>(), 0..512)) {
        for format in [Format::Protobuf, Format::Json] {
            let decoded = decode_scored(&payload, format, NOW, &Limits::default());
            prop_assert!(decoded.is_err() || !decoded.unwrap().event.event_id.as_str().is_empty());
        }
    }
}

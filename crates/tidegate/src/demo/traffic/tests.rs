use std::collections::{HashMap, HashSet};

use moderation::{
    AgeState, DetectionSource, EventKind, Flag, Limits, PartContent, SubjectKind, Surface,
};
use moderation_wire::decode_content;
use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_780_000_000_000);

fn content(traffic: &Traffic, index: u64) -> Option<moderation::ContentEvent> {
    let generated = traffic.event(index, NOW);
    decode_content(&generated.value, generated.format, NOW, &Limits::default()).ok()
}

#[test]
fn every_record_is_read_as_its_fate_says() {
    let traffic = Traffic::new(3);
    let mut faults = HashSet::new();
    for index in 0..6 * schedule::BLOCK {
        let slot = traffic.schedule.slot(index);
        let generated = traffic.event(index, NOW);
        let decoded = decode_content(&generated.value, generated.format, NOW, &Limits::default());
        let fault = (slot.part == Part::Broken).then(|| fault(index, slot));
        assert_eq!(
            decoded.is_ok(),
            generated.fate == Fate::Decided,
            "event {index}: {fault:?}, {:?}",
            decoded.err()
        );
        let Ok(decoded) = decoded else {
            faults.extend(fault);
            continue;
        };
        assert_eq!(
            decoded.event.event_id.as_str(),
            event_id(index),
            "{fault:?}"
        );
        assert_eq!(
            decoded.flags.is_empty(),
            fault.is_none(),
            "event {index}: {fault:?} {:?}",
            decoded.flags
        );
        if fault != Some(Fault::UnknownWords) {
            assert_eq!(
                generated.key,
                moderation_wire::record_key(&decoded.event.subject),
                "event {index}"
            );
        }
        faults.extend(fault);
    }
    assert_eq!(faults.len(), Fault::ALL.len(), "only {faults:?}");
}

#[test]
fn a_fault_raises_its_flag() {
    let traffic = Traffic::new(3);
    let check = |wanted: Fault, flag: Flag| {
        let slot = |index| traffic.schedule.slot(index);
        let index = (0..10_000)
            .find(|&index| slot(index).part == Part::Broken && fault(index, slot(index)) == wanted);
        let flags = index
            .and_then(|index| content(&traffic, index))
            .map(|content| content.flags);
        assert!(
            flags.as_ref().is_some_and(|flags| flags.contains(&flag)),
            "{wanted:?}: {flags:?}"
        );
    };
    check(Fault::UnknownWords, Flag::UnknownEnumValue);
    check(Fault::ClockInFuture, Flag::ClockInFuture);
    check(Fault::InvalidUtf8, Flag::BrokenPart);
    check(Fault::Oversized, Flag::BrokenPart);
    check(Fault::TruncatedProtobuf, Flag::Salvaged);
}

#[test]
fn json_says_what_protobuf_says() {
    let traffic = Traffic::new(3);
    let mut compared = 0;
    for index in 0..4 * schedule::BLOCK {
        let slot = traffic.schedule.slot(index);
        if traffic.event(index, NOW).format == Format::Json && slot.part != Part::Broken {
            let mut draft = traffic.draft(index, slot);
            draft.event().occurred_at = Some(moderation_wire::timestamp_to_wire(NOW));
            let plain = draft.record.encode_to_vec();
            let plain = decode_content(&plain, Format::Protobuf, NOW, &Limits::default());
            assert_eq!(content(&traffic, index), plain.ok(), "event {index}");
            compared += 1;
        }
    }
    assert!(compared > 40, "only {compared} events in JSON");
}

#[test]
fn traffic_holds_everything_that_it_should() {
    let traffic = Traffic::new(1);
    let events: Vec<_> = (0..4 * schedule::BLOCK)
        .filter_map(|index| content(&traffic, index))
        .collect();
    let all = |have: HashSet<&'static str>, wanted: Vec<&'static str>| {
        let missing: Vec<_> = wanted
            .iter()
            .filter(|word| !have.contains(**word))
            .collect();
        assert!(missing.is_empty(), "no {missing:?}");
    };
    let words = |f: fn(&moderation::Event) -> &'static str| {
        events.iter().map(|content| f(&content.event)).collect()
    };
    all(
        words(|event| event.kind.as_str()),
        EventKind::ALL.iter().map(|kind| kind.as_str()).collect(),
    );
    all(
        words(|event| event.surface.as_str()),
        Surface::ALL
            .iter()
            .map(|surface| surface.as_str())
            .collect(),
    );
    all(
        words(|event| event.subject.kind.as_str()),
        vec![
            SubjectKind::Content.as_str(),
            SubjectKind::Account.as_str(),
            SubjectKind::LiveSession.as_str(),
        ],
    );
    all(
        words(|event| event.detection_source.as_str()),
        vec![
            DetectionSource::OwnInitiative.as_str(),
            DetectionSource::UserReport.as_str(),
            DetectionSource::TrustedFlagger.as_str(),
        ],
    );
    all(
        words(|event| {
            event
                .author
                .as_ref()
                .map_or("", |author| author.age.state.as_str())
        }),
        AgeState::ALL.iter().map(|state| state.as_str()).collect(),
    );
}

#[test]
fn over_a_tenth_of_texts_are_repeated_and_lengths_spread_out() {
    let traffic = Traffic::new(1);
    let (mut seen, mut repeated, mut lengths) = (HashSet::new(), 0, Vec::new());
    for index in 0..20 * schedule::BLOCK {
        for part in content(&traffic, index)
            .into_iter()
            .flat_map(|content| content.parts)
        {
            if let PartContent::Text(text) = part.content {
                lengths.push(text.expose().len());
                repeated += usize::from(!seen.insert(text.expose().to_owned()));
            }
        }
    }
    assert!(
        repeated * 10 > lengths.len(),
        "{repeated} of {}",
        lengths.len()
    );
    assert!(
        repeated * 2 < lengths.len(),
        "{repeated} of {}",
        lengths.len()
    );
    lengths.sort_unstable();
    let at = |share: usize| lengths[lengths.len() * share / 1000];
    assert!((20..90).contains(&at(500)), "median {}", at(500));
    assert!(at(990) > 4 * at(500), "99th percentile {}", at(990));
}

#[test]
fn each_scenario_has_its_truth() {
    let traffic = Traffic::new(1);
    let mut violating: HashMap<&str, (usize, usize)> = HashMap::new();
    let mut pile_on_targets = HashSet::new();
    for index in 0..4 * schedule::BLOCK {
        let truth = traffic
            .event(index, NOW)
            .truth
            .expect("our own traffic has truth");
        let count = violating.entry(truth.scenario).or_default();
        count.0 += 1;
        count.1 += usize::from(truth.violation.is_some());
        if truth.scenario == "pile_on" {
            pile_on_targets.insert(truth.target);
        }
    }
    let check = |scenario: &str, expected: std::ops::RangeInclusive<f64>| {
        let (all, bad) = violating[scenario];
        let share = bad as f64 / all as f64;
        assert!(expected.contains(&share), "{scenario}: {bad} of {all}");
    };
    for benign in [
        "chatter",
        "repeated",
        "message",
        "fans",
        "banter",
        "counter_speech",
        "edit",
        "delete",
        "malicious_content_report",
        "malicious_account_report",
    ] {
        check(benign, 0.0..=0.0);
    }
    for bad in [
        "insult",
        "threat",
        "hate",
        "spam",
        "pile_on",
        "true_content_report",
        "true_account_report",
    ] {
        check(bad, 1.0..=1.0);
    }
    check("ladder", 0.7..=0.8);
    check("code_switched", 0.2..=0.6);
    assert_eq!(
        pile_on_targets.len(),
        1,
        "a pile-on has one target for four blocks"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn an_event_depends_on_seed_and_index_alone(seed: u64, index in 0_u64..1 << 40) {
        let (one, other) = (Traffic::new(seed), Traffic::new(seed));
        // The other has made events before.
        other.event(index / 2, NOW);
        let (one, other) = (one.event(index, NOW), other.event(index, NOW));
        prop_assert_eq!((one.key, one.value, one.format, one.truth), (other.key, other.value, other.format, other.truth));
    }

    #[test]
    fn another_seed_is_another_world(seed: u64) {
        let (one, other) = (Traffic::new(seed), Traffic::new(seed ^ 1));
        let different = (0..50).filter(|&index| one.event(index, NOW).value != other.event(index, NOW).value);
        prop_assert!(different.count() > 40);
    }
}

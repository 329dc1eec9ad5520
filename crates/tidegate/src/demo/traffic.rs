//! Traffic of the demo's own: the same events for the same seed, each with its truth.
//!
//! Every event can be made again from seed and index alone, in any order, so that nobody has to keep texts in order to
//! know afterwards what was sent. Only the producer's clock is given from outside.

mod broken;
mod dice;
mod draft;
mod follow_ups;
mod grammar;
mod people;
mod phrases;
mod scenes;
mod schedule;
mod truth;

#[cfg(test)]
mod tests;

use moderation::Timestamp;
use moderation_wire::Format;
use prost::Message;

pub(crate) use self::broken::Fate;
use self::broken::Fault;
use self::dice::{Dice, Purpose};
use self::draft::Draft;
use self::draft::event_id;
use self::schedule::{Part, Schedule, Slot};
pub(crate) use self::truth::{AgeBand, Truth};
#[cfg(test)]
pub(crate) use self::truth::{Issue, Violation};

/// One event in so many is written as JSON.
const JSON_EVERY: u32 = 50;

/// All events of one seed.
pub(crate) struct Traffic {
    seed: u64,
    schedule: Schedule,
}

/// A record as it goes to the content topic, and what must become of it.
pub(crate) struct Generated {
    /// The record's key: its subject, or its event id where that cannot be read.
    pub(crate) key: Vec<u8>,
    /// The record's value.
    pub(crate) value: Vec<u8>,
    /// How the value is written.
    pub(crate) format: Format,
    /// What must become of it.
    pub(crate) fate: Fate,
    /// What is so, where that is known.
    pub(crate) truth: Option<Truth>,
}

impl Traffic {
    /// Prepares the events of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            schedule: Schedule::new(seed),
        }
    }

    /// Makes the event of an index, as if it had happened at `occurred_at`.
    pub(crate) fn event(&self, index: u64, occurred_at: Timestamp) -> Generated {
        let slot = self.schedule.slot(index);
        let mut draft = self.draft(index, slot);
        draft.event().occurred_at = Some(moderation_wire::timestamp_to_wire(occurred_at));
        if slot.part == Part::Broken {
            return self.broken(index, slot, draft);
        }
        let key = key(&draft);
        let as_json = Dice::new(!self.seed, Purpose::Event, index).below(JSON_EVERY) == 0;
        let (format, value) = if as_json {
            (Format::Json, broken::json(&draft.record))
        } else {
            (Format::Protobuf, draft.record.encode_to_vec())
        };
        Generated {
            key,
            value,
            format,
            fate: Fate::Decided,
            truth: Some(draft.truth),
        }
    }

    fn draft(&self, index: u64, slot: Slot) -> Draft {
        match self.schedule.origin(index) {
            Some(origin) => {
                let earlier = scenes::draft(self.seed, origin, self.schedule.slot(origin));
                follow_ups::follow_up(self.seed, index, slot.part, earlier)
            }
            None => scenes::draft(self.seed, index, slot),
        }
    }

    fn broken(&self, index: u64, slot: Slot, mut draft: Draft) -> Generated {
        let fault = fault(index, slot);
        let key = match fault.fate() {
            Fate::Decided => key(&draft),
            Fate::DeadLettered => event_id(index).into_bytes(),
        };
        draft.truth.scenario = "broken";
        let truth = Some(draft.truth.clone());
        let mut dice = Dice::new(!self.seed, Purpose::Event, index);
        let (format, value) = fault.encode(draft, &mut dice);
        Generated {
            key,
            value,
            format,
            fate: fault.fate(),
            truth,
        }
    }
}

/// Returns what is wrong with a broken record: every fault in turn.
fn fault(index: u64, slot: Slot) -> Fault {
    let turn = index / schedule::BLOCK * 4 + slot.ordinal as u64;
    Fault::ALL[(turn % Fault::ALL.len() as u64) as usize]
}

/// The key that the stages use too; see `moderation_wire::record_key`.
fn key(draft: &Draft) -> Vec<u8> {
    let subject = draft
        .record
        .event
        .as_ref()
        .and_then(|event| event.subject.as_ref());
    subject
        .map(|subject| {
            let kind = subject
                .kind()
                .as_str_name()
                .trim_start_matches("SUBJECT_KIND_")
                .to_ascii_lowercase();
            format!("{kind}:{}", subject.id).into_bytes()
        })
        .unwrap_or_default()
}

//! What happens when: blocks of a thousand events, each of the same parts in another order.
//!
//! What follows up on an earlier event (an edit, a deletion, a report) follows up on an event of the block before: the
//! n-th follow-up of its kind on the n-th event of the kind it follows. So no event is deleted twice, and either can be
//! found from the other without remembering anything.

use std::collections::HashMap;

use super::dice::{Dice, Purpose};

/// Events in a block.
pub(super) const BLOCK: u64 = 1000;
/// Orders that blocks choose from.
const TEMPLATES: u64 = 8;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// People talk.
    Chatter,
    /// People say what everybody says, word for word.
    Repeated,
    /// People write to each other in private.
    Message,
    /// Somebody likes something.
    Reaction,
    /// Somebody follows somebody.
    Follow,
    /// Somebody changes a name or a profile.
    AccountChange,
    /// Somebody speaks in a live stream.
    LiveSegment,
    /// Somebody searches.
    Search,
    /// Somebody insults somebody.
    Insult,
    /// Somebody threatens somebody.
    Threat,
    /// Somebody speaks against a group.
    Hate,
    /// Somebody sells what nobody wants.
    Spam,
    /// Many insult one account.
    PileOn,
    /// Many praise one account, which looks alike from afar.
    Fans,
    /// Friends are rude to each other and both like it.
    Banter,
    /// Somebody repeats what was said to speak against it.
    CounterSpeech,
    /// An adult gains a minor's trust step by step.
    Ladder,
    /// Two languages in one text, sometimes an insult.
    CodeSwitched,
    /// A revision of earlier content.
    Edit,
    /// The end of earlier content.
    Delete,
    /// A report of content that is as bad as it says.
    TrueContentReport,
    /// A report of content that does nobody harm.
    MaliciousContentReport,
    /// A report of an account that does harm.
    TrueAccountReport,
    /// A report of an account that does none.
    MaliciousAccountReport,
    /// A record that is not as it should be.
    Broken,
}

/// How many of each part a block has.
const SHARES: [(Part, usize); 25] = [
    (Part::Chatter, 390),
    (Part::Repeated, 140),
    (Part::Message, 60),
    (Part::Reaction, 70),
    (Part::Follow, 35),
    (Part::AccountChange, 20),
    (Part::LiveSegment, 15),
    (Part::Search, 10),
    (Part::Insult, 50),
    (Part::Threat, 6),
    (Part::Hate, 24),
    (Part::Spam, 36),
    (Part::PileOn, 25),
    (Part::Fans, 25),
    (Part::Banter, 16),
    (Part::CounterSpeech, 10),
    (Part::Ladder, 8),
    (Part::CodeSwitched, 16),
    (Part::Edit, 12),
    (Part::Delete, 10),
    (Part::TrueContentReport, 7),
    (Part::MaliciousContentReport, 5),
    (Part::TrueAccountReport, 3),
    (Part::MaliciousAccountReport, 3),
    (Part::Broken, 4),
];

/// A place in a block: what happens, and how often it has happened in this block before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) part: Part,
    pub(super) ordinal: usize,
}

/// One order of a block.
struct Template {
    slots: Vec<Slot>,
}

impl Template {
    fn new(seed: u64, number: u64) -> Self {
        let mut dice = Dice::new(seed, Purpose::Template, number);
        let mut parts: Vec<Part> = SHARES
            .iter()
            .flat_map(|&(part, count)| vec![part; count])
            .collect();
        for last in (1..parts.len()).rev() {
            parts.swap(last, dice.below(last as u32 + 1) as usize);
        }
        let mut counts = HashMap::new();
        let slots = parts.into_iter().map(|part| {
            let count = counts.entry(part).or_insert(0);
            *count += 1;
            Slot {
                part,
                ordinal: *count - 1,
            }
        });
        Self {
            slots: slots.collect(),
        }
    }

    fn position(&self, wanted: Slot) -> Option<usize> {
        self.slots.iter().position(|slot| *slot == wanted)
    }
}

/// The order of all events of a seed.
pub(super) struct Schedule {
    seed: u64,
    templates: Vec<Template>,
}

impl Schedule {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            templates: (0..TEMPLATES)
                .map(|number| Template::new(seed, number))
                .collect(),
        }
    }

    /// Returns what happens at `index`. A follow-up in the first block has nothing to follow: people talk instead.
    pub(super) fn slot(&self, index: u64) -> Slot {
        let slot = self.template(index / BLOCK).slots[(index % BLOCK) as usize];
        if index < BLOCK && followed(slot).is_some() {
            // Beyond the ordinals of chatter, so that it stays distinct.
            return Slot {
                part: Part::Chatter,
                ordinal: 900 + slot.ordinal,
            };
        }
        slot
    }

    /// Returns the event that the event at `index` follows up on.
    pub(super) fn origin(&self, index: u64) -> Option<u64> {
        let block = (index / BLOCK).checked_sub(1)?;
        let origin = followed(self.slot(index))?;
        let position = self.template(block).position(origin)?;
        Some(block * BLOCK + position as u64)
    }

    fn template(&self, block: u64) -> &Template {
        let number = super::dice::mix(self.seed ^ super::dice::mix(block)) % TEMPLATES;
        &self.templates[number as usize]
    }
}

/// Returns which slot of the block before a follow-up is about. No two follow-ups share one.
fn followed(slot: Slot) -> Option<Slot> {
    let of = |part, ordinal| Some(Slot { part, ordinal });
    let n = slot.ordinal;
    match slot.part {
        Part::Edit if n < 8 => of(Part::Chatter, n),
        Part::Edit => of(Part::Insult, n - 8),
        Part::Delete if n < 6 => of(Part::Chatter, 20 + n),
        Part::Delete => of(Part::Insult, 10 + n - 6),
        Part::TrueContentReport if n < 3 => of(Part::Insult, 20 + n),
        Part::TrueContentReport if n < 5 => of(Part::Hate, n),
        Part::TrueContentReport if n < 6 => of(Part::Spam, n),
        Part::TrueContentReport => of(Part::Ladder, n),
        Part::MaliciousContentReport if n < 4 => of(Part::Chatter, 40 + n),
        Part::MaliciousContentReport => of(Part::CounterSpeech, n - 4),
        Part::TrueAccountReport => of(Part::Insult, 30 + n),
        Part::MaliciousAccountReport => of(Part::Chatter, 60 + n),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_block_is_a_thousand_events() {
        assert_eq!(
            SHARES.iter().map(|(_, count)| count).sum::<usize>() as u64,
            BLOCK
        );
    }

    #[test]
    fn follow_ups_follow_what_exists_and_share_nothing() {
        let schedule = Schedule::new(7);
        let mut seen = HashSet::new();
        for index in 0..20 * BLOCK {
            let follows = followed(schedule.slot(index)).is_some();
            let origin = schedule.origin(index);
            assert_eq!(origin.is_some(), follows, "event {index}");
            if let Some(origin) = origin {
                assert!(origin < index && schedule.origin(origin).is_none());
                assert!(seen.insert(origin), "{origin} is followed twice");
            }
        }
    }

    #[test]
    fn blocks_come_in_several_orders() {
        let schedule = Schedule::new(7);
        let orders: HashSet<Vec<Part>> = (1..40)
            .map(|block| {
                (0..BLOCK)
                    .map(|i| schedule.slot(block * BLOCK + i).part)
                    .collect()
            })
            .collect();
        assert!(orders.len() > 4, "{} orders", orders.len());
    }
}

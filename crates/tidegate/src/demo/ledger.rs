//! What was sent and what came of it: forty bytes an event.

use std::collections::VecDeque;

/// Events of which the ledger forgets or hands out all at once.
pub(crate) const CHUNK: usize = 1 << 16;

/// What was seen of one event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When it was due, in units of 100 µs since the load began.
    pub(crate) scheduled: u32,
    /// Bytes of its record.
    pub(crate) bytes: u32,
    /// The decision's evaluation time, in milliseconds since the load began.
    pub(crate) evaluated_ms: i32,
    /// The policy that the decision names.
    pub(crate) policy: u32,
    /// The deployment that the decision names.
    pub(crate) deployment: u16,
    /// Decisions seen.
    pub(crate) decisions: u8,
    /// Dead letters seen.
    pub(crate) dead_letters: u8,
    /// Actions that the decision names.
    pub(crate) named_actions: u8,
    /// Actions seen.
    pub(crate) actions: u8,
    /// Reviews that the decision names.
    pub(crate) named_reviews: u8,
    /// Reviews seen.
    pub(crate) reviews: u8,
    /// Print of the first decision, or of the first dead letter.
    pub(crate) print: u64,
    /// Sum of the prints of actions and reviews, since their order does not matter.
    pub(crate) outputs: u64,
}

impl Entry {
    /// Returns whether the event was decided or put aside.
    pub(crate) fn is_answered(&self) -> bool {
        self.decisions > 0 || self.dead_letters > 0
    }

    /// Returns whether all that its decision names was seen.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_answered()
            && self.actions >= self.named_actions
            && self.reviews >= self.named_reviews
    }
}

/// A short print of a record's bytes: the first eight of its BLAKE3.
pub(crate) fn print(bytes: &[u8]) -> u64 {
    let hash = blake3::hash(bytes);
    let (first, _) = hash.as_bytes().split_at(8);
    first
        .iter()
        .fold(0, |print, byte| print << 8 | u64::from(*byte))
}

/// A stretch of events that the ledger hands over for reconciliation.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// Index of its first event.
    pub(crate) first: u64,
    /// What was seen of each.
    pub(crate) entries: Vec<Entry>,
}

/// All events that are not handed over yet.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    chunks: VecDeque<Vec<Entry>>,
    handed_over: u64,
}

impl Ledger {
    /// Notes that the next event, in order of index, was sent.
    pub(crate) fn publish(&mut self, scheduled: u32, bytes: u32) {
        if self.chunks.back().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push_back(Vec::with_capacity(CHUNK));
        }
        if let Some(chunk) = self.chunks.back_mut() {
            chunk.push(Entry {
                scheduled,
                bytes,
                ..Entry::default()
            });
        }
    }

    /// Returns what is known of an event; nothing of one that was not sent or was handed over.
    pub(crate) fn entry(&mut self, index: u64) -> Option<&mut Entry> {
        let place = index.checked_sub(self.handed_over)? as usize;
        self.chunks.get_mut(place / CHUNK)?.get_mut(place % CHUNK)
    }

    /// Returns how many chunks are held.
    pub(crate) fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// Hands over the oldest chunk if it is full and nothing of it is missing.
    pub(crate) fn take_complete(&mut self) -> Option<Chunk> {
        let oldest = self.chunks.front()?;
        let is_complete = oldest.len() == CHUNK && oldest.iter().all(Entry::is_complete);
        is_complete.then(|| self.take()).flatten()
    }

    /// Hands over the oldest chunk as it is.
    pub(crate) fn take(&mut self) -> Option<Chunk> {
        let entries = self.chunks.pop_front()?;
        let first = self.handed_over;
        self.handed_over += entries.len() as u64;
        Some(Chunk { first, entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_takes_forty_bytes() {
        assert_eq!(size_of::<Entry>(), 40);
    }

    #[test]
    fn chunks_are_handed_over_in_order_once_complete() {
        let mut ledger = Ledger::default();
        for index in 0..=CHUNK as u32 {
            ledger.publish(index, 1);
        }
        assert!(ledger.take_complete().is_none(), "nothing is answered yet");
        for index in 0..CHUNK as u64 {
            ledger.entry(index).unwrap().decisions = 1;
        }
        ledger.entry(5).unwrap().named_actions = 1;
        assert!(ledger.take_complete().is_none(), "an action is missing");
        ledger.entry(5).unwrap().actions = 1;
        assert_eq!(ledger.take_complete().map(|chunk| chunk.first), Some(0));
        assert!(ledger.entry(5).is_none(), "handed over");
        assert_eq!(
            ledger.entry(CHUNK as u64).map(|entry| entry.scheduled),
            Some(CHUNK as u32)
        );
        assert_eq!(
            ledger
                .take()
                .map(|chunk| (chunk.first, chunk.entries.len())),
            Some((CHUNK as u64, 1))
        );
    }
}

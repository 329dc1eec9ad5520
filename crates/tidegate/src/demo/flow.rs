//! How many events are on their way, so that the load never outruns the broker.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The in-process broker drops what lies beyond 5 MiB of a partition. A decision is about 1 KiB and partitions are not
/// filled evenly, so this many events on their way fill no partition even if a stage stops.
const MAX_EVENTS: u64 = 12_000;
/// The same for content: all partitions hold 40 MiB.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Counts shared by the load and the observer.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    answered_events: AtomicU64,
    answered_bytes: AtomicU64,
    is_ledger_full: AtomicBool,
}

impl Flow {
    /// Notes that an event was decided or put aside.
    pub(crate) fn answered(&self, bytes: u32) {
        self.answered_events.fetch_add(1, Ordering::Relaxed);
        self.answered_bytes
            .fetch_add(bytes.into(), Ordering::Relaxed);
    }

    /// Returns whether anything was answered yet.
    pub(crate) fn has_answers(&self) -> bool {
        self.answered_events.load(Ordering::Relaxed) > 0
    }

    /// Says whether the ledger can take more events.
    pub(crate) fn set_ledger_full(&self, is_full: bool) {
        self.is_ledger_full.store(is_full, Ordering::Relaxed);
    }

    /// Returns whether another event may be sent after so many of so many bytes.
    pub(crate) fn has_room(&self, sent_events: u64, sent_bytes: u64) -> bool {
        let events = sent_events.saturating_sub(self.answered_events.load(Ordering::Relaxed));
        let bytes = sent_bytes.saturating_sub(self.answered_bytes.load(Ordering::Relaxed));
        events < MAX_EVENTS && bytes < MAX_BYTES && !self.is_ledger_full.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_ends_at_either_bound_and_comes_back() {
        let flow = Flow::default();
        assert!(flow.has_room(MAX_EVENTS - 1, 0));
        assert!(!flow.has_room(MAX_EVENTS, 0));
        assert!(!flow.has_room(1, MAX_BYTES));
        assert!(!flow.has_answers());
        flow.answered(1);
        assert!(flow.has_answers());
        assert!(flow.has_room(MAX_EVENTS, 0) && flow.has_room(1, MAX_BYTES));
        flow.set_ledger_full(true);
        assert!(!flow.has_room(1, 1));
    }
}

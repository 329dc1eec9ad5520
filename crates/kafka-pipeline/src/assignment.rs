//! One period in which this process owns a partition.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The epoch of a partition: new with every assignment, never used again.
///
/// A result that carries the id of an assignment that has ended is stale, whoever owns the partition now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct AssignmentId(pub(crate) u64);

/// A partition that is assigned to this process.
///
/// Written by the consumer thread alone. The counter is atomic only because the rebalance callback, which runs on the
/// same thread, reaches it through a shared reference.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) id: AssignmentId,
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    dispatched: AtomicU64,
}

impl Assignment {
    pub(crate) fn new(id: AssignmentId, topic: Arc<str>, partition: i32) -> Self {
        Self {
            id,
            topic,
            partition,
            dispatched: AtomicU64::new(0),
        }
    }

    /// Returns how many records of this assignment have been dispatched.
    pub(crate) fn dispatched(&self) -> u64 {
        self.dispatched.load(Ordering::Relaxed)
    }

    /// Takes the next ordinal.
    pub(crate) fn next_ordinal(&self) -> u64 {
        let ordinal = self.dispatched();
        self.dispatched.store(ordinal + 1, Ordering::Relaxed);
        ordinal
    }
}

//! How much of an event is read.

use serde::{Deserialize, Serialize};

/// Bounds on what one event may hold. What exceeds them is left out, and the event is flagged; a text that exceeds them
/// counts as broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Parts of one event.
    pub max_parts: usize,
    /// Targets of one event.
    pub max_targets: usize,
    /// Facts of one event.
    pub max_facts: usize,
    /// Bytes of one part's text.
    pub max_text_bytes: usize,
    /// Milliseconds by which a producer's clock may be ahead of the broker's.
    pub max_clock_skew_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_parts: 32,
            max_targets: 64,
            max_facts: 64,
            max_text_bytes: 256 * 1024,
            max_clock_skew_ms: 60_000,
        }
    }
}

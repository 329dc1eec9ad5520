//! How much of an event is read.

use std::ops::RangeInclusive;

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

/// A limit that is out of its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} is {value}, allowed is {} to {}", allowed.start(), allowed.end())]
pub struct LimitOutOfRange {
    /// The field of [`Limits`].
    pub key: &'static str,
    /// What it is.
    pub value: u64,
    /// What it may be.
    pub allowed: RangeInclusive<u64>,
}

impl Limits {
    /// Checks that every limit lets ordinary events in and bounds what one event can cost.
    ///
    /// # Errors
    /// Names the first limit that is out of its range.
    pub fn validate(&self) -> Result<(), LimitOutOfRange> {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        let limits = [
            ("max_parts", self.max_parts as u64, 1..=4096),
            ("max_targets", self.max_targets as u64, 0..=65_536),
            ("max_facts", self.max_facts as u64, 0..=65_536),
            (
                "max_text_bytes",
                self.max_text_bytes as u64,
                1024..=64 * 1024 * 1024,
            ),
            ("max_clock_skew_ms", self.max_clock_skew_ms, 0..=DAY_MS),
        ];
        for (key, value, allowed) in limits {
            if !allowed.contains(&value) {
                return Err(LimitOutOfRange {
                    key,
                    value,
                    allowed,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_out_of_range_are_named() {
        let check = |change: fn(&mut Limits), expected: &str| {
            let mut limits = Limits::default();
            change(&mut limits);
            let found = limits.validate().err().map(|error| error.to_string());
            assert_eq!(found.unwrap_or_default(), expected);
        };
        check(|_| {}, "");
        check(
            |limits| limits.max_parts = 0,
            "max_parts is 0, allowed is 1 to 4096",
        );
        check(
            |limits| limits.max_parts = 4097,
            "max_parts is 4097, allowed is 1 to 4096",
        );
        check(|limits| limits.max_parts = 4096, "");
        check(
            |limits| limits.max_targets = 65_537,
            "max_targets is 65537, allowed is 0 to 65536",
        );
        check(
            |limits| limits.max_facts = 100_000,
            "max_facts is 100000, allowed is 0 to 65536",
        );
        check(
            |limits| limits.max_text_bytes = 1023,
            "max_text_bytes is 1023, allowed is 1024 to 67108864",
        );
        check(|limits| limits.max_text_bytes = 64 << 20, "");
        check(
            |limits| limits.max_clock_skew_ms = u64::MAX,
            "max_clock_skew_ms is 18446744073709551615, allowed is 0 to 86400000",
        );
        check(|limits| limits.max_clock_skew_ms = 0, "");
    }
}

//! The wall clock, read here alone.

use moderation::Timestamp;

/// Returns the time for people: when a change was made, how old a heartbeat is.
#[expect(
    clippy::disallowed_methods,
    reason = "the process's rim: no decision on content depends on it"
)]
pub(crate) fn wall_clock() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::default().saturating_add(since_epoch.unwrap_or_default())
}

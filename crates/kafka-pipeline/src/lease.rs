//! Permission to go on, for as long as somebody vouches for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::error::Error;

/// Lets a pipeline work only while somebody who runs beside it renews it in time.
///
/// A process that was stopped and continued finds its lease expired. What it knew when it stopped may have been taken
/// back meanwhile, so its pipeline dispatches nothing more, hands nothing more to the client library, and fails with
/// [`Error::LeaseExpired`](crate::Error::LeaseExpired); what was not delivered is read again. A lease that has expired
/// stays expired: whoever goes on takes a new one, after having found out what it missed.
///
/// Cheap to clone; all clones are one lease.
#[derive(Clone, Debug)]
pub struct Lease {
    granted: Instant,
    /// In microseconds since `granted`.
    until: Arc<AtomicU64>,
}

impl Lease {
    /// Grants a lease until `now + duration`.
    pub fn grant(now: Instant, duration: Duration) -> Self {
        Self {
            granted: now,
            until: Arc::new(AtomicU64::new(micros(duration))),
        }
    }

    /// Makes the lease last until `now + duration`, unless it has expired by `now`. One thread renews a lease.
    pub fn renew(&self, now: Instant, duration: Duration) {
        if self.is_valid(now) {
            let until = now.saturating_duration_since(self.granted) + duration;
            self.until.store(micros(until), Ordering::Relaxed);
        }
    }

    /// Returns whether the lease lasts beyond `now`.
    pub fn is_valid(&self, now: Instant) -> bool {
        micros(now.saturating_duration_since(self.granted)) < self.until.load(Ordering::Relaxed)
    }
}

/// Checks that a pipeline may go on.
///
/// # Errors
/// [`Error::LeaseExpired`].
pub(crate) fn check(lease: &Option<Lease>) -> Result<(), Error> {
    match lease {
        Some(lease) if !lease.is_valid(Instant::now()) => Err(Error::LeaseExpired),
        _ => Ok(()),
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Renewed for two seconds at each of the moments, in milliseconds: is it valid at the last one?
    #[track_caller]
    fn check(renewals: &[u64], at: u64, expected: bool) {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let lease = Lease::grant(start, Duration::from_secs(2));
        for renewal in renewals {
            lease.renew(after(*renewal), Duration::from_secs(2));
        }
        assert_eq!(lease.clone().is_valid(after(at)), expected);
    }

    #[test]
    fn a_lease_lasts_while_it_is_renewed_in_time() {
        check(&[], 1_999, true);
        check(&[], 2_000, false);
        check(&[500, 1_000, 2_900], 4_899, true);
        check(&[500, 1_000, 2_900], 4_900, false);
    }

    #[test]
    fn an_expired_lease_stays_expired() {
        check(&[2_000, 2_001], 2_002, false);
    }
}

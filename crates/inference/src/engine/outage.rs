//! A model that does not answer: its work waits until it does.
//!
//! Whoever scores a text that fails asks the model for a golden text before it blames the text. If that is wrong too, the
//! session is replaced; if the new one is no better, the model is down. Then its work is held, and the model asked again
//! after ever longer waits, until it answers, another deployment serves, or the engine stops.

use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::Shared;
use super::generation::{Generation, LoadedBundle, Sessions};
use super::health::Outage;
use super::probe;
use super::schedule::Released;

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A worker that asks one of its models for golden texts.
pub(crate) struct Inquiry<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) worker: usize,
    pub(crate) generation: &'a Generation,
    pub(crate) bundle: usize,
}

/// How a model came to answer a golden text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// When it was first asked.
    AtOnce,
    /// With another session, at once or in the end.
    AfterFailing,
}

impl Inquiry<'_> {
    /// Asks until the model is right; holds the worker meanwhile.
    pub(crate) fn prove(&self, sessions: &mut Sessions) -> Result<Proof, Released> {
        let slot = &self.shared.slots[self.worker];
        let work = slot.end();
        let proof = self.ask_until_right(sessions);
        slot.go_on(work, Instant::now());
        proof
    }

    fn ask_until_right(&self, sessions: &mut Sessions) -> Result<Proof, Released> {
        let is_fresh = sessions[self.bundle].is_none();
        let Err(reason) = self.ask(sessions, 0) else {
            return Ok(Proof::AtOnce);
        };
        if is_fresh {
            self.wait_out(sessions, reason)?;
        } else if let Err(reason) = self.ask(sessions, 1) {
            self.wait_out(sessions, reason)?;
        }
        Ok(Proof::AfterFailing)
    }

    /// Holds the worker until the model answers.
    fn wait_out(&self, sessions: &mut Sessions, reason: String) -> Result<(), Released> {
        let bundle = self.loaded().title();
        tracing::error!(bundle, reason, "a model is down; its work waits");
        self.shared.metrics.holding_workers.increment(1);
        let outcome = self.ask_again(sessions, bundle, reason);
        self.shared.metrics.holding_workers.decrement(1);
        self.shared.health.note(self.worker, None);
        outcome
    }

    fn ask_again(
        &self,
        sessions: &mut Sessions,
        bundle: String,
        mut reason: String,
    ) -> Result<(), Released> {
        let version = self.generation.version();
        for failures in 1.. {
            let outage = Outage {
                bundle: bundle.clone(),
                reason,
            };
            self.shared.health.note(self.worker, Some(outage));
            let wait = wait_after(failures, RandomState::new().hash_one(failures));
            self.shared.schedule.hold(version, Instant::now() + wait)?;
            match self.ask(sessions, failures as usize) {
                Ok(()) => break,
                Err(why) => reason = why,
            }
        }
        tracing::info!(bundle, "a model answers again; its work goes on");
        Ok(())
    }

    /// Asks one golden text, with another session where there is none. A session that is wrong is thrown away.
    fn ask(&self, sessions: &mut Sessions, attempt: usize) -> Result<(), String> {
        let session = match sessions[self.bundle].take() {
            Some(session) => Ok(session),
            None => self.generation.open_session(self.bundle),
        };
        let mut session = session.map_err(|error| error.to_string())?;
        let slot = &self.shared.slots[self.worker];
        slot.begin(Vec::new(), Instant::now());
        slot.run_on(session.stopper());
        let ask = || probe::ask(self.loaded(), &mut session, attempt);
        let answer = catch_unwind(AssertUnwindSafe(ask));
        let was_late = slot.run_off();
        slot.end();
        match answer {
            _ if was_late => Err("a golden text took too long".to_owned()),
            Err(_) => Err("a golden text made it panic".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Ok(Ok(())) => {
                sessions[self.bundle] = Some(session);
                Ok(())
            }
        }
    }

    fn loaded(&self) -> &LoadedBundle {
        &self.generation.bundles()[self.bundle]
    }
}

/// Returns how long to wait after so many failures: twice as long each time within bounds, and by chance up to half of
/// that less, so that the workers of a fleet do not ask all at once.
fn wait_after(failures: u32, random: u64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let wait = (FIRST_WAIT * (1 << doublings)).min(LONGEST_WAIT);
    let share = (random >> 32) as f64 / f64::from(u32::MAX);
    wait.mul_f64(1.0 - share / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_within_bounds_and_vary_by_half() {
        let check = |failures, longest: u64| {
            let longest = Duration::from_millis(longest);
            assert_eq!(wait_after(failures, 0), longest, "{failures}");
            assert_eq!(wait_after(failures, u64::MAX), longest / 2, "{failures}");
        };
        check(1, 100);
        check(2, 200);
        check(3, 400);
        check(7, 6400);
        check(8, 10_000);
        check(u32::MAX, 10_000);
    }
}

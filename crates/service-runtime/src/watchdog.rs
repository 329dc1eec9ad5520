//! Liveness: every long-lived loop beats a watchdog, and a loop that falls silent makes `/live` answer 503.

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::Serialize;

/// Every watchdog of a process.
#[derive(Debug, Clone)]
pub(crate) struct Watchdogs {
    started: Instant,
    // A watchdog leaves with its last handle: a loop that ended in good order is not a loop that hangs.
    loops: Arc<Mutex<Vec<Weak<WatchedLoop>>>>,
}

#[derive(Debug)]
struct WatchedLoop {
    service: &'static str,
    name: &'static str,
    limit: Duration,
    started: Instant,
    last_beat_ms: AtomicU64,
}

/// A loop that has not beaten within its limit, as `/live` shows it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SilentLoop {
    service: &'static str,
    #[serde(rename = "loop")]
    name: &'static str,
    silent_ms: u64,
    limit_ms: u64,
}

impl Watchdogs {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            loops: Arc::new(Mutex::new(Vec::new())),
        }
    }

    pub(crate) fn register(
        &self,
        service: &'static str,
        name: &'static str,
        limit: Duration,
    ) -> Watchdog {
        let watched = Arc::new(WatchedLoop {
            service,
            name,
            limit,
            started: self.started,
            last_beat_ms: AtomicU64::new(0),
        });
        let mut loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        loops.retain(|known| known.strong_count() > 0);
        loops.push(Arc::downgrade(&watched));
        let watchdog = Watchdog { watched };
        watchdog.beat();
        watchdog
    }

    pub(crate) fn silent_loops(&self, now: Instant) -> Vec<SilentLoop> {
        let loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        loops
            .iter()
            .filter_map(Weak::upgrade)
            .filter_map(|watched| watched.silence(now))
            .collect()
    }
}

impl WatchedLoop {
    fn silence(&self, now: Instant) -> Option<SilentLoop> {
        let last_beat = Duration::from_millis(self.last_beat_ms.load(Ordering::Relaxed));
        let silent = now
            .saturating_duration_since(self.started)
            .saturating_sub(last_beat);
        (silent > self.limit).then(|| SilentLoop {
            service: self.service,
            name: self.name,
            silent_ms: whole_milliseconds(silent),
            limit_ms: whole_milliseconds(self.limit),
        })
    }
}

/// What a long-lived loop beats once per turn, from any thread. Dropping the last handle ends the watch.
#[derive(Debug, Clone)]
pub struct Watchdog {
    watched: Arc<WatchedLoop>,
}

impl Watchdog {
    /// Says that the loop is alive. Costs one reading of the clock and one relaxed store.
    pub fn beat(&self) {
        let elapsed = whole_milliseconds(self.watched.started.elapsed());
        self.watched.last_beat_ms.store(elapsed, Ordering::Relaxed);
    }
}

fn whole_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(watchdogs: &Watchdogs, after: Duration, expected: &[&str]) {
        let silent = watchdogs.silent_loops(Instant::now() + after);
        let names: Vec<&str> = silent.iter().map(|silent| silent.name).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn a_loop_is_silent_once_its_limit_has_passed_and_gone_once_it_is_dropped() {
        let watchdogs = Watchdogs::new();
        let poll = watchdogs.register("a", "poll", Duration::from_secs(10));
        let emit = watchdogs.register("a", "emit", Duration::from_secs(60));
        check(&watchdogs, Duration::from_secs(9), &[]);
        check(&watchdogs, Duration::from_secs(11), &["poll"]);
        check(&watchdogs, Duration::from_secs(61), &["poll", "emit"]);
        drop(poll);
        check(&watchdogs, Duration::from_secs(61), &["emit"]);
        let second_handle = emit.clone();
        drop(emit);
        check(&watchdogs, Duration::from_secs(61), &["emit"]);
        drop(second_handle);
        check(&watchdogs, Duration::from_secs(61), &[]);
    }
}

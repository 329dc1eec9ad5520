//! Whether the models that serve answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// Whether every model that serves answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Every one does.
    Up,
    /// This one does not. The workers that found out hold their work.
    Down(Outage),
}

/// A model that is down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Name and version of its bundle.
    pub bundle: String,
    /// What its last answer to a golden text was like. Holds no user's text.
    pub reason: String,
}

/// Where workers tell how their models are.
pub(crate) struct HealthBoard {
    /// By worker.
    outages: Mutex<BTreeMap<usize, Outage>>,
    health: watch::Sender<Health>,
}

impl HealthBoard {
    pub(crate) fn new() -> Self {
        Self {
            outages: Mutex::default(),
            health: watch::Sender::new(Health::Up),
        }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    /// Notes what a worker has found; `None` if its models answer.
    pub(crate) fn note(&self, worker: usize, outage: Option<Outage>) {
        let mut outages = self.outages.lock().unwrap_or_else(PoisonError::into_inner);
        match outage {
            Some(outage) => outages.insert(worker, outage),
            None => outages.remove(&worker),
        };
        let first = outages.values().next().cloned();
        let found = first.map_or(Health::Up, Health::Down);
        self.health.send_if_modified(|health| {
            let is_news = *health != found;
            *health = found;
            is_news
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_are_up_when_every_worker_says_so() {
        let board = HealthBoard::new();
        let mut health = board.subscribe();
        let outage = |reason: &str| {
            Some(Outage {
                bundle: "one 1.0.0".to_owned(),
                reason: reason.to_owned(),
            })
        };
        let mut check = |worker, noted, is_news, expected: Option<Outage>| {
            board.note(worker, noted);
            assert_eq!(health.has_changed().unwrap(), is_news);
            let found = health.borrow_and_update().clone();
            assert_eq!(found, expected.map_or(Health::Up, Health::Down));
        };
        check(0, None, false, None);
        check(1, outage("slow"), true, outage("slow"));
        check(1, outage("slow"), false, outage("slow"));
        check(1, outage("wrong"), true, outage("wrong"));
        check(0, outage("slow"), true, outage("slow"));
        check(0, None, true, outage("wrong"));
        check(1, None, true, None);
    }
}

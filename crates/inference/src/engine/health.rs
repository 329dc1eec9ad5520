//! Whether the models that serve answer.

use std::collections::BTreeMap;

use tokio::sync::watch;

/// Whether every model that serves answers. While one does not, the workers that found out hold their work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// By worker.
    outages: BTreeMap<usize, Outage>,
}

/// A model that is down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Name and version of its bundle.
    pub bundle: String,
    /// What its last answer to a golden text was like. Holds no user's text.
    pub reason: String,
}

impl Health {
    /// Returns what is down; `None` if nothing is.
    pub fn outage(&self) -> Option<&Outage> {
        self.outages.values().next()
    }
}

/// Where workers tell how their models are.
pub(crate) struct HealthBoard(watch::Sender<Health>);

impl HealthBoard {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Health::default()))
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Health> {
        self.0.subscribe()
    }

    /// Notes what a worker has found; `None` if its models answer.
    pub(crate) fn note(&self, worker: usize, outage: Option<Outage>) {
        self.0.send_if_modified(|health| {
            let is_news = health.outages.get(&worker) != outage.as_ref();
            match outage {
                Some(outage) => health.outages.insert(worker, outage),
                None => health.outages.remove(&worker),
            };
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
            assert_eq!(health.borrow_and_update().outage(), expected.as_ref());
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

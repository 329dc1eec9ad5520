//! Which deployments still have events in flight.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use moderation::DeploymentVersion;
use tokio::sync::watch;

/// Tells the newest version under which everything older has finished.
pub(crate) struct Releases {
    versions: Mutex<Versions>,
    released: watch::Sender<DeploymentVersion>,
}

#[derive(Default)]
struct Versions {
    newest: DeploymentVersion,
    /// Older versions that still have events in flight.
    retiring: BTreeMap<DeploymentVersion, Weak<Outstanding>>,
}

impl Releases {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            versions: Mutex::default(),
            released: watch::Sender::new(DeploymentVersion(0)),
        })
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<DeploymentVersion> {
        self.released.subscribe()
    }

    /// Notes that `newest` has taken the place of `older`, under which no event may begin any more.
    pub(crate) fn supersede(&self, newest: DeploymentVersion, older: Option<&Arc<Outstanding>>) {
        self.update(|versions| {
            versions.newest = newest;
            if let Some(older) = older {
                versions
                    .retiring
                    .insert(older.version, Arc::downgrade(older));
            }
        });
    }

    fn update(&self, change: impl FnOnce(&mut Versions)) {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut versions);
        versions
            .retiring
            .retain(|_, outstanding| outstanding.upgrade().is_some_and(|older| older.count() > 0));
        let oldest = versions.retiring.keys().next();
        let released = oldest.copied().unwrap_or(versions.newest);
        self.released.send_if_modified(|current| {
            let is_news = *current != released;
            *current = released;
            is_news
        });
    }
}

/// Counts the events in flight under one deployment.
pub(crate) struct Outstanding {
    version: DeploymentVersion,
    count: AtomicUsize,
    releases: Arc<Releases>,
}

impl Outstanding {
    pub(crate) fn new(version: DeploymentVersion, releases: Arc<Releases>) -> Arc<Self> {
        Arc::new(Self {
            version,
            count: AtomicUsize::new(0),
            releases,
        })
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

/// One event in flight. Dropped when the event's completion has been called.
pub(crate) struct Ticket(Arc<Outstanding>);

impl Ticket {
    /// Begins an event. Only under the lock under which deployments are swapped, so that none begins under an old one.
    pub(crate) fn new(outstanding: &Arc<Outstanding>) -> Self {
        outstanding.count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(outstanding))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let was_last = self.0.count.fetch_sub(1, Ordering::SeqCst) == 1;
        // Only a version that holds up the news can change it by ending.
        if was_last && *self.0.releases.released.borrow() == self.0.version {
            self.0.releases.update(|_| {});
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_released_when_everything_older_has_finished() {
        let releases = Releases::new();
        let released = releases.subscribe();
        let check = |expected| assert_eq!(*released.borrow(), DeploymentVersion(expected));
        let outstanding =
            |version| Outstanding::new(DeploymentVersion(version), Arc::clone(&releases));
        let (first, second, third) = (outstanding(1), outstanding(2), outstanding(5));
        releases.supersede(DeploymentVersion(1), None);
        check(1);
        let (one, another) = (Ticket::new(&first), Ticket::new(&first));
        releases.supersede(DeploymentVersion(2), Some(&first));
        check(1);
        let later = Ticket::new(&second);
        drop(one);
        releases.supersede(DeploymentVersion(5), Some(&second));
        check(1);
        drop(another);
        check(2);
        drop(Ticket::new(&third));
        check(2);
        drop(later);
        check(5);
    }
}

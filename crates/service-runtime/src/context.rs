//! What a service is handed when it starts.

use std::{borrow::Cow, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    health::{Readiness, ReadinessCondition},
    watchdog::{Watchdog, Watchdogs},
};

/// A service's way to its process: when to stop, what it waits for, that it is alive, and where its tasks live.
#[derive(Debug, Clone)]
pub struct ServiceContext {
    service: &'static str,
    shutdown: CancellationToken,
    readiness: Readiness,
    watchdogs: Watchdogs,
    tasks: TaskTracker,
}

impl ServiceContext {
    pub(crate) fn new(
        service: &'static str,
        shutdown: CancellationToken,
        readiness: Readiness,
        watchdogs: Watchdogs,
    ) -> Self {
        readiness.declare(service);
        Self {
            service,
            shutdown,
            readiness,
            watchdogs,
            tasks: TaskTracker::new(),
        }
    }

    /// Makes a context that belongs to no process, for tests of a service and for running one inside another program.
    ///
    /// Cancel [`shutdown`](Self::shutdown) to stop the service.
    pub fn standalone(service: &'static str) -> Self {
        Self::new(
            service,
            CancellationToken::new(),
            Readiness::new(),
            Watchdogs::new(),
        )
    }

    /// Returns the service's name, as it stands in logs and in `/ready`.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Returns the token that is cancelled when the service must drain and return.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// Registers something without which the service is not ready; it starts unmet, for `reason`.
    ///
    /// A service registers all of its conditions before it waits for any, and at least one: until then it is not ready.
    /// Queue depth is never a condition, because a stage that is behind must stay in its group to catch up.
    pub fn readiness(
        &self,
        condition: &'static str,
        reason: impl Into<Cow<'static, str>>,
    ) -> ReadinessCondition {
        self.readiness
            .register(self.service, condition, reason.into())
    }

    /// Returns the names of the conditions for which this service is not ready; none if it is.
    pub fn unmet_conditions(&self) -> Vec<&'static str> {
        self.readiness.unmet(self.service)
    }

    /// Registers a loop that promises to beat at least once every `limit`.
    pub fn watchdog(&self, name: &'static str, limit: Duration) -> Watchdog {
        self.watchdogs.register(self.service, name, limit)
    }

    /// Spawns a task that the process waits for: the service has ended once it has returned and all its tasks have.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// Runs blocking work on a thread that the process waits for, as [`spawn`](Self::spawn) does for tasks.
    pub fn spawn_blocking<F, T>(&self, work: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.tasks.spawn_blocking(work)
    }

    /// Waits until every other service of this process is ready. Cancel-safe.
    pub async fn others_ready(&self) {
        self.readiness.until_ready_except(self.service).await;
    }

    /// Waits for every spawned task. Call it once the service's own future has ended.
    pub(crate) async fn tasks_ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

//! Running a process's services to their end: what makes them drain, in which order, and for how long.

use std::{collections::HashMap, pin::Pin, time::Duration};

use tokio::task::{self, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// Why a process ended other than as it should.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A service returned an error; the others were drained.
    #[error("{service}: {cause:#}")]
    Failed {
        /// The service's name.
        service: &'static str,
        /// What it returned.
        cause: anyhow::Error,
    },
    /// A service panicked; the others were drained.
    #[error("{0} panicked; the log tells where")]
    Panicked(&'static str),
    /// A backing service returned before it was told to; the others were drained.
    #[error("{0} ended before it was told to")]
    EndedEarly(&'static str),
    /// Services were still draining at the deadline; what they had not committed will be processed again.
    #[error("{services} did not drain within {}", humantime::format_duration(*deadline))]
    DrainDeadline {
        /// The services that had not ended.
        services: String,
        /// The configured deadline.
        deadline: Duration,
    },
    /// The async runtime or its signal handlers could not be started.
    #[error("cannot start the async runtime: {0}")]
    Runtime(std::io::Error),
}

/// What becomes of a service: a future that ends when the service and all of its tasks have.
pub(crate) type ServiceFuture = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;

/// What a service is to its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The process lives as long as one of these does.
    Foreground,
    /// Serves the foreground, and is told to stop after it has ended.
    Backing,
}

struct Service {
    name: &'static str,
    role: Role,
    start: Box<dyn FnOnce() -> ServiceFuture + Send>,
}

/// The services of a process, before they start.
pub(crate) struct Supervisor {
    drain_deadline: Duration,
    foreground_shutdown: CancellationToken,
    backing_shutdown: CancellationToken,
    services: Vec<Service>,
}

impl Supervisor {
    pub(crate) fn new(drain_deadline: Duration) -> Self {
        Self {
            drain_deadline,
            foreground_shutdown: CancellationToken::new(),
            backing_shutdown: CancellationToken::new(),
            services: Vec::new(),
        }
    }

    /// Returns the token that is cancelled when a service of this role must drain.
    pub(crate) fn shutdown(&self, role: Role) -> &CancellationToken {
        match role {
            Role::Foreground => &self.foreground_shutdown,
            Role::Backing => &self.backing_shutdown,
        }
    }

    pub(crate) fn add(
        &mut self,
        name: &'static str,
        role: Role,
        start: impl FnOnce() -> ServiceFuture + Send + 'static,
    ) {
        self.services.push(Service {
            name,
            role,
            start: Box::new(start),
        });
    }

    /// Runs the services until all have ended or the drain deadline has passed.
    ///
    /// # Errors
    ///
    /// The first thing that went wrong; what follows it is logged.
    pub(crate) async fn run(self, stop_requested: &CancellationToken) -> Result<(), RunError> {
        let mut running = Running::start(self.services);
        running.until_over(stop_requested).await;
        tracing::info!(deadline = ?self.drain_deadline, "draining");
        let drain = async {
            self.foreground_shutdown.cancel();
            running.until_ended(Role::Foreground).await;
            self.backing_shutdown.cancel();
            running.until_ended(Role::Backing).await;
        };
        let is_late = tokio::time::timeout(self.drain_deadline, drain)
            .await
            .is_err();
        running.outcome(is_late.then_some(self.drain_deadline))
    }
}

/// The services that have not ended, and what went wrong first.
struct Running {
    tasks: JoinSet<anyhow::Result<()>>,
    services: HashMap<task::Id, (&'static str, Role)>,
    is_draining: bool,
    first_error: Option<RunError>,
}

impl Running {
    fn start(services: Vec<Service>) -> Self {
        let mut tasks = JoinSet::new();
        let services = services
            .into_iter()
            .map(|service| {
                (
                    tasks.spawn((service.start)()).id(),
                    (service.name, service.role),
                )
            })
            .collect();
        Self {
            tasks,
            services,
            is_draining: false,
            first_error: None,
        }
    }

    /// Waits until there is a reason to drain: a signal, a failure, or a foreground that has ended.
    async fn until_over(&mut self, stop_requested: &CancellationToken) {
        while self.first_error.is_none() && self.is_any_left(Role::Foreground) {
            tokio::select! {
                () = stop_requested.cancelled() => break,
                () = self.next_ended() => {}
            }
        }
        self.is_draining = true;
    }

    async fn until_ended(&mut self, role: Role) {
        while self.is_any_left(role) {
            self.next_ended().await;
        }
    }

    fn is_any_left(&self, role: Role) -> bool {
        self.services.values().any(|(_, of)| *of == role)
    }

    /// Cancel-safe, as [`JoinSet::join_next_with_id`] is.
    async fn next_ended(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(Ok((id, result))) => self.ended(id, Ok(result)),
            Some(Err(error)) => self.ended(error.id(), Err(error)),
            None => {}
        }
    }

    fn ended(&mut self, id: task::Id, result: Result<anyhow::Result<()>, JoinError>) {
        let Some((service, role)) = self.services.remove(&id) else {
            return;
        };
        let error = match result {
            Ok(Ok(())) if self.is_draining || role == Role::Foreground => {
                tracing::info!(service, "ended");
                return;
            }
            Ok(Ok(())) => RunError::EndedEarly(service),
            Ok(Err(cause)) => RunError::Failed { service, cause },
            Err(_) => RunError::Panicked(service),
        };
        tracing::error!(service, "{error}");
        self.first_error.get_or_insert(error);
    }

    fn outcome(self, overrun_deadline: Option<Duration>) -> Result<(), RunError> {
        let late = overrun_deadline.map(|deadline| {
            let mut names: Vec<_> = self.services.values().map(|(name, _)| *name).collect();
            names.sort_unstable();
            RunError::DrainDeadline {
                services: names.join(", "),
                deadline,
            }
        });
        match self.first_error.or(late) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    /// How a service of a test behaves; times are paused, and pass only while everything waits.
    #[derive(Clone, Copy)]
    enum Behaviour {
        EndsAfter(u64),
        FailsAfter(u64),
        PanicsAfter(u64),
        DrainsFor(u64),
    }
    use Behaviour::*;

    fn add(supervisor: &mut Supervisor, name: &'static str, role: Role, behaviour: Behaviour) {
        let shutdown = supervisor.shutdown(role).clone();
        supervisor.add(name, role, move || {
            Box::pin(async move {
                match behaviour {
                    EndsAfter(seconds) => sleep(Duration::from_secs(seconds)).await,
                    FailsAfter(seconds) => {
                        sleep(Duration::from_secs(seconds)).await;
                        anyhow::bail!("out of luck");
                    }
                    PanicsAfter(seconds) => {
                        sleep(Duration::from_secs(seconds)).await;
                        panic!("on purpose");
                    }
                    DrainsFor(seconds) => {
                        shutdown.cancelled().await;
                        sleep(Duration::from_secs(seconds)).await;
                    }
                }
                Ok(())
            })
        });
    }

    /// Runs services with a stop request after 100 s, and compares the outcome and the second at which it came.
    #[track_caller]
    fn check(services: &[(&'static str, Role, Behaviour)], expected: &str, expected_seconds: u64) {
        let mut supervisor = Supervisor::new(DEADLINE);
        for &(name, role, behaviour) in services {
            add(&mut supervisor, name, role, behaviour);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (outcome, seconds) = runtime.block_on(async {
            let began = Instant::now();
            let stop_requested = CancellationToken::new();
            let stop = async {
                sleep(Duration::from_secs(100)).await;
                stop_requested.cancel();
                std::future::pending().await
            };
            let outcome = tokio::select! {
                outcome = supervisor.run(&stop_requested) => outcome,
                () = stop => unreachable!(),
            };
            (outcome, began.elapsed().as_secs())
        });
        let outcome = outcome.map_or_else(|error| error.to_string(), |()| "ok".to_owned());
        assert_eq!((outcome.as_str(), seconds), (expected, expected_seconds));
    }

    #[test]
    fn a_stop_request_drains_the_foreground_and_then_the_backing_services() {
        check(&[("a", Role::Foreground, DrainsFor(3))], "ok", 103);
        check(
            &[
                ("a", Role::Foreground, DrainsFor(3)),
                ("b", Role::Foreground, DrainsFor(4)),
            ],
            "ok",
            104,
        );
        check(
            &[
                ("a", Role::Foreground, DrainsFor(3)),
                ("b", Role::Backing, DrainsFor(4)),
            ],
            "ok",
            107,
        );
    }

    #[test]
    fn the_process_is_over_when_its_foreground_is() {
        check(
            &[
                ("a", Role::Foreground, EndsAfter(5)),
                ("b", Role::Backing, DrainsFor(1)),
            ],
            "ok",
            6,
        );
        check(
            &[
                ("a", Role::Foreground, EndsAfter(5)),
                ("b", Role::Foreground, EndsAfter(7)),
            ],
            "ok",
            7,
        );
    }

    #[test]
    fn a_failure_drains_the_others_and_is_what_the_process_reports() {
        let draining = ("b", Role::Backing, DrainsFor(1));
        check(
            &[("a", Role::Foreground, FailsAfter(5)), draining],
            "a: out of luck",
            6,
        );
        check(
            &[
                ("a", Role::Foreground, DrainsFor(2)),
                ("b", Role::Backing, FailsAfter(5)),
            ],
            "b: out of luck",
            7,
        );
        check(
            &[("a", Role::Foreground, PanicsAfter(5)), draining],
            "a panicked; the log tells where",
            6,
        );
        check(
            &[
                ("a", Role::Foreground, DrainsFor(2)),
                ("b", Role::Backing, EndsAfter(5)),
            ],
            "b ended before it was told to",
            7,
        );
        check(
            &[
                ("a", Role::Foreground, FailsAfter(5)),
                ("b", Role::Backing, DrainsFor(60)),
            ],
            "a: out of luck",
            15,
        );
    }

    #[test]
    fn what_is_not_drained_by_the_deadline_is_named() {
        check(
            &[("a", Role::Foreground, DrainsFor(11))],
            "a did not drain within 10s",
            110,
        );
        check(
            &[
                ("a", Role::Foreground, DrainsFor(6)),
                ("b", Role::Backing, DrainsFor(6)),
            ],
            "b did not drain within 10s",
            110,
        );
        check(
            &[
                ("b", Role::Foreground, DrainsFor(20)),
                ("a", Role::Foreground, DrainsFor(30)),
            ],
            "a, b did not drain within 10s",
            110,
        );
    }
}

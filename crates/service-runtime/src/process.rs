//! One process: what it claims before anything runs, the services in it, and how it ends.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    pin::Pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use metrics_exporter_prometheus::{BuildError, PrometheusHandle};
use tokio::task::{self, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{InvalidValue, ProcessConfig},
    context::ServiceContext,
    endpoint::{self, Telemetry},
    health::Readiness,
    logging, metrics, recorder, signals,
    watchdog::Watchdogs,
};

/// How often the recorder folds recorded values into its buckets; between two times they are kept one by one.
const RECORDER_UPKEEP: Duration = Duration::from_secs(5);

type ServiceFuture = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;

/// A process that has claimed its telemetry address and runs nothing yet.
///
/// It lives as long as its foreground services: when all of them have returned, or a signal came, or any service failed,
/// it drains. Foreground services are told to stop first; backing services once the foreground has ended. A stage
/// deployed alone is the one foreground service of its process. Where a program runs the stages that it feeds, they are
/// its backing services, and so stop after it has stopped feeding them.
pub struct Process {
    listener: TcpListener,
    recorder: PrometheusHandle,
    readiness: Readiness,
    watchdogs: Watchdogs,
    drain_deadline: Duration,
    foreground_shutdown: CancellationToken,
    backing_shutdown: CancellationToken,
    services: Vec<Service>,
}

struct Service {
    name: &'static str,
    role: Role,
    start: Box<dyn FnOnce() -> ServiceFuture + Send>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Foreground,
    Backing,
}

/// Why a process did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The telemetry address cannot be bound.
    #[error(
        "cannot listen on {address} for metrics and health: {source}; \
         stop what listens there, or set process.telemetry_address (port 0 takes a free one)"
    )]
    Address {
        /// The configured address.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The log filter does not parse.
    #[error(transparent)]
    LogFilter(InvalidValue),
    /// Something that a process has once was installed before.
    #[error("{0} was already started in this process")]
    AlreadyStarted(&'static str),
    /// The recorder refused its buckets.
    #[error("cannot set histogram buckets: {0}")]
    Buckets(BuildError),
}

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

impl Process {
    /// Starts logging, installs the recorder and binds the telemetry address, in this order, and runs nothing yet.
    ///
    /// # Errors
    ///
    /// A one-line [`StartError`]; nothing is left half-started, for a process that gets one ends.
    pub fn start(config: &ProcessConfig) -> Result<Self, StartError> {
        let address = config.telemetry_address;
        let listener = bind(address).map_err(|source| StartError::Address { address, source })?;
        logging::start(config)?;
        let recorder = recorder::install()?;
        metrics::describe(unix_seconds());
        Ok(Self {
            listener,
            recorder,
            readiness: Readiness::new(),
            watchdogs: Watchdogs::new(),
            drain_deadline: config.drain_deadline,
            foreground_shutdown: CancellationToken::new(),
            backing_shutdown: CancellationToken::new(),
            services: Vec::new(),
        })
    }

    /// Returns the address that `/metrics`, `/live` and `/ready` are served on, with the port that was really taken.
    ///
    /// # Errors
    ///
    /// What the operating system says of the socket.
    pub fn telemetry_address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Adds a service that the process exists for. It begins when [`run`](Self::run) is called.
    pub fn add<S, F>(&mut self, name: &'static str, service: S)
    where
        S: FnOnce(ServiceContext) -> F + Send + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let shutdown = self.foreground_shutdown.child_token();
        self.add_with_role(name, Role::Foreground, shutdown, service);
    }

    /// Adds a service that serves the foreground ones, and is told to stop once all of those have ended.
    pub fn add_backing<S, F>(&mut self, name: &'static str, service: S)
    where
        S: FnOnce(ServiceContext) -> F + Send + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let shutdown = self.backing_shutdown.child_token();
        self.add_with_role(name, Role::Backing, shutdown, service);
    }

    fn add_with_role<S, F>(
        &mut self,
        name: &'static str,
        role: Role,
        shutdown: CancellationToken,
        service: S,
    ) where
        S: FnOnce(ServiceContext) -> F + Send + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let readiness = self.readiness.clone();
        let context = ServiceContext::new(name, shutdown, readiness, self.watchdogs.clone());
        let start = Box::new(move || -> ServiceFuture {
            Box::pin(async move {
                let result = service(context.clone()).await;
                // Whatever the service left running has lost its owner, and is told so before it is waited for.
                context.shutdown().cancel();
                context.tasks_ended().await;
                result
            })
        });
        self.services.push(Service { name, role, start });
    }

    /// Runs the services until they have ended, blocking this thread. A second signal exits the program at once, with
    /// 128 plus the signal's number.
    ///
    /// Threads that outlived the drain deadline may still run when this returns: the caller returns from `main`.
    ///
    /// # Errors
    ///
    /// The first thing that went wrong; what follows it is logged.
    pub fn run(self) -> Result<(), RunError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(RunError::Runtime)?;
        let result = runtime.block_on(self.run_services());
        runtime.shutdown_background();
        result
    }

    async fn run_services(self) -> Result<(), RunError> {
        let stop_requested = CancellationToken::new();
        let signals = signals::handle(stop_requested.clone()).map_err(RunError::Runtime)?;
        let mut background = JoinSet::new();
        background.spawn(signals);
        background.spawn(upkeep(self.recorder.clone()));
        background.spawn(serve_telemetry(
            self.listener,
            Telemetry {
                recorder: self.recorder,
                readiness: self.readiness,
                watchdogs: self.watchdogs,
                draining: self.foreground_shutdown.clone(),
            },
        ));
        let mut running = Running::start(self.services);
        running.until_over(&stop_requested).await;
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

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the start time is a fact about this process, not an input to a decision"
)]
fn unix_seconds() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

async fn upkeep(recorder: PrometheusHandle) {
    let mut turns = tokio::time::interval(RECORDER_UPKEEP);
    loop {
        turns.tick().await;
        recorder.run_upkeep();
    }
}

async fn serve_telemetry(listener: TcpListener, telemetry: Telemetry) {
    if let Err(error) = endpoint::serve(listener, telemetry).await {
        tracing::error!(%error, "the telemetry endpoint ended");
    }
}

//! One process: what it claims before anything runs, the services in it, and how it ends.

use std::{
    net::{SocketAddr, TcpListener},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use metrics_exporter_prometheus::{BuildError, PrometheusHandle};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{InvalidValue, ProcessConfig},
    context::ServiceContext,
    endpoint::{self, Telemetry},
    health::Readiness,
    logging, metrics, recorder, signals,
    supervision::{Role, RunError, ServiceFuture, Supervisor},
    watchdog::Watchdogs,
};

/// How often the recorder folds recorded values into its buckets; between two times they are kept one by one.
const RECORDER_UPKEEP: Duration = Duration::from_secs(5);

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
    supervisor: Supervisor,
}

/// Why a process did not start.
///
/// Messages hold their causes, and `source()` is none: a chain that is printed whole says nothing twice.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The telemetry address cannot be bound.
    #[error(
        "cannot listen on {address} for metrics and health: {cause}; \
         stop what listens there, or set process.telemetry_address (port 0 takes a free one)"
    )]
    Address {
        /// The configured address.
        address: SocketAddr,
        /// What the operating system said.
        cause: std::io::Error,
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

impl Process {
    /// Binds the telemetry address, starts logging and installs the recorder, in this order, and runs nothing yet.
    ///
    /// # Errors
    ///
    /// A one-line [`StartError`]; nothing is left half-started, for a process that gets one ends.
    pub fn start(config: &ProcessConfig) -> Result<Self, StartError> {
        let address = config.telemetry_address;
        let listener = bind(address).map_err(|cause| StartError::Address { address, cause })?;
        logging::start(config)?;
        let recorder = recorder::install()?;
        metrics::describe(unix_seconds());
        Ok(Self {
            listener,
            recorder,
            readiness: Readiness::new(),
            watchdogs: Watchdogs::new(),
            supervisor: Supervisor::new(config.drain_deadline),
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
        self.add_with_role(name, Role::Foreground, service);
    }

    /// Adds a service that serves the foreground ones, and is told to stop once all of those have ended.
    pub fn add_backing<S, F>(&mut self, name: &'static str, service: S)
    where
        S: FnOnce(ServiceContext) -> F + Send + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.add_with_role(name, Role::Backing, service);
    }

    fn add_with_role<S, F>(&mut self, name: &'static str, role: Role, service: S)
    where
        S: FnOnce(ServiceContext) -> F + Send + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let shutdown = self.supervisor.shutdown(role).child_token();
        let readiness = self.readiness.clone();
        let context = ServiceContext::new(name, shutdown, readiness, self.watchdogs.clone());
        self.supervisor.add(name, role, move || -> ServiceFuture {
            Box::pin(async move {
                let result = service(context.clone()).await;
                // Whatever the service left running has lost its owner, and is told so before it is waited for.
                context.shutdown().cancel();
                context.tasks_ended().await;
                result
            })
        });
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
                draining: self.supervisor.shutdown(Role::Foreground).clone(),
            },
        ));
        self.supervisor.run(&stop_requested).await
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

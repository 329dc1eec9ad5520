//! The control plane: versioned policies and deployments over gRPC.
//!
//! Serves `PolicyService`, `ModelService` and `StatusService` of `proto/tidegate/v1`, with health and reflection. Its
//! state is the control topic, followed from the beginning; it keeps nothing else.
//!
//! - **Writes** go one by one through one task, which compares `expected_version` with what serves and then writes the
//!   version, the head and an audit record, each acknowledged by the broker. The change is made with the head; a version
//!   without one shows nowhere. Refused changes are audited too, with `to_version` 0. A record that the broker did not
//!   take ends the service, for only reading from the start tells what is there.
//! - **`WAIT_ALL`** names the live replicas of the stage that serves the object (enforcers a policy, classifiers a
//!   deployment); with none alive the write is refused before it is made. Replicas that refuse, fall silent or do not
//!   answer in time stand in `lagging` of an outcome that is `OK`: the change itself is durable.
//! - **Rollback** makes an older document the next version. It need only compile: lint may have become stricter since.
//!
//! Limits: one control plane at a time. Of two that write the same number, followers that run keep what came first, and
//! the loser is told so after writing; but compaction keeps what came last, and that is what a follower that starts later
//! reads. A control plane that dies between a head and its audit record leaves the change without one.

mod acknowledgement;
mod api;
mod bootstrap;
mod clock;
mod config;
mod deployment_check;
mod deployment_file;
mod metrics;
mod model_service;
mod object;
mod plan;
mod policy_check;
mod policy_service;
mod refusal;
mod replica_watch;
mod server;
mod status_service;
mod writer;

use std::net::{SocketAddr, TcpListener};

use anyhow::Context;
use control_state::{
    ControlFollower, ControlView, FollowerOptions, HeartbeatOptions, Heartbeats, History,
    InvalidReplicaId, Phase, Replica, ReplicaId,
};
use kafka_pipeline::Publisher;
use moderation_wire::Topics;
use service_runtime::{ReadinessCondition, ServiceContext};
use tokio_util::sync::CancellationToken;
use tonic_health::server::HealthReporter;

use api::Api;
pub use config::Config;
pub use deployment_file::{deployment_toml, parse_deployment};
use plan::{Proposal, Terms};
use replica_watch::Replicas;
use writer::{Writer, WriterHandle, WriterOptions};

/// The stage's name in metrics, heartbeats and logs.
const STAGE: &str = "control-plane";

/// Runs the control plane until its context is shut down, and then finishes what was asked before.
///
/// # Errors
/// A port or file that cannot be used, or a control topic that cannot be read or written.
pub async fn run(config: Config, context: ServiceContext) -> anyhow::Result<()> {
    ControlPlane::bind(config)?.serve(context).await
}

/// A control plane that has its port and its bootstrap files, and has not begun to serve.
#[derive(Debug)]
pub struct ControlPlane {
    config: Config,
    listener: TcpListener,
    first_changes: Vec<(Proposal, Terms)>,
}

impl ControlPlane {
    /// Reads and checks the bootstrap files, and takes the port.
    ///
    /// # Errors
    /// One line that names the file or the address, and what is wrong with it.
    pub fn bind(config: Config) -> anyhow::Result<Self> {
        let first_changes = bootstrap::read_first_changes(&config)?;
        let listener = server::bind(config.listen)?;
        Ok(Self {
            config,
            listener,
            first_changes,
        })
    }

    /// Returns where gRPC is served.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn local_address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the context is shut down.
    ///
    /// # Errors
    /// See [`run`].
    pub async fn serve(self, context: ServiceContext) -> anyhow::Result<()> {
        metrics::describe();
        let is_ready = context.readiness("control-topic", "not read to its end yet");
        let topics = Topics::new(&self.config.topic_prefix);
        let Some(checked) = self.config.topic_check(&topics).wait(&context).await? else {
            return Ok(());
        };
        checked.confirm();
        let publisher = Publisher::new(&self.config.kafka)?;
        let follower = self.follow(&topics)?;
        let view = follower.view();
        let (_hearing, replicas) = Replicas::follow(self.config.kafka.clone(), &topics.replicas)?;
        let (replica, heartbeats) = self.introduce(&topics, publisher.clone(), view.clone())?;
        let (handle, writer) =
            self.writer(topics, publisher, view.clone(), context.shutdown().clone());
        let api = Api {
            view: view.clone(),
            replicas: replicas.clone(),
            writer: handle,
            shutdown: context.shutdown().clone(),
            max_policy_bytes: self.config.max_policy_bytes(),
        };
        let (reporter, health) = server::health().await;
        let standing = Standing {
            view: view.clone(),
            is_ready,
            replica: replica.clone(),
            reporter,
        };
        tracing::info!(address = %self.listener.local_addr()?, "serving gRPC");

        let beating = context.spawn(heartbeats.run());
        let writing = context.spawn(writer.run(self.first_changes));
        let serving = context.spawn(server::serve(self.listener, api, health));
        let result = tokio::select! {
            served = serving => served.context("serving gRPC").flatten(),
            written = writing => ended(written).context("writing to the control topic"),
            beaten = beating => ended(beaten).context("writing heartbeats"),
            error = view.failure() => Err(error).context("following the control topic"),
            error = replicas.failure() => Err(error).context("following the replicas topic"),
            () = standing.report(context.shutdown()) => Ok(()),
        };
        replica.leave();
        result
    }

    fn follow(&self, topics: &Topics) -> Result<ControlFollower, kafka_pipeline::Error> {
        ControlFollower::start(FollowerOptions {
            kafka: self.config.kafka.clone(),
            topic: topics.control.clone(),
            stage: STAGE,
            history: History::Full,
        })
    }

    fn introduce(
        &self,
        topics: &Topics,
        publisher: Publisher,
        view: ControlView,
    ) -> Result<(Replica, Heartbeats), InvalidReplicaId> {
        let id = match &self.config.replica_id {
            Some(id) => ReplicaId::new(id)?,
            None => ReplicaId::of_this_process(STAGE),
        };
        let options = HeartbeatOptions {
            id,
            stage: STAGE,
            topic: topics.replicas.clone(),
            publisher,
        };
        Ok(Heartbeats::new(options, view))
    }

    fn writer(
        &self,
        topics: Topics,
        publisher: Publisher,
        view: ControlView,
        shutdown: CancellationToken,
    ) -> (WriterHandle, Writer) {
        let options = WriterOptions {
            control_topic: topics.control,
            audit_topic: topics.audit,
            publisher,
            max_policy_bytes: self.config.max_policy_bytes(),
            shutdown,
        };
        Writer::new(options, view)
    }
}

/// A task that ended, well or not.
fn ended(
    task: Result<Result<(), kafka_pipeline::Error>, tokio::task::JoinError>,
) -> anyhow::Result<()> {
    Ok(task??)
}

/// Tells everybody who asks whether this control plane works.
struct Standing {
    view: ControlView,
    is_ready: ReadinessCondition,
    replica: Replica,
    reporter: HealthReporter,
}

impl Standing {
    /// Never returns while the view lives.
    async fn report(self, shutdown: &CancellationToken) {
        let mut standing = self.view.standing();
        loop {
            let problem = problem(&standing.borrow_and_update().phase);
            match problem {
                None => self.is_ready.set_ready(),
                Some(problem) => self.is_ready.set_not_ready(problem),
            }
            self.replica
                .set_ready(problem.is_none(), problem.unwrap_or_default());
            server::report(&self.reporter, problem.is_none()).await;
            tokio::select! {
                changed = standing.changed() => if changed.is_err() {
                    return;
                },
                () = shutdown.cancelled() => break,
            }
        }
        server::end_reports(self.reporter).await;
        // The server's own end is what is waited for.
        std::future::pending().await
    }
}

fn problem(phase: &Phase) -> Option<&'static str> {
    match phase {
        Phase::Current => None,
        Phase::CatchingUp => Some("the control topic is not read to its end yet"),
        Phase::Stale => Some("the control topic is out of reach"),
        Phase::Failed(_) => Some("the control topic cannot be followed"),
    }
}

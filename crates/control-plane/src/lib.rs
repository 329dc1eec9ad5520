//! The control plane: versioned policies and deployments over gRPC.
//!
//! Serves `PolicyService`, `ModelService` and `StatusService` of `proto/tidegate/v1`, with health and reflection. Its
//! state is the control topic, followed from the beginning; it keeps nothing else.
//!
//! - **Several** may run. One *leads*: the owner of the control topic's partition in one consumer group, which also holds
//!   the one transactional id and so silences whoever led before. The others serve reads, and refuse changes with the
//!   leader's address. When a leader goes, another one takes over: at once if it left in order, else when its session in
//!   the group has timed out.
//! - **Writes** go one by one through the leader, which compares `expected_version` with what serves and then writes the
//!   version, the head and an audit record in one transaction: the change is whole or absent, whenever the process dies.
//!   Refused changes are audited too, with `to_version` 0. Where the broker did not say whether it took a transaction, the
//!   leader takes over its office again, which settles it.
//! - **`WAIT_ALL`** names the live replicas of the stage that serves the object (enforcers a policy, classifiers a
//!   deployment); with none alive the write is refused before it is made. Replicas that refuse, fall silent or do not
//!   answer in time stand in `lagging` of an outcome that is `OK`: the change itself is durable. Those that had been silent
//!   before stand in `silent`, and are not waited for.
//! - **Rollback** makes an older document the next version. It need only compile: lint may have become stricter since.
//!
//! Limits: on the in-process broker, which has no transactions, a change may be cut in half. Somebody who is no control
//! plane and writes a version's number first is believed by followers; the change that lost is told so.

mod acknowledgement;
mod api;
mod bootstrap;
mod clock;
mod command;
mod config;
mod deployment_check;
mod deployment_file;
mod leadership;
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
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic_health::server::HealthReporter;

use api::Api;
pub use config::Config;
pub use deployment_file::{deployment_toml, parse_deployment};
use leadership::{Leadership, Office, Wiring};
use plan::{Proposal, Terms};
use replica_watch::Replicas;
use writer::WriterOptions;

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
        let replica_id = self.replica_id()?;
        let (replica, heartbeats) = Heartbeats::new(
            HeartbeatOptions {
                id: replica_id.clone(),
                stage: STAGE,
                address: self.config.advertised(self.listener.local_addr()?),
                topic: topics.replicas.clone(),
                publisher,
            },
            view.clone(),
        );
        let (writer, commands) = command::queue();
        let (leads, leading) = watch::channel(false);
        let wiring = Wiring {
            follower,
            commands,
            replicas: replicas.clone(),
            replica: replica.clone(),
            leads,
        };
        let office = self.office(&topics, replica_id, context.shutdown().clone());
        let leadership = Leadership::new(office, wiring)?;
        let api = Api {
            view: view.clone(),
            replicas: replicas.clone(),
            writer,
            leads: leading,
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
        let mut writing = context.spawn(leadership.run());
        let serving = context.spawn(server::serve(self.listener, api, health));
        let result = tokio::select! {
            served = serving => served.context("serving gRPC").flatten(),
            written = &mut writing => ended(written).context("writing to the control topic"),
            beaten = beating => ended(beaten).context("writing heartbeats"),
            error = view.failure() => Err(error).context("following the control topic"),
            error = replicas.failure() => Err(error).context("following the replicas topic"),
            () = standing.report(context.shutdown()) => Ok(()),
        };
        replica.leave();
        if context.shutdown().is_cancelled() && !writing.is_finished() {
            // Whoever stops in order has left the group before it says so, and the next one leads at once.
            return result.and(ended(writing.await).context("writing to the control topic"));
        }
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

    fn replica_id(&self) -> Result<ReplicaId, InvalidReplicaId> {
        match &self.config.replica_id {
            Some(id) => ReplicaId::new(id),
            None => Ok(ReplicaId::of_this_process(STAGE)),
        }
    }

    fn office(
        &self,
        topics: &Topics,
        replica_id: ReplicaId,
        shutdown: CancellationToken,
    ) -> Office {
        Office {
            kafka: self.config.kafka.clone(),
            name: format!("{}.{STAGE}", self.config.topic_prefix),
            replica_id,
            writer: WriterOptions {
                control_topic: topics.control.as_str().into(),
                audit_topic: topics.audit.as_str().into(),
                max_policy_bytes: self.config.max_policy_bytes(),
                shutdown,
            },
            first_changes: self.first_changes.clone(),
        }
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

//! One replica of a stage: bound to the control topic from its first record to its last.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use kafka_pipeline::{Error, Handle, Publisher, State};
use service_runtime::{ReadinessCondition, ServiceContext, Watchdog};
use tokio::task::JoinHandle;

use crate::follower::{ControlFollower, FollowerOptions};
use crate::heartbeats::{HeartbeatOptions, Heartbeats};
use crate::lineage::History;
use crate::replica::{Replica, ReplicaId};
use crate::serving::Serving;
use crate::stage_options::StageOptions;
use crate::view::{ControlView, Phase, Standing};

/// One replica of a stage. It follows the control topic, tells what it serves, and lets its pipeline consume only while
/// what it knows can be trusted. Readiness stands on three conditions: `control`, `serving` and `pipeline`.
#[derive(Debug)]
pub struct Stage {
    follower: ControlFollower,
    replica: Replica,
    beating: JoinHandle<()>,
    /// Set when heartbeats have ended by themselves.
    speechless: Arc<OnceLock<Error>>,
    conditions: Conditions,
    context: ServiceContext,
    watchdog: Watchdog,
    drain_patience: Duration,
}

#[derive(Debug)]
struct Conditions {
    control: ReadinessCondition,
    serving: ReadinessCondition,
    pipeline: ReadinessCondition,
}

impl Stage {
    /// Starts to follow and to send heartbeats. `missing` says what is absent until
    /// [`Stage::before_consuming`] has found it, and the way out.
    ///
    /// # Errors
    /// A setting or a replica id that is wrong. What needs a connection fails in [`Stage::run`].
    pub fn start(
        options: &StageOptions<'_>,
        missing: &'static str,
        context: &ServiceContext,
    ) -> anyhow::Result<Self> {
        kafka_pipeline::describe_metrics();
        crate::describe_metrics();
        let conditions = Conditions {
            control: context.readiness(
                "control",
                "the control topic has not been read to its end yet",
            ),
            serving: context.readiness("serving", missing),
            pipeline: context.readiness("pipeline", "the pipeline has not started"),
        };
        let follower = ControlFollower::start(FollowerOptions {
            kafka: options.kafka.clone(),
            topic: options.topics.control.clone(),
            stage: options.stage,
            history: History::HeadsOnly,
        })?;
        let id = match options.replica_id {
            Some(id) => ReplicaId::new(id).context("replica_id")?,
            None => ReplicaId::of_this_process(options.stage),
        };
        let heartbeat_options = HeartbeatOptions {
            id,
            stage: options.stage,
            address: String::new(),
            topic: options.topics.replicas.clone(),
            publisher: Publisher::new(options.kafka)?,
        };
        let (replica, heartbeats) = Heartbeats::new(heartbeat_options, follower.view());
        replica.set_ready(false, missing);
        let speechless = Arc::new(OnceLock::new());
        let beating = beat(heartbeats, Arc::clone(&speechless));
        Ok(Self {
            follower,
            replica,
            beating: context.spawn(beating),
            speechless,
            conditions,
            context: context.clone(),
            watchdog: context.watchdog("pipeline", STUCK_AFTER),
            drain_patience: options.drain_patience(),
        })
    }

    /// Returns the way to what the control topic says.
    pub fn view(&self) -> ControlView {
        self.follower.view()
    }

    /// Returns the way to tell what this replica serves.
    pub fn replica(&self) -> Replica {
        self.replica.clone()
    }

    /// Says that a version was refused while nothing serves yet: `serving` tells so until
    /// [`Stage::before_consuming`] has found what it waits for. `refused` names the version and the reason, and must hold
    /// no user's text.
    pub fn refused_first(&self, refused: String) {
        self.conditions.serving.set_not_ready(refused);
    }

    /// Waits for something that the stage needs before it can consume: `None` if it was told to stop before.
    ///
    /// # Errors
    /// That of `needed`, or what ended following or the heartbeats.
    pub async fn before_consuming<T>(
        &self,
        needed: impl Future<Output = anyhow::Result<T>>,
        context: &ServiceContext,
    ) -> anyhow::Result<Option<T>> {
        let view = self.view();
        let steering = self.steer(None);
        tokio::select! {
            biased;
            () = context.shutdown().cancelled() => Ok(None),
            error = view.failure() => Err(control_lost(error)),
            found = needed => found.map(|found| {
                self.conditions.serving.set_ready();
                Some(found)
            }),
            error = steering => Err(replica_unheard(error)),
        }
    }

    /// Runs until the context is shut down or something fails for good, then drains the pipeline and says goodbye.
    ///
    /// A process that stood still for [`STANDSTILL`](crate::STANDSTILL) delivers nothing that it had decided before: what
    /// was not delivered is read again, once the control topic has been read to its end and `serving` has caught up.
    ///
    /// # Errors
    /// What failed first.
    pub async fn run(
        self,
        mut serving: impl Serving,
        context: &ServiceContext,
    ) -> anyhow::Result<()> {
        loop {
            let started = serving.start(self.follower.lease());
            let pipeline = started.context("the pipeline cannot start")?;
            let result = self.serve(&pipeline, &mut serving, context).await;
            if !stood_still(&pipeline) {
                return self.drain(pipeline, result).await;
            }
            tracing::warn!(
                "this process stood still; what it had not delivered is read again, once it knows what it missed"
            );
            self.conditions
                .pipeline
                .set_not_ready("the process stood still");
            let caught_up = async {
                self.follower.confirm().await.map_err(control_lost)?;
                serving.catch_up().await
            };
            if self.before_consuming(caught_up, context).await?.is_none() {
                self.leave().await;
                return Ok(());
            }
        }
    }

    /// Serves until told to stop, or something fails.
    async fn serve(
        &self,
        pipeline: &Handle,
        serving: &mut impl Serving,
        context: &ServiceContext,
    ) -> anyhow::Result<()> {
        let view = self.view();
        tokio::select! {
            biased;
            () = context.shutdown().cancelled() => Ok(()),
            ended = pipeline.ended() => Err(pipeline_ended(&ended)),
            error = view.failure() => Err(control_lost(error)),
            failed = serving.follow(pipeline) => failed,
            error = self.steer(Some(pipeline)) => Err(replica_unheard(error)),
        }
    }

    async fn drain(self, pipeline: Handle, result: anyhow::Result<()>) -> anyhow::Result<()> {
        self.conditions.pipeline.set_not_ready("draining");
        self.tell_readiness();
        // Whoever drains is alive for as long as the drain's own deadline allows, which may be longer than a watchdog's.
        drop(self.watchdog);
        let drained = pipeline
            .drain(self.drain_patience)
            .await
            .context("draining the pipeline");
        say_goodbye(&self.replica, self.beating).await;
        result.and(drained)
    }

    /// Says goodbye without having consumed anything.
    pub async fn leave(self) {
        say_goodbye(&self.replica, self.beating).await;
    }

    /// Keeps readiness, liveness and the pipeline in step with what is known. Ends only when no heartbeat can be sent,
    /// for then nobody would wait for this replica.
    async fn steer(&self, pipeline: Option<&Handle>) -> Error {
        let mut standing = self.view().standing();
        let mut look = tokio::time::interval(LOOK_INTERVAL);
        loop {
            let current = standing.borrow_and_update().clone();
            self.follow_standing(&current, pipeline);
            match pipeline {
                Some(pipeline) => self.follow_pipeline(pipeline),
                None => self.watchdog.beat(),
            }
            self.tell_readiness();
            if let Some(error) = self.speechless.get() {
                return error.clone();
            }
            tokio::select! {
                changed = standing.changed() => if changed.is_err() {
                    unreachable!("the view outlives its channels");
                },
                _ = look.tick() => {}
            }
        }
    }

    fn follow_standing(&self, standing: &Standing, pipeline: Option<&Handle>) {
        let is_current = standing.phase == Phase::Current;
        match &standing.phase {
            Phase::Current => self.conditions.control.set_ready(),
            Phase::CatchingUp => self
                .conditions
                .control
                .set_not_ready("reading the control topic to its end"),
            Phase::Stale => self
                .conditions
                .control
                .set_not_ready("the control topic is out of reach"),
            Phase::Failed(error) => self.conditions.control.set_not_ready(error.to_string()),
        }
        match pipeline {
            Some(pipeline) if is_current => pipeline.resume(),
            // What serves may have been taken back meanwhile.
            Some(pipeline) => pipeline.pause(),
            None => {}
        }
    }

    fn follow_pipeline(&self, pipeline: &Handle) {
        match &*pipeline.state().borrow() {
            State::Running => self.conditions.pipeline.set_ready(),
            State::Starting => self.conditions.pipeline.set_not_ready("starting"),
            State::Paused => self.conditions.pipeline.set_not_ready("paused"),
            State::Draining => self.conditions.pipeline.set_not_ready("draining"),
            State::Stopped => self.conditions.pipeline.set_not_ready("stopped"),
            State::Failed(error) => self.conditions.pipeline.set_not_ready(error.to_string()),
        }
        if pipeline.heartbeat_age() < STUCK_AFTER {
            self.watchdog.beat();
        }
    }

    /// Tells what `/ready` tells, conditions that the stage has registered besides these included.
    fn tell_readiness(&self) {
        let unmet = self.context.unmet_conditions();
        self.replica.set_ready(unmet.is_empty(), unmet.join(", "));
    }
}

async fn beat(heartbeats: Heartbeats, speechless: Arc<OnceLock<Error>>) {
    if let Err(error) = heartbeats.run().await {
        speechless.get_or_init(|| error);
    }
}

async fn say_goodbye(replica: &Replica, beating: JoinHandle<()>) {
    replica.leave();
    if let Err(error) = beating.await {
        tracing::error!(%error, "the heartbeat task failed");
    }
}

fn replica_unheard(error: Error) -> anyhow::Error {
    anyhow::Error::new(error).context("heartbeats cannot be sent")
}

/// A pipeline fails of an expired lease on whichever thread notices first, and may be waited for on another.
fn stood_still(pipeline: &Handle) -> bool {
    *pipeline.state().borrow() == State::Failed(Error::LeaseExpired)
}

fn pipeline_ended(state: &State) -> anyhow::Error {
    match state {
        State::Failed(error) => {
            anyhow::Error::new(error.clone()).context("the pipeline has failed")
        }
        _ => anyhow::anyhow!("the pipeline has ended by itself"),
    }
}

fn control_lost(error: Error) -> anyhow::Error {
    anyhow::Error::new(error).context("the control topic cannot be followed")
}

/// A pipeline whose loops have not come round for this long is stuck: longer than the longest rebalance drain that can be
/// configured, and the commit behind it.
const STUCK_AFTER: Duration = Duration::from_secs(30);
/// How often pipeline state and heartbeat age are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

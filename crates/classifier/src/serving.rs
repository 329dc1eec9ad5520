//! Which deployment serves, and the way from one to the next.

use std::sync::Arc;

use control_state::{Replica, Serving, Stage, VersionedDeployment, Versions};
use inference::{DeployError, Engine};
use kafka_pipeline::{Error, Handle, Lease, Pipeline, PipelineConfig};
use moderation::Limits;
use moderation_wire::Topics;
use service_runtime::ServiceContext;

use crate::metrics::DeploymentMetrics;
use crate::scorer::Scorer;

/// What a pipeline of this stage is made of, besides the deployment.
pub(crate) struct Wiring {
    pub(crate) engine: Arc<Engine>,
    pub(crate) pipeline: PipelineConfig,
    pub(crate) topics: Topics,
    pub(crate) limits: Limits,
}

/// The deployment that serves, and those that come.
pub(crate) struct ServingDeployment {
    wiring: Wiring,
    versions: Versions<VersionedDeployment>,
    replica: Replica,
    context: ServiceContext,
    metrics: DeploymentMetrics,
}

impl ServingDeployment {
    /// Waits for the first deployment that loads.
    pub(crate) async fn first(
        stage: &Stage,
        wiring: Wiring,
        context: &ServiceContext,
    ) -> anyhow::Result<Self> {
        let mut serving = Self {
            wiring,
            versions: Versions::new(stage.view().deployment()),
            replica: stage.replica(),
            context: context.clone(),
            metrics: DeploymentMetrics::new(),
        };
        loop {
            let deployment = serving.versions.next().await?;
            let version = deployment.version;
            match serving.load_or_refuse(&deployment).await? {
                Ok(()) => {
                    serving.replica.acknowledge_deployment(version);
                    return Ok(serving);
                }
                Err(error) => {
                    stage.refused_first(format!("deployment {version} was refused: {error}"));
                }
            }
        }
    }

    /// Serves a deployment from the next batch on, if it loads.
    async fn take_on(&mut self, deployment: Arc<VersionedDeployment>) -> anyhow::Result<()> {
        if self.load_or_refuse(&deployment).await?.is_ok() {
            self.versions.serves(deployment);
        }
        Ok(())
    }

    /// Loads, certifies and swaps in, on a thread where that may take its time.
    async fn load_or_refuse(
        &self,
        deployment: &Arc<VersionedDeployment>,
    ) -> anyhow::Result<Result<(), DeployError>> {
        let version = deployment.version;
        let (engine, loading) = (Arc::clone(&self.wiring.engine), Arc::clone(deployment));
        let loaded = self
            .context
            .spawn_blocking(move || engine.deploy(version, &loading.content))
            .await?;
        match loaded {
            Ok(_) => {
                self.metrics.serving(version);
                tracing::info!(%version, "serving a deployment");
                Ok(Ok(()))
            }
            Err(error) => {
                tracing::error!(%version, %error, "refused a deployment");
                self.metrics.refused();
                self.replica.refuse_deployment(version, error.to_string());
                Ok(Err(error))
            }
        }
    }
}

impl Serving for ServingDeployment {
    async fn catch_up(&mut self) -> anyhow::Result<()> {
        while let Some(deployment) = self.versions.shown() {
            self.take_on(deployment).await?;
        }
        Ok(())
    }

    fn start(&self, lease: Lease) -> Result<Handle, Error> {
        let Wiring {
            engine,
            pipeline,
            topics,
            limits,
        } = &self.wiring;
        let config = PipelineConfig {
            lease: Some(lease),
            ..pipeline.clone()
        };
        Pipeline::start(config, Scorer::new(Arc::clone(engine), topics, *limits))
    }

    /// Takes each further deployment that loads, and acknowledges it once nothing scored under an older one is on its
    /// way.
    async fn follow(&mut self, pipeline: &Handle) -> anyhow::Result<()> {
        let replica = self.replica.clone();
        let acknowledge = |deployment: &VersionedDeployment| {
            replica.acknowledge_deployment(deployment.version);
        };
        loop {
            let deployment = self
                .versions
                .next_while_settling(pipeline, &acknowledge)
                .await?;
            self.take_on(deployment).await?;
        }
    }
}

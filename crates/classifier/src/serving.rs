//! Which deployment serves, and the way from one to the next.

use std::sync::Arc;

use control_state::{Replica, Stage, VersionedDeployment, Versions};
use inference::{DeployError, Engine};
use kafka_pipeline::Handle;
use service_runtime::ServiceContext;

use crate::metrics::DeploymentMetrics;

/// The deployment that serves, and those that come.
pub(crate) struct ServingDeployment {
    engine: Arc<Engine>,
    versions: Versions<VersionedDeployment>,
    replica: Replica,
    context: ServiceContext,
    metrics: DeploymentMetrics,
}

impl ServingDeployment {
    /// Waits for the first deployment that loads.
    pub(crate) async fn first(
        stage: &Stage,
        engine: &Arc<Engine>,
        context: &ServiceContext,
    ) -> anyhow::Result<Self> {
        let mut serving = Self {
            engine: Arc::clone(engine),
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

    /// Takes each further deployment that loads, and acknowledges it once nothing scored under an older one is on its
    /// way. Ends only by failing.
    pub(crate) async fn follow(mut self, pipeline: Handle) -> anyhow::Result<()> {
        loop {
            let acknowledge = |deployment: &VersionedDeployment| {
                self.replica.acknowledge_deployment(deployment.version);
            };
            let deployment = self
                .versions
                .next_while_settling(&pipeline, acknowledge)
                .await?;
            if self.load_or_refuse(&deployment).await?.is_ok() {
                self.versions.serves(deployment);
            }
        }
    }

    /// Loads, certifies and swaps in, on a thread where that may take its time.
    async fn load_or_refuse(
        &self,
        deployment: &Arc<VersionedDeployment>,
    ) -> anyhow::Result<Result<(), DeployError>> {
        let version = deployment.version;
        let (engine, loading) = (Arc::clone(&self.engine), Arc::clone(deployment));
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

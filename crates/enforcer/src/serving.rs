//! Which policy serves, and the way from one to the next.

use std::sync::Arc;

use arc_swap::ArcSwap;
use control_state::{Replica, Stage, VersionedPolicy, Versions};
use kafka_pipeline::Handle;
use moderation::policy::{CompiledPolicy, Finding, Policy};

use crate::metrics::PolicyMetrics;

/// The policy that serves, and those that come.
pub(crate) struct ServingPolicy {
    snapshot: Arc<ArcSwap<CompiledPolicy>>,
    versions: Versions<VersionedPolicy>,
    replica: Replica,
    metrics: PolicyMetrics,
}

impl ServingPolicy {
    /// Waits for the first policy that compiles.
    pub(crate) async fn first(stage: &Stage) -> anyhow::Result<Self> {
        let mut versions = Versions::new(stage.view().policy());
        let replica = stage.replica();
        let metrics = PolicyMetrics::new();
        loop {
            let policy = versions.next().await?;
            let version = policy.version;
            match compile_or_refuse(&policy, &replica, &metrics) {
                Ok(compiled) => {
                    replica.acknowledge_policy(version);
                    return Ok(Self {
                        snapshot: Arc::new(ArcSwap::from_pointee(compiled)),
                        versions,
                        replica,
                        metrics,
                    });
                }
                Err(reason) => {
                    stage.refused_first(format!("policy {version} was refused: {reason}"));
                }
            }
        }
    }

    /// Returns what deciders load with each record.
    pub(crate) fn snapshot(&self) -> Arc<ArcSwap<CompiledPolicy>> {
        Arc::clone(&self.snapshot)
    }

    /// Takes each further policy that compiles, at once, and acknowledges it when nothing decided under an older one is
    /// on its way. Ends only by failing.
    pub(crate) async fn follow(mut self, pipeline: Handle) -> anyhow::Result<()> {
        loop {
            let acknowledge =
                |policy: &VersionedPolicy| self.replica.acknowledge_policy(policy.version);
            let policy = self
                .versions
                .next_while_settling(&pipeline, acknowledge)
                .await?;
            if let Ok(compiled) = compile_or_refuse(&policy, &self.replica, &self.metrics) {
                self.snapshot.store(Arc::new(compiled));
                self.versions.serves(policy);
            }
        }
    }
}

fn compile_or_refuse(
    policy: &VersionedPolicy,
    replica: &Replica,
    metrics: &PolicyMetrics,
) -> Result<CompiledPolicy, String> {
    let version = policy.version;
    let compiled = Policy::parse(policy.content.text())
        .and_then(|parsed| CompiledPolicy::compile(&parsed, version));
    match compiled {
        Ok(compiled) => {
            metrics.serving(version);
            tracing::info!(%version, "serving a policy");
            Ok(compiled)
        }
        Err(findings) => {
            let reason = summary(&findings);
            tracing::error!(%version, %reason, "refused a policy");
            metrics.refused();
            replica.refuse_policy(version, reason.clone());
            Err(reason)
        }
    }
}

fn summary(findings: &[Finding]) -> String {
    findings
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

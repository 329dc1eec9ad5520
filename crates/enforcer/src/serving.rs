//! Which policy serves, and the way from one to the next.

use std::sync::Arc;

use arc_swap::ArcSwap;
use control_state::{Replica, Stage, VersionedPolicy, next_version};
use kafka_pipeline::Handle;
use moderation::policy::{CompiledPolicy, Finding, Policy};
use tokio::sync::watch;

use crate::metrics::PolicyMetrics;

/// The policy that serves, and those that come.
pub(crate) struct ServingPolicy {
    snapshot: Arc<ArcSwap<CompiledPolicy>>,
    versions: watch::Receiver<Option<Arc<VersionedPolicy>>>,
    replica: Replica,
    metrics: PolicyMetrics,
}

impl ServingPolicy {
    /// Waits for the first policy that compiles.
    pub(crate) async fn first(stage: &Stage) -> anyhow::Result<Self> {
        let mut versions = stage.view().policy();
        // What is shown already counts as a change.
        versions.mark_changed();
        let replica = stage.replica();
        let metrics = PolicyMetrics::new();
        loop {
            let policy = next_version(&mut versions).await?;
            if let Some(compiled) = compile_or_refuse(&policy, &replica, &metrics) {
                replica.acknowledge_policy(policy.version);
                return Ok(Self {
                    snapshot: Arc::new(ArcSwap::from_pointee(compiled)),
                    versions,
                    replica,
                    metrics,
                });
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
        let mut unacknowledged = None;
        loop {
            // Settling may take as long as the brokers are away, and what comes meanwhile may take something back.
            let policy = tokio::select! {
                biased;
                policy = next_version(&mut self.versions) => policy?,
                settled = pipeline.settled(), if unacknowledged.is_some() => {
                    settled?;
                    if let Some(version) = unacknowledged.take() {
                        self.replica.acknowledge_policy(version);
                    }
                    continue;
                }
            };
            if let Some(compiled) = compile_or_refuse(&policy, &self.replica, &self.metrics) {
                self.snapshot.store(Arc::new(compiled));
                unacknowledged = Some(policy.version);
            }
        }
    }
}

fn compile_or_refuse(
    policy: &VersionedPolicy,
    replica: &Replica,
    metrics: &PolicyMetrics,
) -> Option<CompiledPolicy> {
    let version = policy.version;
    let compiled = Policy::parse(policy.content.text())
        .and_then(|parsed| CompiledPolicy::compile(&parsed, version));
    match compiled {
        Ok(compiled) => {
            metrics.serving(version);
            tracing::info!(%version, "serving a policy");
            Some(compiled)
        }
        Err(findings) => {
            let reason = summary(&findings);
            tracing::error!(%version, %reason, "refused a policy");
            metrics.refused();
            replica.refuse_policy(version, reason);
            None
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

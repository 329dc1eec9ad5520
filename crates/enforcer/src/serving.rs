//! Which policy serves, and the way from one to the next.

use std::sync::Arc;

use arc_swap::ArcSwap;
use control_state::{Replica, Serving, Stage, VersionedPolicy, Versions};
use kafka_pipeline::{Error, Handle, Lease, Pipeline, PipelineConfig};
use moderation::Limits;
use moderation::policy::{CompiledPolicy, Finding, Policy};
use moderation_wire::Topics;

use crate::decider::Decider;
use crate::metrics::PolicyMetrics;

/// What a pipeline of this stage is made of, besides the policy.
pub(crate) struct Wiring {
    pub(crate) pipeline: PipelineConfig,
    pub(crate) topics: Topics,
    pub(crate) limits: Limits,
}

/// The policy that serves, and those that come.
pub(crate) struct ServingPolicy {
    snapshot: Arc<ArcSwap<CompiledPolicy>>,
    versions: Versions<VersionedPolicy>,
    replica: Replica,
    metrics: PolicyMetrics,
    wiring: Wiring,
}

impl ServingPolicy {
    /// Waits for the first policy that compiles.
    pub(crate) async fn first(stage: &Stage, wiring: Wiring) -> anyhow::Result<Self> {
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
                        wiring,
                    });
                }
                Err(reason) => {
                    stage.refused_first(format!("policy {version} was refused: {reason}"));
                }
            }
        }
    }

    /// Serves a policy from the next record on, if it compiles.
    fn take_on(&mut self, policy: Arc<VersionedPolicy>) {
        if let Ok(compiled) = compile_or_refuse(&policy, &self.replica, &self.metrics) {
            self.snapshot.store(Arc::new(compiled));
            self.versions.serves(policy);
        }
    }
}

impl Serving for ServingPolicy {
    async fn catch_up(&mut self) -> anyhow::Result<()> {
        while let Some(policy) = self.versions.shown() {
            self.take_on(policy);
        }
        Ok(())
    }

    fn start(&self, lease: Lease) -> Result<Handle, Error> {
        let Wiring {
            pipeline,
            topics,
            limits,
        } = &self.wiring;
        let config = PipelineConfig {
            lease: Some(lease),
            ..pipeline.clone()
        };
        let decider = Decider::new(Arc::clone(&self.snapshot), topics, *limits);
        Pipeline::start(config, decider)
    }

    /// Takes each further policy that compiles, at once, and acknowledges it when nothing decided under an older one is
    /// on its way.
    async fn follow(&mut self, pipeline: &Handle) -> anyhow::Result<()> {
        let replica = self.replica.clone();
        let acknowledge = |policy: &VersionedPolicy| replica.acknowledge_policy(policy.version);
        loop {
            let policy = self
                .versions
                .next_while_settling(pipeline, &acknowledge)
                .await?;
            self.take_on(policy);
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

//! Changing what serves, one change after the other.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use inference::inspect::inspect;
use moderation::{
    BundleRole, DeployedBundle, Deployment, DeploymentVersion, DirectMessageScope, PolicyVersion,
};
use moderation_wire::v1::model_service_client::ModelServiceClient;
use moderation_wire::v1::policy_service_client::PolicyServiceClient;
use moderation_wire::v1::{DeployRequest, SetThresholdRequest, Wait, WriteOptions, WriteOutcome};
use tidegate_benches::repository;
use tokio::time::sleep;
use tonic::transport::Channel;

use crate::sightings::Sightings;
use crate::stack::Stack;

/// A rule of the shipped policy, and two thresholds for it in thousandths.
const RULE: &str = "spam-demote";
const THRESHOLDS: [u32; 2] = [900, 910];
/// Two bundles that ship, below `deploy/models`.
const BUNDLES: [&str; 2] = ["screen", "screen-lite"];

/// How long a change took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delay {
    /// From the request until a reader has the first decision under the change.
    pub(crate) asked_to_decision: Duration,
    /// The same from the control plane's answer, by which the change is durable.
    pub(crate) accepted_to_decision: Duration,
}

/// Makes changes and sees when they show.
pub(crate) struct Changes {
    policies: PolicyServiceClient<Channel>,
    models: ModelServiceClient<Channel>,
    sightings: Sightings,
    policy: u64,
    deployment: u64,
}

impl Changes {
    /// Deploys the first model and waits for the first decision.
    pub(crate) async fn begin(stack: &Stack) -> anyhow::Result<Self> {
        let mut changes = Self {
            policies: PolicyServiceClient::new(stack.control_plane.clone()),
            models: ModelServiceClient::new(stack.control_plane.clone()),
            sightings: Sightings::begin(stack)?,
            // The shipped policy, which the control plane was started with.
            policy: 1,
            deployment: 0,
        };
        changes.deploy(BUNDLES[0]).await?;
        Ok(changes)
    }

    pub(crate) async fn set_thresholds(&mut self, times: usize) -> anyhow::Result<Vec<Delay>> {
        let mut delays = Vec::new();
        for number in 1..=times {
            sleep(pause(number)).await;
            delays.push(self.set_threshold(THRESHOLDS[number % 2]).await?);
        }
        Ok(delays)
    }

    pub(crate) async fn deploy_models(&mut self, times: usize) -> anyhow::Result<Vec<Delay>> {
        let mut delays = Vec::new();
        for number in 1..=times {
            sleep(pause(number)).await;
            delays.push(self.deploy(BUNDLES[number % 2]).await?);
        }
        Ok(delays)
    }

    async fn set_threshold(&mut self, threshold: u32) -> anyhow::Result<Delay> {
        let request = SetThresholdRequest {
            rule_id: RULE.to_owned(),
            threshold,
            layer: String::new(),
            options: Some(on(self.policy)),
        };
        let asked = Instant::now();
        let response = self.policies.set_threshold(request).await?;
        let accepted = Instant::now();
        self.policy = version(response.into_inner().outcome)?;
        let expected = PolicyVersion(self.policy);
        let seen = self
            .sightings
            .first(|sighting| sighting.policy >= expected)
            .await?;
        Ok(delay(asked, accepted, seen))
    }

    async fn deploy(&mut self, bundle: &str) -> anyhow::Result<Delay> {
        let request = DeployRequest {
            deployment: Some((&deployment_of(bundle)?).into()),
            options: Some(on(self.deployment)),
        };
        let asked = Instant::now();
        let response = self.models.deploy(request).await?;
        let accepted = Instant::now();
        self.deployment = version(response.into_inner().outcome)?;
        let expected = DeploymentVersion(self.deployment);
        let seen = self
            .sightings
            .first(|sighting| sighting.deployment >= expected)
            .await?;
        Ok(delay(asked, accepted, seen))
    }
}

fn deployment_of(bundle: &str) -> anyhow::Result<Deployment> {
    let inspection = inspect(&repository().join("deploy/models").join(bundle))?;
    Ok(Deployment {
        bundles: vec![DeployedBundle {
            digest: inspection.digest,
            name: inspection.name,
            version: inspection.version,
            role: BundleRole::Serving,
            path: bundle.to_owned(),
        }],
        direct_messages: DirectMessageScope::Reported,
    })
}

fn on(expected_version: u64) -> WriteOptions {
    WriteOptions {
        expected_version,
        author: "bench".to_owned(),
        reason: "measuring".to_owned(),
        wait: Wait::None.into(),
        wait_timeout_ms: 0,
    }
}

fn version(outcome: Option<WriteOutcome>) -> anyhow::Result<u64> {
    Ok(outcome.context("the answer has no outcome")?.version)
}

/// The first decision may be read before the answer: then it took no time from there.
fn delay(asked: Instant, accepted: Instant, seen: Instant) -> Delay {
    Delay {
        asked_to_decision: seen.saturating_duration_since(asked),
        accepted_to_decision: seen.saturating_duration_since(accepted),
    }
}

/// Lets changes fall at all distances from heartbeats, commits and ticks.
fn pause(number: usize) -> Duration {
    Duration::from_millis((number * 37 % 100) as u64)
}

//! When a reader of the decisions first meets each version.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use kafka_pipeline::{Follower, FollowerConfig, FollowerEvent, StartAt};
use moderation::{DeploymentVersion, PolicyVersion};
use moderation_wire::decode_decision;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::stack::Stack;

const PATIENCE: Duration = Duration::from_secs(30);
/// Changes come one by one and are waited for; more is never under way.
const CAPACITY: usize = 16;

/// The first decision under a policy or a deployment newer than any before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sighting {
    pub(crate) policy: PolicyVersion,
    pub(crate) deployment: DeploymentVersion,
    pub(crate) at: Instant,
}

/// Reads the decisions from now on.
pub(crate) struct Sightings {
    newest: mpsc::Receiver<Sighting>,
    _follower: Follower,
}

impl Sightings {
    pub(crate) fn begin(stack: &Stack) -> anyhow::Result<Self> {
        let config = FollowerConfig {
            start: StartAt::End,
            ..FollowerConfig::from_beginning(stack.kafka.clone(), stack.topics.decisions.as_str())
        };
        let (sender, newest) = mpsc::channel(CAPACITY);
        let mut seen = (PolicyVersion(0), DeploymentVersion(0));
        let follower = Follower::start(config, move |event| {
            let FollowerEvent::Record(record) = event else {
                return ControlFlow::Continue(());
            };
            let at = Instant::now();
            let Ok(decision) = decode_decision(&record.value) else {
                return ControlFlow::Break(());
            };
            let (policy, deployment) = (decision.policy_version, decision.deployment_version);
            if policy <= seen.0 && deployment <= seen.1 {
                return ControlFlow::Continue(());
            }
            seen = (policy.max(seen.0), deployment.max(seen.1));
            let sighting = Sighting {
                policy,
                deployment,
                at,
            };
            match sender.blocking_send(sighting) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        Ok(Self {
            newest,
            _follower: follower,
        })
    }

    /// Waits for a decision that fits, and returns when it was read.
    pub(crate) async fn first(
        &mut self,
        fits: impl Fn(&Sighting) -> bool,
    ) -> anyhow::Result<Instant> {
        let search = async {
            while let Some(sighting) = self.newest.recv().await {
                if fits(&sighting) {
                    return Ok(sighting.at);
                }
            }
            anyhow::bail!("the decisions cannot be read any more")
        };
        timeout(PATIENCE, search)
            .await
            .context("no decision shows the change")?
    }
}

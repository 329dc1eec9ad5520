//! The enforcer stage: scored events in, decisions, actions and review requests out.
//!
//! Consumes `scores`. For each record it publishes exactly one decision to `decisions`, the enforcement actions that
//! follow to `actions`, and at most one review request to `review`, all before the record's offset is committed. What
//! has no readable event id and subject goes to `dead-letter` instead; nothing stops a partition.
//!
//! Guarantees: a decision is made under exactly one policy version, which it records; the same scored event under the
//! same version gives the same bytes; outputs keep the order of their keys. A policy that does not compile is refused
//! with its reason while the one that serves goes on. A version is acknowledged once everything decided under older ones
//! is acknowledged by the broker.
//!
//! Limits: without a policy the stage is not ready and consumes nothing; while it cannot read the control topic it
//! consumes nothing either, for it might enforce what was taken back. A process that stood still for two seconds delivers
//! nothing that it had decided before: it reads the control topic to its end first, and then decides again. What it had
//! handed to the client library just before, some milliseconds' worth, may still arrive.

mod config;
mod decider;
mod metrics;
mod serving;

use control_state::Stage;
use moderation_wire::Topics;
use service_runtime::ServiceContext;

pub use config::Config;
use serving::{ServingPolicy, Wiring};

/// The stage's name in metrics, heartbeats, consumer groups and dead letters.
const STAGE: &str = "enforcer";
const NO_POLICY: &str = "no policy serves yet; apply one with `tidegate policy apply FILE`";

/// Runs the stage until its context is shut down, then drains it.
///
/// # Errors
/// Says why the stage cannot start or go on: a wrong setting, or a failure of the pipeline or the control topic.
pub async fn run(config: Config, context: ServiceContext) -> anyhow::Result<()> {
    let topics = Topics::new(&config.topic_prefix);
    let options = config.stage(&topics);
    let Some(checked) = options.topic_check().wait(&context).await? else {
        return Ok(());
    };
    let stage = Stage::start(&options, NO_POLICY, &context)?;
    checked.confirm();
    let wiring = Wiring {
        pipeline: options.pipeline(),
        topics: topics.clone(),
        limits: config.limits,
    };
    let first = ServingPolicy::first(&stage, wiring);
    let Some(policy) = stage.before_consuming(first, &context).await? else {
        stage.leave().await;
        return Ok(());
    };
    stage.run(policy, &context).await
}

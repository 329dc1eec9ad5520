//! The classifier stage: content events in, scored events out.
//!
//! Consumes `content` and `content-urgent`. For each record it publishes exactly one scored event to `scores`, without
//! the text, before the record's offset is committed. What has no readable event id and subject goes to `dead-letter`
//! instead, byte for byte; everything else is scored as far as it can be read, and says what could not be.
//!
//! Guarantees: all scores of an event come from one deployment, which the scored event names with its bundles; scoring
//! finishes out of order and is published in order; a new deployment is verified and certified before it serves, swaps
//! in between two batches, and loses no event. A deployment that fails is refused with its reason while the one that
//! serves goes on. A version is acknowledged once everything scored under older ones is acknowledged by the broker.
//!
//! Limits: without a deployment the stage is not ready and consumes nothing. While a model that serves is down, the stage
//! is not ready either, and what needs that model is held until it answers: the pipeline's budget fills, consumption stops,
//! and nothing is guessed or lost. Another deployment, or a restart, ends the outage too.

mod config;
mod metrics;
mod model_health;
mod scorer;
mod serving;

use std::sync::Arc;

use control_state::Stage;
use inference::Engine;
use moderation_wire::Topics;
use service_runtime::ServiceContext;

pub use config::Config;
use serving::{ServingDeployment, Wiring};

/// The stage's name in metrics, heartbeats, consumer groups, dead letters and scored events.
const STAGE: &str = "classifier";
const NO_DEPLOYMENT: &str =
    "no deployment serves yet; make one with `tidegate model deploy --bundle DIR`";

/// Runs the stage until its context is shut down, then drains it.
///
/// # Errors
/// Says why the stage cannot start or go on: a wrong setting, an ONNX Runtime that cannot be loaded, or a failure of the
/// pipeline or the control topic.
pub async fn run(config: Config, context: ServiceContext) -> anyhow::Result<()> {
    let topics = Topics::new(&config.topic_prefix);
    let engine = Arc::new(Engine::start(config.inference.clone())?);
    model_health::tell(engine.health(), &context);
    let options = config.stage(&topics);
    let Some(checked) = options.topic_check().wait(&context).await? else {
        return Ok(());
    };
    let stage = Stage::start(&options, NO_DEPLOYMENT, &context)?;
    checked.confirm();
    let wiring = Wiring {
        engine,
        pipeline: options.pipeline(),
        topics: topics.clone(),
        limits: config.limits,
    };
    let first = ServingDeployment::first(&stage, wiring, &context);
    let Some(deployment) = stage.before_consuming(first, &context).await? else {
        stage.leave().await;
        return Ok(());
    };
    stage.run(deployment, &context).await
}

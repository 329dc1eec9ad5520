//! The stage's configuration file.

use control_state::StageOptions;
use kafka_pipeline::{KafkaOptions, PipelineConfig, PipelineOptions};
use moderation::Limits;
use moderation_wire::Topics;
use serde::Deserialize;
use service_runtime::{InvalidValue, ProcessConfig, ServiceConfig};

use crate::STAGE;

/// What an enforcer needs to know. `deploy/config/enforcer.toml` is a commented sample.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Telemetry, logs, drain deadline.
    #[serde(default)]
    pub process: ProcessConfig,
    /// How to reach the brokers.
    pub kafka: KafkaOptions,
    /// What all topic names and consumer groups begin with.
    #[serde(default = "default_topic_prefix")]
    pub topic_prefix: String,
    /// This replica's name among its stage's, unique and stable; by default made of host name and process id.
    #[serde(default)]
    pub replica_id: Option<String>,
    /// Bounds and intervals of the pipeline.
    #[serde(default)]
    pub pipeline: PipelineOptions,
    /// How much of a scored event is read.
    #[serde(default)]
    pub limits: Limits,
}

fn default_topic_prefix() -> String {
    "tidegate".to_owned()
}

impl Config {
    pub(crate) fn stage<'a>(&'a self, topics: &'a Topics) -> StageOptions<'a> {
        StageOptions {
            stage: STAGE,
            replica_id: self.replica_id.as_deref(),
            kafka: &self.kafka,
            topics,
            drain_patience: self.process.drain_deadline.mul_f64(DRAIN_SHARE),
        }
    }

    pub(crate) fn pipeline(&self, topics: &Topics) -> PipelineConfig {
        PipelineConfig {
            stage: STAGE,
            kafka: self.kafka.clone(),
            group: format!("{}.{STAGE}", self.topic_prefix),
            inputs: vec![topics.scores.clone()],
            dead_letter_topic: topics.dead_letter.clone(),
            start_paused: false,
            options: self.pipeline.clone(),
        }
    }
}

impl AsRef<ProcessConfig> for Config {
    fn as_ref(&self) -> &ProcessConfig {
        &self.process
    }
}

impl ServiceConfig for Config {
    fn validate(&self) -> Result<(), InvalidValue> {
        let topics = Topics::new(&self.topic_prefix);
        self.stage(&topics).validate()?;
        self.pipeline(&topics)
            .validate()
            .map_err(|error| InvalidValue::new("kafka or pipeline", error, "a usable setting"))?;
        self.limits.validate().map_err(|limit| {
            let (least, most) = (limit.allowed.start(), limit.allowed.end());
            let key = format!("limits.{}", limit.key);
            InvalidValue::new(key, limit.value, format!("{least} to {most}"))
        })?;
        self.process.validate()
    }
}

/// The pipeline's share of the drain deadline; the rest is for leaving the group and saying goodbye.
const DRAIN_SHARE: f64 = 0.8;

//! The stage's configuration file.

use control_state::{StageOptions, TopicCheck, TopicOptions};
use kafka_pipeline::{KafkaOptions, PipelineOptions};
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
    #[serde(default = "Topics::default_prefix")]
    pub topic_prefix: String,
    /// What topics must be beyond what their records need.
    #[serde(default)]
    pub topics: TopicOptions,
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

impl Config {
    /// Returns what the stage looks at before it does anything.
    pub fn topic_check<'a>(&'a self, topics: &'a Topics) -> TopicCheck<'a> {
        self.stage(topics).topic_check()
    }

    pub(crate) fn stage<'a>(&'a self, topics: &'a Topics) -> StageOptions<'a> {
        StageOptions {
            stage: STAGE,
            replica_id: self.replica_id.as_deref(),
            kafka: &self.kafka,
            topic_prefix: &self.topic_prefix,
            topics,
            inputs: vec![topics.scores.clone()],
            outputs: vec![
                topics.decisions.clone(),
                topics.actions.clone(),
                topics.review.clone(),
            ],
            topic_options: &self.topics,
            pipeline: &self.pipeline,
            limits: &self.limits,
            drain_deadline: self.process.drain_deadline,
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
        self.stage(&Topics::new(&self.topic_prefix)).validate()?;
        self.process.validate()
    }
}

//! What a stage's configuration comes down to, the same for every stage.

use std::time::Duration;

use kafka_pipeline::{KafkaOptions, PipelineConfig, PipelineOptions};
use moderation::Limits;
use moderation_wire::Topics;
use service_runtime::InvalidValue;

use crate::replica::ReplicaId;
use crate::topic_check::{TopicCheck, TopicOptions};

/// What a stage is, what it reads, and where it finds the control topic.
#[derive(Clone, Debug)]
pub struct StageOptions<'a> {
    /// The stage's name.
    pub stage: &'static str,
    /// This replica's name; by default made of host and process.
    pub replica_id: Option<&'a str>,
    /// How to reach the brokers.
    pub kafka: &'a KafkaOptions,
    /// What the consumer group's name begins with.
    pub topic_prefix: &'a str,
    /// The names of the topics.
    pub topics: &'a Topics,
    /// The topics to consume.
    pub inputs: Vec<String>,
    /// The topics to produce to, besides dead letters and heartbeats.
    pub outputs: Vec<String>,
    /// What topics must be beyond what their records need.
    pub topic_options: &'a TopicOptions,
    /// Bounds and intervals of the pipeline.
    pub pipeline: &'a PipelineOptions,
    /// How much of a record is read.
    pub limits: &'a Limits,
    /// How long the process may take to drain.
    pub drain_deadline: Duration,
}

impl<'a> StageOptions<'a> {
    /// Checks what can be checked before anything starts.
    ///
    /// # Errors
    /// Names the key, what it is, and what is allowed.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        if let Some(id) = self.replica_id
            && ReplicaId::new(id).is_err()
        {
            let allowed = "1 to 128 bytes without control characters";
            return Err(InvalidValue::new("replica_id", id.escape_debug(), allowed));
        }
        self.topic_options.validate()?;
        self.pipeline()
            .validate()
            .map_err(|setting| InvalidValue::new(setting.key, setting.value, setting.allowed))?;
        self.limits.validate().map_err(|limit| {
            let (least, most) = (limit.allowed.start(), limit.allowed.end());
            let key = format!("limits.{}", limit.key);
            InvalidValue::new(key, limit.value, format!("{least} to {most}"))
        })
    }

    /// Returns what is looked at before the stage does anything.
    pub fn topic_check(&self) -> TopicCheck<'a> {
        let common = [
            &self.topics.dead_letter,
            &self.topics.control,
            &self.topics.replicas,
        ];
        let used = self.inputs.iter().chain(&self.outputs).chain(common);
        TopicCheck {
            kafka: self.kafka,
            topics: self.topics,
            used: used.cloned().collect(),
            options: self.topic_options.clone(),
        }
    }

    /// Returns the configuration of the stage's pipeline.
    pub fn pipeline(&self) -> PipelineConfig {
        PipelineConfig {
            stage: self.stage,
            kafka: self.kafka.clone(),
            group: format!("{}.{}", self.topic_prefix, self.stage),
            inputs: self.inputs.clone(),
            dead_letter_topic: self.topics.dead_letter.clone(),
            start_paused: false,
            lease: None,
            options: self.pipeline.clone(),
        }
    }

    /// Returns the pipeline's share of the drain deadline; the rest is for leaving the group and saying goodbye.
    pub(crate) fn drain_patience(&self) -> Duration {
        self.drain_deadline.mul_f64(0.8)
    }
}

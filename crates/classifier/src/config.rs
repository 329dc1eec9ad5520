//! The stage's configuration file.

use control_state::{StageOptions, TopicCheck, TopicOptions};
use inference::EngineConfig;
use kafka_pipeline::{KafkaOptions, PipelineOptions};
use moderation::Limits;
use moderation_wire::Topics;
use serde::Deserialize;
use service_runtime::{InvalidValue, ProcessConfig, ServiceConfig};

use crate::STAGE;

/// What a classifier needs to know. `deploy/config/classifier.toml` is a commented sample.
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
    /// How much of a content event is read.
    #[serde(default)]
    pub limits: Limits,
    /// Bundles, workers and batches.
    #[serde(default)]
    pub inference: EngineConfig,
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
            inputs: vec![topics.content.clone(), topics.content_urgent.clone()],
            outputs: vec![topics.scores.clone()],
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
        self.inference.validate().map_err(|setting| {
            InvalidValue::new(
                format!("inference.{}", setting.key),
                setting.found,
                setting.allowed,
            )
        })?;
        let (room, in_flight) = (
            self.inference.queue_capacity,
            self.pipeline.max_in_flight_events,
        );
        if room < in_flight {
            // A full queue would block the thread that polls the brokers.
            let allowed = format!("at least pipeline.max_in_flight_events, which is {in_flight}");
            return Err(InvalidValue::new("inference.queue_capacity", room, allowed));
        }
        self.process.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_do_not_fit_are_named() {
        let check = |settings: &str, expected: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            let kafka = "[kafka]\nbrokers = \"localhost:9092\"\n";
            std::fs::write(file.path(), format!("{kafka}{settings}")).unwrap();
            let error = service_runtime::config::load::<Config>(file.path()).err();
            let shown = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(shown.ends_with(expected), "{settings}: {shown}");
            assert_eq!(shown.is_empty(), expected.is_empty(), "{shown}");
        };
        check("", "");
        check(
            "[limits]\nmax_parts = 0",
            "limits.max_parts = 0 cannot be used: expected 1 to 4096",
        );
        check(
            "[limits]\nmax_text_bytes = 100",
            "limits.max_text_bytes = 100 cannot be used: expected 1024 to 67108864",
        );
        check(
            "[inference]\nwindow = 0",
            "inference.window = 0 cannot be used: expected 1 to 65536",
        );
        // A full queue blocks whoever submits, which is the thread that polls the brokers.
        check(
            "[inference]\nqueue_capacity = 8191",
            "inference.queue_capacity = 8191 cannot be used: expected at least \
             pipeline.max_in_flight_events, which is 8192",
        );
        check("[inference]\nqueue_capacity = 8192", "");
    }
}

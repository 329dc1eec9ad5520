//! The stage's configuration file.

use control_state::StageOptions;
use inference::EngineConfig;
use kafka_pipeline::{KafkaOptions, PipelineConfig, PipelineOptions};
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
    #[serde(default = "default_topic_prefix")]
    pub topic_prefix: String,
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
            inputs: vec![topics.content.clone(), topics.content_urgent.clone()],
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
        let pipeline = self.pipeline(&Topics::new(&self.topic_prefix));
        pipeline
            .validate()
            .map_err(|error| InvalidValue::new("kafka or pipeline", error, "a usable setting"))?;
        self.limits.validate().map_err(|limit| {
            let (least, most) = (limit.allowed.start(), limit.allowed.end());
            let key = format!("limits.{}", limit.key);
            InvalidValue::new(key, limit.value, format!("{least} to {most}"))
        })?;
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

/// The pipeline's share of the drain deadline; the rest is for leaving the group and saying goodbye.
const DRAIN_SHARE: f64 = 0.8;

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

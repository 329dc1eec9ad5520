//! The subject: a chain of pipelines that pass everything through.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use kafka_pipeline::{
    Dispatched, Handle, KafkaOptions, Outcome, OutputRecord, Pipeline, PipelineConfig,
    PipelineOptions,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// One pipeline from each topic to the next.
pub(crate) struct Pipelines(Vec<Handle>);

impl Pipelines {
    pub(crate) fn start(
        kafka: &KafkaOptions,
        topics: &[String],
        dead_letter_topic: &str,
    ) -> anyhow::Result<Self> {
        let start_one = |hop: &[String]| {
            let config = PipelineConfig {
                stage: "bench",
                kafka: kafka.clone(),
                group: format!("bench.{}", hop[0]),
                inputs: vec![hop[0].clone()],
                dead_letter_topic: dead_letter_topic.to_owned(),
                start_paused: false,
                lease: None,
                options: PipelineOptions::default(),
            };
            let output: Arc<str> = hop[1].as_str().into();
            Ok(Pipeline::start(config, move |dispatched: Dispatched| {
                pass_on(dispatched, Arc::clone(&output));
            })?)
        };
        topics
            .windows(2)
            .map(start_one)
            .collect::<anyhow::Result<_>>()
            .map(Self)
    }

    /// Returns how many records the last topic has acknowledged.
    pub(crate) fn carried(&self) -> u64 {
        self.0.last().map_or(0, |last| last.progress().settled)
    }

    /// Returns how many records the fullest pipeline holds now.
    pub(crate) fn most_in_flight(&self) -> u64 {
        let in_flight = self.0.iter().map(|handle| {
            let progress = handle.progress();
            progress.dispatched.saturating_sub(progress.settled)
        });
        in_flight.max().unwrap_or(0)
    }

    /// Ends all pipelines, and says if one has not carried everything as it should.
    pub(crate) fn drain(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        for handle in self.0 {
            let progress = handle.progress();
            ensure!(
                progress.dead_letters == 0 && progress.stale_results == 0,
                "a pipeline diverted or discarded records"
            );
            runtime.block_on(handle.drain(PATIENCE))?;
        }
        Ok(())
    }
}

fn pass_on(dispatched: Dispatched, output: Arc<str>) {
    let record = dispatched.record();
    let key = record.key.clone().unwrap_or_default();
    let copy = OutputRecord::new(output, key, record.value.clone());
    dispatched.finish(Outcome::produce(vec![copy]));
}

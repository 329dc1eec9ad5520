//! What the stage does with one record: read, score on the engine's threads, write.

use std::sync::Arc;

use inference::Engine;
use kafka_pipeline::{Dispatched, Outcome, OutputRecord, Processor, Record, Rejection};
use moderation::{ContentEvent, Limits, ScoredEvent, Timestamp};
use moderation_wire::{
    Format, Topics, Unreadable, decode_content, encode_scored, headers, record_key,
};

use crate::metrics::ScorerMetrics;

/// Reads records on the consumer thread; scoring and writing happen on the engine's threads.
pub(crate) struct Scorer {
    engine: Arc<Engine>,
    scores: Arc<str>,
    limits: Limits,
    metrics: ScorerMetrics,
}

impl Scorer {
    pub(crate) fn new(engine: Arc<Engine>, topics: &Topics, limits: Limits) -> Self {
        Self {
            engine,
            scores: topics.scores.as_str().into(),
            limits,
            metrics: ScorerMetrics::new(),
        }
    }
}

impl Processor for Scorer {
    fn process(&mut self, dispatched: Dispatched) {
        let record = dispatched.record();
        let broker_time = Timestamp::from_millis(record.timestamp_ms);
        let content = self
            .metrics
            .decode(|| read(record, broker_time, &self.limits));
        match content {
            Ok(content) => {
                let scores = Arc::clone(&self.scores);
                let metrics = self.metrics.clone();
                let submitted = self.engine.submit(content, broker_time, move |scored| {
                    metrics.scored(&scored);
                    dispatched.finish(Outcome::produce(vec![output(scores, &scored)]));
                });
                if let Err(error) = submitted {
                    // The record was dropped unfinished, which stops the pipeline before anything past it is committed.
                    tracing::error!(%error, "the engine takes no more events");
                }
            }
            Err(unreadable) => {
                let rejection = Rejection::new(unreadable.reason.as_str(), unreadable.field);
                dispatched.finish(Outcome::reject(rejection));
            }
        }
    }
}

fn read(
    record: &Record,
    broker_time: Timestamp,
    limits: &Limits,
) -> Result<ContentEvent, Unreadable> {
    let format = Format::from_content_type(record.headers.get(headers::CONTENT_TYPE));
    decode_content(&record.value, format, broker_time, limits)
}

fn output(topic: Arc<str>, scored: &ScoredEvent) -> OutputRecord {
    OutputRecord::new(
        topic,
        record_key(&scored.event.subject),
        encode_scored(scored),
    )
}

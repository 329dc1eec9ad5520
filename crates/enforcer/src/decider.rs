//! What the stage does with one record: read, decide, write.

use std::sync::Arc;

use arc_swap::ArcSwap;
use kafka_pipeline::{Dispatched, Outcome, OutputRecord, Processor, Record, Rejection};
use moderation::policy::CompiledPolicy;
use moderation::{Decided, Limits, ScoredEvent, Timestamp, decide};
use moderation_wire::{
    Format, Topics, Unreadable, decode_scored, encode_action, encode_decision, encode_review,
    headers, record_key,
};

use crate::metrics::DeciderMetrics;

/// Decides records on the consumer thread: deciding costs microseconds, less than handing it to another thread.
pub(crate) struct Decider {
    policy: Arc<ArcSwap<CompiledPolicy>>,
    decisions: Arc<str>,
    actions: Arc<str>,
    review: Arc<str>,
    limits: Limits,
    metrics: DeciderMetrics,
}

impl Decider {
    pub(crate) fn new(
        policy: Arc<ArcSwap<CompiledPolicy>>,
        topics: &Topics,
        limits: Limits,
    ) -> Self {
        Self {
            policy,
            decisions: topics.decisions.as_str().into(),
            actions: topics.actions.as_str().into(),
            review: topics.review.as_str().into(),
            limits,
            metrics: DeciderMetrics::new(),
        }
    }

    fn outcome(&mut self, record: &Record) -> Outcome {
        let started = self.metrics.start();
        match read(record, &self.limits) {
            Ok(scored) => {
                let decoded = self.metrics.decoded(started);
                let decided = decide(&scored, &self.policy.load());
                self.metrics.decided(decoded, &decided);
                Outcome::produce(self.outputs(&scored, &decided))
            }
            Err(unreadable) => {
                Outcome::reject(Rejection::new(unreadable.reason.as_str(), unreadable.field))
            }
        }
    }

    fn outputs(&self, scored: &ScoredEvent, decided: &Decided) -> Vec<OutputRecord> {
        let key = record_key(&scored.event.subject);
        let mut outputs =
            Vec::with_capacity(1 + decided.actions.len() + usize::from(decided.review.is_some()));
        outputs.extend(decided.actions.iter().map(|action| {
            let action_key = record_key(&action.subject);
            OutputRecord::new(Arc::clone(&self.actions), action_key, encode_action(action))
        }));
        outputs.extend(decided.review.iter().map(|review| {
            OutputRecord::new(Arc::clone(&self.review), key.clone(), encode_review(review))
        }));
        let decision = encode_decision(&decided.decision);
        outputs.push(OutputRecord::new(
            Arc::clone(&self.decisions),
            key,
            decision,
        ));
        outputs
    }
}

impl Processor for Decider {
    fn process(&mut self, dispatched: Dispatched) {
        let outcome = self.outcome(dispatched.record());
        dispatched.finish(outcome);
    }
}

fn read(record: &Record, limits: &Limits) -> Result<ScoredEvent, Unreadable> {
    let format = Format::from_content_type(record.headers.get(headers::CONTENT_TYPE));
    let broker_time = Timestamp::from_millis(record.timestamp_ms);
    decode_scored(&record.value, format, broker_time, limits)
}

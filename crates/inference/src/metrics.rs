//! The metrics of inference. The only file of this crate that names metrics.

use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};
use moderation::{BundleRole, DeploymentVersion, Score};

use crate::batcher::ReleaseReason;
use crate::bundle::Bundle;

const STEP_DURATION: &str = "tidegate_inference_step_duration_seconds";
const BATCH_TEXTS: &str = "tidegate_inference_batch_texts";
const BATCH_FEATURES: &str = "tidegate_inference_batch_features";
const BATCHES: &str = "tidegate_inference_batches_total";
const SCORES: &str = "tidegate_inference_score";
const CACHE_LOOKUPS: &str = "tidegate_inference_cache_lookups_total";
const SHARED_RUNS: &str = "tidegate_inference_shared_runs_total";
const RECOMPUTED: &str = "tidegate_inference_recomputed_total";
const TIMEOUTS: &str = "tidegate_inference_timeouts_total";
const LATE_RESULTS: &str = "tidegate_inference_late_results_total";
const HOLDING_WORKERS: &str = "tidegate_inference_holding_workers";
const FAILURES: &str = "tidegate_inference_failures_total";
const DEPLOYMENT_VERSION: &str = "tidegate_inference_deployment_version";
const MODEL_BYTES: &str = "tidegate_inference_model_bytes";

/// Describes the metrics of this crate. Call once a process, after a recorder is installed.
pub fn describe_metrics() {
    describe_histogram!(
        STEP_DURATION,
        "Time of one event in `queue`, of one event's texts in `tokenize`, of one batch in `infer`."
    );
    describe_histogram!(BATCH_TEXTS, "Different texts in a batch.");
    describe_histogram!(BATCH_FEATURES, "Features in a batch.");
    describe_counter!(BATCHES, "Batches, by why they were released.");
    describe_histogram!(SCORES, "Scores computed, by bundle and label.");
    describe_counter!(CACHE_LOOKUPS, "Looks for a score in the cache, by result.");
    describe_counter!(
        SHARED_RUNS,
        "Texts that shared the run of an identical one in their batch."
    );
    describe_counter!(
        RECOMPUTED,
        "Texts computed again alone, because a score was at a rounding boundary."
    );
    describe_counter!(TIMEOUTS, "Events completed as timed out.");
    describe_counter!(
        LATE_RESULTS,
        "Answers about a part that came after its event was completed."
    );
    describe_counter!(FAILURES, "Runs of a model that failed.");
    describe_gauge!(
        HOLDING_WORKERS,
        "Workers that hold their work because a model that serves is down."
    );
    describe_gauge!(
        DEPLOYMENT_VERSION,
        "The deployment under which new work begins."
    );
    describe_gauge!(
        MODEL_BYTES,
        "Size of the models of the deployment, once for each worker."
    );
}

/// Handles of the metrics that do not depend on a deployment.
#[derive(Clone)]
pub(crate) struct EngineMetrics {
    queue: Histogram,
    tokenize: Histogram,
    infer: Histogram,
    batch_texts: Histogram,
    batch_features: Histogram,
    released_full: Counter,
    released_drained: Counter,
    cache_hits: Counter,
    cache_misses: Counter,
    pub(crate) shared_runs: Counter,
    pub(crate) timeouts: Counter,
    pub(crate) late_results: Counter,
    pub(crate) holding_workers: Gauge,
    deployment_version: Gauge,
    model_bytes: Gauge,
}

impl EngineMetrics {
    pub(crate) fn new() -> Self {
        let batches = |reason: ReleaseReason| counter!(BATCHES, "reason" => reason.as_str());
        Self {
            queue: histogram!(STEP_DURATION, "step" => "queue"),
            tokenize: histogram!(STEP_DURATION, "step" => "tokenize"),
            infer: histogram!(STEP_DURATION, "step" => "infer"),
            batch_texts: histogram!(BATCH_TEXTS),
            batch_features: histogram!(BATCH_FEATURES),
            released_full: batches(ReleaseReason::Budget),
            released_drained: batches(ReleaseReason::Drained),
            cache_hits: counter!(CACHE_LOOKUPS, "result" => "hit"),
            cache_misses: counter!(CACHE_LOOKUPS, "result" => "miss"),
            shared_runs: counter!(SHARED_RUNS),
            timeouts: counter!(TIMEOUTS),
            late_results: counter!(LATE_RESULTS),
            holding_workers: gauge!(HOLDING_WORKERS),
            deployment_version: gauge!(DEPLOYMENT_VERSION),
            model_bytes: gauge!(MODEL_BYTES),
        }
    }

    pub(crate) fn prepared(&self, queued: Duration, tokenizing: Duration) {
        self.queue.record(queued);
        self.tokenize.record(tokenizing);
    }

    pub(crate) fn looked_up(&self, is_hit: bool) {
        if is_hit {
            self.cache_hits.increment(1);
        } else {
            self.cache_misses.increment(1);
        }
    }

    pub(crate) fn released(&self, texts: usize, features: u64, reason: ReleaseReason) {
        self.batch_texts.record(texts as f64);
        self.batch_features.record(features as f64);
        match reason {
            ReleaseReason::Budget => self.released_full.increment(1),
            ReleaseReason::Drained => self.released_drained.increment(1),
        }
    }

    pub(crate) fn inferred(&self, time: Duration) {
        self.infer.record(time);
    }

    pub(crate) fn deployed(&self, version: DeploymentVersion, model_bytes: u64) {
        self.deployment_version.set(version.0 as f64);
        self.model_bytes.set(model_bytes as f64);
    }
}

/// Handles of one bundle's metrics.
pub(crate) struct BundleMetrics {
    scores: Vec<Histogram>,
    pub(crate) recomputed: Counter,
    pub(crate) failures: Counter,
}

impl BundleMetrics {
    pub(crate) fn new(bundle: &Bundle, role: BundleRole) -> Self {
        let name = || bundle.manifest().name.clone();
        let score = |label: &moderation::Label| histogram!(SCORES, "bundle" => name(), "role" => role.as_str(), "label" => label.to_string());
        Self {
            scores: bundle.labels().iter().map(score).collect(),
            recomputed: counter!(RECOMPUTED, "bundle" => name()),
            failures: counter!(FAILURES, "bundle" => name()),
        }
    }

    pub(crate) fn scored(&self, scores: &[Score]) {
        for (histogram, score) in self.scores.iter().zip(scores) {
            histogram.record(f64::from(score.thousandths()) / 1000.0);
        }
    }
}

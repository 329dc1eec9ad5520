//! The classifier's metrics. The only file of this crate that names metrics.

use std::sync::Arc;
use std::time::Instant;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};
use moderation::{DeploymentVersion, Flag, ScoredEvent};

const EVENTS: &str = "tidegate_classifier_events_total";
const FLAGS: &str = "tidegate_classifier_flagged_events_total";
const STEP_DURATION: &str = "tidegate_classifier_step_duration_seconds";
const DEPLOYMENT_VERSION: &str = "tidegate_classifier_deployment_version";
const DEPLOYMENT_REFUSALS: &str = "tidegate_classifier_deployment_refusals_total";

fn describe() {
    describe_counter!(EVENTS, "Scored events published.");
    describe_counter!(FLAGS, "Events that were unusual, by flag.");
    describe_histogram!(
        STEP_DURATION,
        Unit::Seconds,
        "Time that one record spends in a step of the classifier."
    );
    describe_gauge!(
        DEPLOYMENT_VERSION,
        "Deployment version under which this replica scores."
    );
    describe_counter!(
        DEPLOYMENT_REFUSALS,
        "Deployment versions that this replica could not load."
    );
}

/// Handles for what is counted with every record, looked up once.
#[derive(Clone)]
pub(crate) struct ScorerMetrics {
    decode: Histogram,
    events: Counter,
    flags: Arc<[Counter]>,
}

impl ScorerMetrics {
    pub(crate) fn new() -> Self {
        describe();
        Self {
            decode: histogram!(STEP_DURATION, "step" => "decode"),
            events: counter!(EVENTS),
            flags: Flag::ALL
                .iter()
                .map(|flag| counter!(FLAGS, "flag" => flag.as_str()))
                .collect(),
        }
    }

    /// Runs `decode` and counts the time it takes.
    pub(crate) fn decode<T>(&self, decode: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let decoded = decode();
        self.decode.record(started.elapsed());
        decoded
    }

    /// Counts a scored event and its flags.
    pub(crate) fn scored(&self, scored: &ScoredEvent) {
        self.events.increment(1);
        for flag in &scored.flags {
            // `flags` has one counter for each flag, in the order of their declaration.
            self.flags[*flag as usize].increment(1);
        }
    }
}

/// What this replica tells about the deployment it serves.
pub(crate) struct DeploymentMetrics {
    version: Gauge,
    refusals: Counter,
}

impl DeploymentMetrics {
    pub(crate) fn new() -> Self {
        describe();
        Self {
            version: gauge!(DEPLOYMENT_VERSION),
            refusals: counter!(DEPLOYMENT_REFUSALS),
        }
    }

    /// Shows the version that serves.
    pub(crate) fn serving(&self, version: DeploymentVersion) {
        self.version.set(version.0 as f64);
    }

    /// Counts a version that does not load.
    pub(crate) fn refused(&self) {
        self.refusals.increment(1);
    }
}

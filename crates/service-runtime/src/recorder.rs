//! The Prometheus recorder: one per process, with explicit buckets.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::process::StartError;

/// Durations: 100 µs to 60 s. Stage durations sit at the low end; the age of an event at decision has its objective at
/// 60 ms, around which the steps are narrow, and a stage that is catching up reaches seconds.
const SECONDS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.045, 0.06, 0.08, 0.1, 0.25,
    0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// Record sizes: from a short comment to Kafka's usual maximum message and the 5 MiB texts beyond it, in powers of four.
const BYTES: &[f64] = &[
    64.0,
    256.0,
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
];

/// Scores and shares, which lie in 0 to 1: steps of 0.05, narrow enough to see a score distribution drift.
const UNIT_INTERVAL: &[f64] = &[
    0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8,
    0.85, 0.9, 0.95, 1.0,
];

/// Everything else is a count (texts, tokens or features of a batch): powers of two up to the widest batching window, and
/// powers of four beyond, where only the order of magnitude matters.
const COUNTS: &[f64] = &[
    0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0, 16_384.0,
    65_536.0, 262_144.0,
];

/// Installs the process's recorder.
///
/// The caller runs the handle's upkeep: without it memory grows between scrapes.
pub(crate) fn install() -> Result<PrometheusHandle, StartError> {
    let recorder = builder().map_err(StartError::Buckets)?.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| StartError::AlreadyStarted("metrics"))?;
    Ok(handle)
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    // The default applies to every histogram without a suffix rule: one with no buckets at all would be rendered as a
    // summary, whose quantiles cannot be aggregated over replicas.
    PrometheusBuilder::new()
        .set_buckets(COUNTS)?
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_bytes".to_owned()), BYTES)?
        .set_buckets_for_metric(Matcher::Suffix("_ratio".to_owned()), UNIT_INTERVAL)?
        .set_buckets_for_metric(Matcher::Suffix("_score".to_owned()), UNIT_INTERVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Renders one histogram of this name and returns its bucket count, the infinite one included.
    #[track_caller]
    fn check(name: &'static str, expected_buckets: usize) {
        let recorder = builder().unwrap().build_recorder();
        metrics::with_local_recorder(&recorder, || metrics::histogram!(name).record(0.5));
        let text = recorder.handle().render();
        assert!(text.contains(&format!("# TYPE {name} histogram")), "{text}");
        assert_eq!(text.matches("_bucket{").count(), expected_buckets, "{text}");
    }

    #[test]
    fn every_histogram_has_the_buckets_of_its_unit() {
        check("tidegate_stage_duration_seconds", SECONDS.len() + 1);
        check("tidegate_record_size_bytes", BYTES.len() + 1);
        check("tidegate_batch_padding_ratio", UNIT_INTERVAL.len() + 1);
        check("tidegate_label_score", UNIT_INTERVAL.len() + 1);
        check("tidegate_batch_items", COUNTS.len() + 1);
    }
}

//! The metrics of the control plane. The only file of this crate that names metrics.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::object::Object;

const CHANGES: &str = "tidegate_control_changes_total";
const HEAD_VERSION: &str = "tidegate_control_head_version";
const WRITE_DURATION: &str = "tidegate_control_write_seconds";
const ACKNOWLEDGEMENT_DURATION: &str = "tidegate_control_acknowledgement_seconds";
const LEADING: &str = "tidegate_control_leading";
const HEARTBEATS_SKIPPED: &str = "tidegate_control_heartbeats_skipped_total";

/// Says what each metric means.
pub(crate) fn describe() {
    describe_counter!(
        CHANGES,
        "Changes of policy and deployment, by whether they were made."
    );
    describe_gauge!(HEAD_VERSION, "Version that serves; 0 is none.");
    describe_histogram!(
        WRITE_DURATION,
        "Time from a change's turn until it was committed and read back."
    );
    describe_histogram!(
        ACKNOWLEDGEMENT_DURATION,
        "Time from a durable change until every replica that was waited for had answered."
    );
    describe_gauge!(
        LEADING,
        "1 while this control plane is the one that takes changes."
    );
    describe_counter!(HEARTBEATS_SKIPPED, "Heartbeats without effect, by reason.");
}

/// What became of a proposed change.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ChangeOutcome {
    Made,
    Refused,
}

pub(crate) fn count_change(object: Object, outcome: ChangeOutcome) {
    let outcome = match outcome {
        ChangeOutcome::Made => "made",
        ChangeOutcome::Refused => "refused",
    };
    counter!(CHANGES, "object" => object.as_str(), "outcome" => outcome).increment(1);
}

pub(crate) fn set_head_version(object: Object, version: u64) {
    gauge!(HEAD_VERSION, "object" => object.as_str()).set(version as f64);
}

pub(crate) fn time_write(object: Object, duration: Duration) {
    histogram!(WRITE_DURATION, "object" => object.as_str()).record(duration.as_secs_f64());
}

pub(crate) fn time_acknowledgement(object: Object, duration: Duration) {
    histogram!(ACKNOWLEDGEMENT_DURATION, "object" => object.as_str())
        .record(duration.as_secs_f64());
}

pub(crate) fn set_leading(is_leading: bool) {
    gauge!(LEADING).set(f64::from(u8::from(is_leading)));
}

pub(crate) fn skip_heartbeat(reason: &'static str) {
    counter!(HEARTBEATS_SKIPPED, "reason" => reason).increment(1);
}

//! The metrics of following and of heartbeats. The only file of this crate that names metrics.

use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};

use crate::entry::SkipReason;
use crate::replica::Report;

const OFFSET: &str = "tidegate_control_offset";
const FRESH: &str = "tidegate_control_fresh";
const SKIPPED: &str = "tidegate_control_records_skipped_total";
const POLICY_VERSION: &str = "tidegate_replica_policy_version";
const DEPLOYMENT_VERSION: &str = "tidegate_replica_deployment_version";
const READY: &str = "tidegate_replica_ready";
const HEARTBEATS: &str = "tidegate_replica_heartbeats_total";

/// Says what each metric means.
pub fn describe_metrics() {
    describe_gauge!(
        OFFSET,
        "Offset of the control topic up to which a stage has applied."
    );
    describe_gauge!(
        FRESH,
        "1 while a stage has caught up with the control topic and can still read it."
    );
    describe_counter!(SKIPPED, "Control records without effect, by reason.");
    describe_gauge!(
        POLICY_VERSION,
        "Policy version that a stage has acknowledged; 0 is none."
    );
    describe_gauge!(
        DEPLOYMENT_VERSION,
        "Deployment version that a stage has acknowledged; 0 is none."
    );
    describe_gauge!(READY, "1 while a stage says that it works.");
    describe_counter!(HEARTBEATS, "Heartbeats, by whether the broker took them.");
}

/// What the follower counts.
#[derive(Debug)]
pub(crate) struct FollowerMetrics {
    stage: &'static str,
    offset: Gauge,
    fresh: Gauge,
}

impl FollowerMetrics {
    pub(crate) fn new(stage: &'static str) -> Self {
        Self {
            stage,
            offset: gauge!(OFFSET, "stage" => stage),
            fresh: gauge!(FRESH, "stage" => stage),
        }
    }

    pub(crate) fn set_offset(&self, offset: u64) {
        self.offset.set(offset as f64);
    }

    pub(crate) fn set_fresh(&self, is_fresh: bool) {
        self.fresh.set(f64::from(u8::from(is_fresh)));
    }

    pub(crate) fn skip(&self, reason: SkipReason) {
        counter!(SKIPPED, "stage" => self.stage, "reason" => reason.as_str()).increment(1);
    }
}

/// What the heartbeats count.
#[derive(Debug)]
pub(crate) struct HeartbeatMetrics {
    policy_version: Gauge,
    deployment_version: Gauge,
    ready: Gauge,
    sent: Counter,
    lost: Counter,
}

impl HeartbeatMetrics {
    pub(crate) fn new(stage: &'static str) -> Self {
        Self {
            policy_version: gauge!(POLICY_VERSION, "stage" => stage),
            deployment_version: gauge!(DEPLOYMENT_VERSION, "stage" => stage),
            ready: gauge!(READY, "stage" => stage),
            sent: counter!(HEARTBEATS, "stage" => stage, "outcome" => "sent"),
            lost: counter!(HEARTBEATS, "stage" => stage, "outcome" => "lost"),
        }
    }

    pub(crate) fn serve(&self, report: &Report) {
        self.policy_version.set(report.policy.acknowledged as f64);
        self.deployment_version
            .set(report.deployment.acknowledged as f64);
        self.ready.set(f64::from(u8::from(report.is_ready)));
    }

    pub(crate) fn sent(&self) {
        self.sent.increment(1);
    }

    pub(crate) fn lost(&self) {
        self.lost.increment(1);
    }
}

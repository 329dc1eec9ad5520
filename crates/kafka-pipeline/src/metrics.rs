//! The only file that names metrics.

use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

const RECORDS_CONSUMED: &str = "tidegate_pipeline_records_consumed_total";
const RECORDS_PRODUCED: &str = "tidegate_pipeline_records_produced_total";
const DEAD_LETTERS: &str = "tidegate_pipeline_dead_letters_total";
const STALE_RESULTS: &str = "tidegate_pipeline_stale_results_total";
const COMMIT_FAILURES: &str = "tidegate_pipeline_commit_failures_total";
const REBALANCES: &str = "tidegate_pipeline_rebalances_total";
const IN_FLIGHT_EVENTS: &str = "tidegate_pipeline_in_flight_events";
const IN_FLIGHT_BYTES: &str = "tidegate_pipeline_in_flight_bytes";
const OLDEST_IN_FLIGHT: &str = "tidegate_pipeline_oldest_in_flight_seconds";
const LAG: &str = "tidegate_pipeline_lag_records";
const ASSIGNED_PARTITIONS: &str = "tidegate_pipeline_assigned_partitions";
const PAUSED_PARTITIONS: &str = "tidegate_pipeline_paused_partitions";
const PRODUCE_DURATION: &str = "tidegate_pipeline_produce_duration_seconds";
const COMMIT_DURATION: &str = "tidegate_pipeline_commit_duration_seconds";
const REORDER_WAIT: &str = "tidegate_pipeline_reorder_wait_seconds";

/// Describes all metrics of this crate to the installed recorder. Call once a process, after installing it.
pub fn describe_metrics() {
    describe_counter!(
        RECORDS_CONSUMED,
        Unit::Count,
        "Records dispatched to the processor."
    );
    describe_counter!(
        RECORDS_PRODUCED,
        Unit::Count,
        "Records acknowledged by the broker."
    );
    describe_counter!(
        DEAD_LETTERS,
        Unit::Count,
        "Records sent to the dead-letter topic, by reason."
    );
    describe_counter!(
        STALE_RESULTS,
        Unit::Count,
        "Results discarded because their partition had been taken away."
    );
    describe_counter!(
        COMMIT_FAILURES,
        Unit::Count,
        "Offset commits that the broker refused."
    );
    describe_counter!(
        REBALANCES,
        Unit::Count,
        "Partitions assigned or taken away, by event."
    );
    describe_gauge!(
        IN_FLIGHT_EVENTS,
        Unit::Count,
        "Records dispatched and not yet acknowledged."
    );
    describe_gauge!(
        IN_FLIGHT_BYTES,
        Unit::Bytes,
        "Bytes of the records dispatched and not yet acknowledged."
    );
    describe_gauge!(
        OLDEST_IN_FLIGHT,
        Unit::Seconds,
        "Age of the oldest record in flight."
    );
    describe_gauge!(
        LAG,
        Unit::Count,
        "Records behind the end of the assigned partitions, by topic."
    );
    describe_gauge!(
        ASSIGNED_PARTITIONS,
        Unit::Count,
        "Partitions assigned to this process."
    );
    describe_gauge!(
        PAUSED_PARTITIONS,
        Unit::Count,
        "Assigned partitions that are paused."
    );
    describe_histogram!(
        PRODUCE_DURATION,
        Unit::Seconds,
        "From a record's turn to the acknowledgement of its outputs."
    );
    describe_histogram!(
        COMMIT_DURATION,
        Unit::Seconds,
        "Duration of synchronous commits."
    );
    describe_histogram!(
        REORDER_WAIT,
        Unit::Seconds,
        "Wait of a result for its turn."
    );
}

/// Handles of the consumer thread.
pub(crate) struct ConsumerMetrics {
    stage: &'static str,
    pub(crate) records_consumed: Counter,
    pub(crate) in_flight_events: Gauge,
    pub(crate) in_flight_bytes: Gauge,
    pub(crate) oldest_in_flight: Gauge,
    pub(crate) assigned_partitions: Gauge,
    pub(crate) paused_partitions: Gauge,
}

impl ConsumerMetrics {
    pub(crate) fn new(stage: &'static str) -> Self {
        Self {
            stage,
            records_consumed: counter!(RECORDS_CONSUMED, "stage" => stage),
            in_flight_events: gauge!(IN_FLIGHT_EVENTS, "stage" => stage),
            in_flight_bytes: gauge!(IN_FLIGHT_BYTES, "stage" => stage),
            oldest_in_flight: gauge!(OLDEST_IN_FLIGHT, "stage" => stage),
            assigned_partitions: gauge!(ASSIGNED_PARTITIONS, "stage" => stage),
            paused_partitions: gauge!(PAUSED_PARTITIONS, "stage" => stage),
        }
    }

    /// Returns the gauge of one configured input topic.
    pub(crate) fn lag(&self, topic: &str) -> Gauge {
        gauge!(LAG, "stage" => self.stage, "topic" => topic.to_owned())
    }
}

/// Handles of the rebalance callbacks.
pub(crate) struct GroupMetrics {
    pub(crate) assigned: Counter,
    pub(crate) revoked: Counter,
    pub(crate) commit_failures: Counter,
    pub(crate) commit_duration: Histogram,
}

impl GroupMetrics {
    pub(crate) fn new(stage: &'static str) -> Self {
        Self {
            assigned: counter!(REBALANCES, "stage" => stage, "event" => "assigned"),
            revoked: counter!(REBALANCES, "stage" => stage, "event" => "revoked"),
            commit_failures: counter!(COMMIT_FAILURES, "stage" => stage),
            commit_duration: histogram!(COMMIT_DURATION, "stage" => stage),
        }
    }
}

/// Handles of the emitter thread.
pub(crate) struct EmitterMetrics {
    stage: &'static str,
    pub(crate) records_produced: Counter,
    pub(crate) stale_results: Counter,
    produce_duration: Histogram,
    reorder_wait: Histogram,
}

impl EmitterMetrics {
    pub(crate) fn new(stage: &'static str) -> Self {
        Self {
            stage,
            records_produced: counter!(RECORDS_PRODUCED, "stage" => stage),
            stale_results: counter!(STALE_RESULTS, "stage" => stage),
            produce_duration: histogram!(PRODUCE_DURATION, "stage" => stage),
            reorder_wait: histogram!(REORDER_WAIT, "stage" => stage),
        }
    }

    /// Dead letters are rare, so their counter is looked up each time. Reasons come from fixed sets.
    pub(crate) fn dead_letter(&self, reason: &'static str) {
        counter!(DEAD_LETTERS, "stage" => self.stage, "reason" => reason).increment(1);
    }

    pub(crate) fn produced(&self, duration: Duration) {
        self.produce_duration.record(duration.as_secs_f64());
    }

    pub(crate) fn waited_for_turn(&self, duration: Duration) {
        self.reorder_wait.record(duration.as_secs_f64());
    }
}

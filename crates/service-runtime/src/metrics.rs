//! The metrics that every process has. The only file of this crate that names metrics.

use metrics::{describe_gauge, gauge};

use crate::process_usage::ProcessUsage;

const RESIDENT_MEMORY: &str = "tidegate_process_resident_memory_bytes";
const PEAK_RESIDENT_MEMORY: &str = "tidegate_process_peak_resident_memory_bytes";
const CPU: &str = "tidegate_process_cpu_seconds";
const START_TIME: &str = "tidegate_process_start_time_seconds";
const BUILD_INFO: &str = "tidegate_build_info";

/// Registers and sets what stays as it is for the life of the process.
pub(crate) fn describe(started_unix_seconds: f64) {
    describe_gauge!(RESIDENT_MEMORY, "Memory of this process that is in RAM.");
    describe_gauge!(
        PEAK_RESIDENT_MEMORY,
        "The most memory that this process has had in RAM."
    );
    // A gauge, because the recorder's counters are whole numbers and a whole second is too coarse for a rate.
    describe_gauge!(
        CPU,
        "CPU time that this process has used, user and system; only grows."
    );
    describe_gauge!(
        START_TIME,
        "When this process started, in seconds since the Unix epoch."
    );
    describe_gauge!(BUILD_INFO, "Always 1; the labels tell what is running.");
    gauge!(START_TIME).set(started_unix_seconds);
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION"), "arch" => std::env::consts::ARCH)
        .set(1.0);
}

/// Publishes what the process uses right now.
pub(crate) fn publish(usage: &ProcessUsage) {
    gauge!(RESIDENT_MEMORY).set(usage.resident_bytes as f64);
    gauge!(PEAK_RESIDENT_MEMORY).set(usage.peak_resident_bytes as f64);
    gauge!(CPU).set(usage.cpu.as_secs_f64());
}

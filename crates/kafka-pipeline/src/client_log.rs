//! Hands librdkafka's log lines and errors to `tracing`.

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Writes one of the library's log lines. They name brokers, topics and partitions, never a record's content.
pub(crate) fn write_log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error => {
            tracing::error!(target: "librdkafka", facility, "{message}");
        }
        RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", facility, "{message}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
            tracing::info!(target: "librdkafka", facility, "{message}");
        }
        RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
    }
}

/// Writes an error that concerns the client as a whole. Final ones are reported by whoever owns the client.
pub(crate) fn write_error(error: &KafkaError, reason: &str) {
    match error.rdkafka_error_code() {
        // Not an error: a follower asks to be told, and is told on its own way.
        Some(RDKafkaErrorCode::PartitionEOF) => {}
        // Comes with every attempt to connect, tens of times a second; why a broker cannot be reached is said besides.
        Some(RDKafkaErrorCode::AllBrokersDown) => {
            tracing::debug!(target: "librdkafka", %error, "{reason}");
        }
        _ => tracing::warn!(target: "librdkafka", %error, "{reason}"),
    }
}

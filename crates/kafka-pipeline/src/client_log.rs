//! Hands librdkafka's log lines and errors to `tracing`, without their repetitions.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Writes one of the library's log lines. They name brokers, topics and partitions, never a record's content.
pub(crate) fn write_log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    // Failures of connections come as errors too, and are written as such.
    if FACILITIES_OF_ERRORS.contains(&facility) {
        tracing::debug!(target: "librdkafka", facility, "{message}");
        return;
    }
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

/// Writes the errors that concern a client as a whole. Final ones are reported by whoever owns the client.
#[derive(Debug)]
pub(crate) struct ErrorLog {
    brokers: String,
}

impl ErrorLog {
    /// Makes the log of a client that starts from `brokers`.
    pub(crate) fn new(brokers: &str) -> Self {
        Self {
            brokers: brokers.to_owned(),
        }
    }

    /// Writes an error, unless a client of this process has written one of its kind in the last ten seconds: each client
    /// repeats it with every attempt, several times a second, and those that are stopped hand out what they kept.
    pub(crate) fn write(&self, error: &KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else {
            return self.write_now(None, error, reason);
        };
        // Not an error: a follower asks to be told, and is told on its own way.
        if code == RDKafkaErrorCode::PartitionEOF {
            return;
        }
        let is_due = RECENT
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_due(code, Instant::now());
        if is_due {
            self.write_now(Some(code), error, reason);
        } else {
            tracing::debug!(target: "librdkafka", %error, "{reason}");
        }
    }

    fn write_now(&self, code: Option<RDKafkaErrorCode>, error: &KafkaError, reason: &str) {
        let brokers = &self.brokers;
        match code {
            Some(RDKafkaErrorCode::AllBrokersDown) => {
                tracing::warn!("cannot reach any broker of kafka.brokers = {brokers:?}; trying on");
            }
            Some(RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::Resolve) => {
                tracing::warn!(reason, "cannot reach a broker; trying on");
            }
            _ => tracing::warn!(target: "librdkafka", %error, "{reason}"),
        }
    }
}

/// When an error of each kind was written last.
#[derive(Debug)]
struct Recent(Vec<(RDKafkaErrorCode, Instant)>);

impl Recent {
    /// Returns whether an error of this kind is to be written, and takes it as written if so.
    fn is_due(&mut self, code: RDKafkaErrorCode, now: Instant) -> bool {
        match self.0.iter_mut().find(|(of, _)| *of == code) {
            Some((_, last)) if now.saturating_duration_since(*last) < SILENCE => false,
            Some((_, last)) => {
                *last = now;
                true
            }
            None => {
                self.0.push((code, now));
                true
            }
        }
    }
}

/// Of the whole process, whose clients lose the same brokers at once. Not larger than there are codes.
static RECENT: Mutex<Recent> = Mutex::new(Recent(Vec::new()));

/// How long an error of a kind is not written again.
const SILENCE: Duration = Duration::from_secs(10);
const FACILITIES_OF_ERRORS: [&str; 2] = ["FAIL", "ERROR"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_error_is_written_once_in_ten_seconds() {
        use RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure};
        let start = Instant::now();
        let mut recent = Recent(Vec::new());
        let due: Vec<bool> = [
            (AllBrokersDown, 0),
            (AllBrokersDown, 0),
            (BrokerTransportFailure, 1),
            (AllBrokersDown, 9_999),
            (AllBrokersDown, 10_000),
            (BrokerTransportFailure, 10_000),
            (AllBrokersDown, 19_999),
            (AllBrokersDown, 20_000),
        ]
        .into_iter()
        .map(|(code, millis)| recent.is_due(code, start + Duration::from_millis(millis)))
        .collect();
        assert_eq!(due, [true, false, true, false, true, false, false, true]);
    }
}

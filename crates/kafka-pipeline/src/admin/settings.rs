//! A topic's settings, typed as far as anybody here asks for them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rdkafka::admin::ConfigEntry;

use super::error::AdminError;

/// A topic's settings, those that it inherits from its brokers included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSettings {
    /// What becomes of old records.
    pub cleanup: CleanupPolicy,
    /// How long records are kept; for ever if absent. Says nothing where nothing is deleted by age.
    pub retention: Option<Duration>,
    /// How many bytes of a partition are kept; all if absent.
    pub retention_bytes: Option<u64>,
    /// How large a batch of records may be, a single record included.
    pub max_message_bytes: u64,
    /// All settings by Kafka's names.
    pub values: BTreeMap<String, String>,
}

/// What becomes of old records, `cleanup.policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanupPolicy {
    /// They are deleted by age and size.
    Delete,
    /// The last one of each key stays.
    Compact,
    /// The last one of each key stays, until it is too old.
    CompactAndDelete,
    /// They stay.
    Keep,
}

impl CleanupPolicy {
    /// Tells whether earlier records of a key vanish.
    pub fn compacts(self) -> bool {
        matches!(self, Self::Compact | Self::CompactAndDelete)
    }

    /// Tells whether records vanish by age.
    pub fn deletes(self) -> bool {
        matches!(self, Self::Delete | Self::CompactAndDelete)
    }

    fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(',').map(str::trim).collect();
        let unknown = words
            .iter()
            .any(|word| !["", "compact", "delete", "none"].contains(word));
        match (words.contains(&"compact"), words.contains(&"delete")) {
            _ if unknown => None,
            (true, true) => Some(Self::CompactAndDelete),
            (true, false) => Some(Self::Compact),
            (false, true) => Some(Self::Delete),
            (false, false) => Some(Self::Keep),
        }
    }
}

impl fmt::Display for CleanupPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delete => "delete",
            Self::Compact => "compact",
            Self::CompactAndDelete => "compact,delete",
            Self::Keep => "",
        })
    }
}

impl TopicSettings {
    pub(super) fn read(topic: &str, entries: Vec<ConfigEntry>) -> Result<Self, AdminError> {
        let values = entries
            .into_iter()
            .filter_map(|entry| Some((entry.name, entry.value?)));
        Self::parse(values.collect()).map_err(|name| {
            AdminError::Invalid(format!("the brokers do not tell {name} of topic {topic}"))
        })
    }

    /// Reads settings from their values by Kafka's names.
    ///
    /// # Errors
    /// Names the setting that is absent or means nothing.
    pub fn parse(values: BTreeMap<String, String>) -> Result<Self, &'static str> {
        let number = |name: &'static str| {
            let value = values.get(name).ok_or(name)?;
            value.trim().parse::<i64>().map_err(|_| name)
        };
        let cleanup = values
            .get(CLEANUP)
            .and_then(|value| CleanupPolicy::parse(value))
            .ok_or(CLEANUP)?;
        // Kafka writes "for ever" and "all" as -1.
        let retention = u64::try_from(number(RETENTION)?).ok();
        let retention_bytes = u64::try_from(number(RETENTION_BYTES)?).ok();
        let max_message_bytes = u64::try_from(number(MAX_MESSAGE)?).map_err(|_| MAX_MESSAGE)?;
        Ok(Self {
            cleanup,
            retention: retention.map(Duration::from_millis),
            retention_bytes,
            max_message_bytes,
            values,
        })
    }
}

const CLEANUP: &str = "cleanup.policy";
const MAX_MESSAGE: &str = "max.message.bytes";
const RETENTION: &str = "retention.ms";
const RETENTION_BYTES: &str = "retention.bytes";

#[cfg(test)]
mod tests {
    use super::*;

    fn values(cleanup: &str, retention: &str) -> BTreeMap<String, String> {
        [
            (CLEANUP, cleanup),
            (RETENTION, retention),
            (RETENTION_BYTES, "-1"),
            (MAX_MESSAGE, "1048588"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    #[track_caller]
    fn check(cleanup: &str, retention: &str, expected: (CleanupPolicy, Option<u64>)) {
        let settings = TopicSettings::parse(values(cleanup, retention)).unwrap();
        let (policy, seconds) = expected;
        assert_eq!(settings.cleanup, policy);
        assert_eq!(settings.retention, seconds.map(Duration::from_secs));
    }

    #[test]
    fn values_are_read() {
        check(
            "delete",
            "604800000",
            (CleanupPolicy::Delete, Some(604_800)),
        );
        check("compact", "-1", (CleanupPolicy::Compact, None));
        let both = (CleanupPolicy::CompactAndDelete, Some(1));
        check("delete, compact", "1000", both);
        check("", "-1", (CleanupPolicy::Keep, None));
    }

    #[test]
    fn what_is_absent_or_means_nothing_is_named() {
        assert_eq!(TopicSettings::parse(values("shred", "1")), Err(CLEANUP));
        assert_eq!(TopicSettings::parse(values("delete", "?")), Err(RETENTION));
        let mut absent = values("delete", "1");
        absent.remove(MAX_MESSAGE);
        assert_eq!(TopicSettings::parse(absent), Err(MAX_MESSAGE));
    }
}

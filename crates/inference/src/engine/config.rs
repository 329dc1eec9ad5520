//! How much the engine does at once.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// More workers than this gain nothing: a process of this size is better split in two.
const MAX_AUTOMATIC_WORKERS: usize = 16;

/// Settings of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// ONNX Runtime's shared library; absent means `ORT_DYLIB_PATH`, else beside the executable.
    pub runtime_library: Option<PathBuf>,
    /// The directory below which deployments name bundles.
    pub bundle_directory: PathBuf,
    /// Threads that tokenise and infer, each with its own copy of every model.
    pub workers: Workers,
    /// Events that wait for a worker; more block whoever submits them. At least as many as the caller lets be in
    /// flight, so that a caller that must not block never does.
    pub queue_capacity: usize,
    /// Prepared texts among which batches are formed.
    pub window: usize,
    /// Most features in one batch of several texts.
    pub batch_features: u32,
    /// How long prepared texts may wait for company.
    #[serde(with = "humantime_serde")]
    pub batch_wait: Duration,
    /// How long one batch may take before its texts count as timed out.
    #[serde(with = "humantime_serde")]
    pub item_timeout: Duration,
    /// Texts whose scores are kept, counted once for each bundle; 0 keeps none.
    pub cache_entries: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            runtime_library: None,
            bundle_directory: PathBuf::from("deploy/models"),
            workers: Workers::Auto,
            queue_capacity: 8192,
            window: 256,
            batch_features: 4096,
            batch_wait: Duration::ZERO,
            item_timeout: Duration::from_secs(2),
            cache_entries: 65_536,
        }
    }
}

/// A setting that is out of its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} is {found}, allowed is {allowed}")]
pub struct InvalidSetting {
    /// The setting.
    pub key: &'static str,
    /// What it is.
    pub found: String,
    /// What it may be.
    pub allowed: &'static str,
}

impl EngineConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// Names the first setting that is out of its range.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        let in_range = |key, found: String, fits: bool, allowed| {
            if fits {
                return Ok(());
            }
            Err(InvalidSetting {
                key,
                found,
                allowed,
            })
        };
        let counts = [
            (
                "queue_capacity",
                self.queue_capacity,
                1..=1_000_000,
                "1 to 1000000",
            ),
            ("window", self.window, 1..=65_536, "1 to 65536"),
            (
                "batch_features",
                self.batch_features as usize,
                1..=10_000_000,
                "1 to 10000000",
            ),
            (
                "cache_entries",
                self.cache_entries,
                0..=100_000_000,
                "0 to 100000000",
            ),
        ];
        for (key, found, range, allowed) in counts {
            in_range(key, found.to_string(), range.contains(&found), allowed)?;
        }
        let (wait, timeout) = (self.batch_wait, self.item_timeout);
        let longest_wait = Duration::from_secs(1);
        in_range(
            "batch_wait",
            format!("{wait:?}"),
            wait <= longest_wait,
            "0s to 1s",
        )?;
        let timeout_fits = (Duration::from_millis(1)..=Duration::from_secs(60)).contains(&timeout);
        in_range(
            "item_timeout",
            format!("{timeout:?}"),
            timeout_fits,
            "1ms to 60s",
        )
    }
}

/// A number of worker threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workers {
    /// What the machine or its container has, 16 at most.
    Auto,
    /// This many.
    Count(NonZeroUsize),
}

impl Workers {
    /// Returns the number of threads.
    pub fn count(self) -> usize {
        match self {
            Self::Count(count) => count.get(),
            Self::Auto => std::thread::available_parallelism()
                .map_or(1, NonZeroUsize::get)
                .min(MAX_AUTOMATIC_WORKERS),
        }
    }
}

impl Serialize for Workers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Count(count) => serializer.serialize_u64(count.get() as u64),
        }
    }
}

impl<'de> Deserialize<'de> for Workers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Count(u64),
            Word(String),
        }
        let expected = || serde::de::Error::custom("workers must be \"auto\" or 1 to 256");
        match Written::deserialize(deserializer).map_err(|_| expected())? {
            Written::Word(word) if word == "auto" => Ok(Self::Auto),
            Written::Count(count @ 1..=256) => NonZeroUsize::new(count as usize)
                .map(Self::Count)
                .ok_or_else(expected),
            _ => Err(expected()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_a_word_or_a_number() {
        let check = |written: &str, expected: Option<Workers>| {
            let parsed = toml::from_str::<EngineConfig>(&format!("workers = {written}"));
            assert_eq!(
                parsed.ok().map(|config| config.workers),
                expected,
                "{written}"
            );
        };
        check("\"auto\"", Some(Workers::Auto));
        check("3", Some(Workers::Count(NonZeroUsize::new(3).unwrap())));
        check("0", None);
        check("257", None);
        check("\"many\"", None);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        assert_eq!(EngineConfig::default().validate(), Ok(()));
        let check = |change: fn(&mut EngineConfig), key: &str| {
            let mut config = EngineConfig::default();
            change(&mut config);
            assert_eq!(config.validate().unwrap_err().key, key);
        };
        check(|config| config.queue_capacity = 0, "queue_capacity");
        check(|config| config.window = 0, "window");
        check(|config| config.batch_features = 0, "batch_features");
        check(|config| config.cache_entries = usize::MAX, "cache_entries");
        check(
            |config| config.batch_wait = Duration::from_secs(2),
            "batch_wait",
        );
        check(
            |config| config.item_timeout = Duration::ZERO,
            "item_timeout",
        );
    }
}

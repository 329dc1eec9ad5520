//! Options that say which broker the demo runs on.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;

use kafka_pipeline::KafkaOptions;
use serde::Deserialize;
use service_runtime::{InvalidValue, ServiceConfig, config};

use super::broker::BrokerChoice;

/// Which broker, and which topics on it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Target {
    /// Run on this Kafka instead of a broker in this process, with topics of the demo's own, deleted at the end.
    #[arg(long, value_name = "HOST:PORT,…")]
    brokers: Option<String>,
    /// Reach Kafka as the `kafka` table of this TOML file says (TLS, SASL, client settings); a stage's file will do.
    #[arg(long, value_name = "FILE")]
    kafka: Option<PathBuf>,
    /// What the names of the demo's topics and groups on Kafka begin with [default: tidegate-demo- and a random number].
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    topic_prefix: Option<String>,
    /// Partitions of each topic that may have several.
    #[arg(long, value_name = "N", default_value_t = PARTITIONS, value_parser = clap::value_parser!(u16).range(1..=1000))]
    partitions: u16,
}

/// A file that has the `[kafka]` table of a stage; what else it holds is of no interest.
#[derive(Debug, Deserialize)]
struct KafkaFile {
    kafka: KafkaOptions,
}

impl ServiceConfig for KafkaFile {
    fn validate(&self) -> Result<(), InvalidValue> {
        self.kafka
            .validate()
            .map_err(|setting| InvalidValue::new(setting.key, setting.value, setting.allowed))
    }
}

impl Target {
    /// Makes the choice.
    ///
    /// # Errors
    /// Names what is wrong with the file.
    pub(crate) fn choice(&self) -> anyhow::Result<BrokerChoice> {
        let partitions = self.partitions;
        let mut kafka = match &self.kafka {
            Some(path) => Some(config::load::<KafkaFile>(path)?.kafka),
            None => None,
        };
        if let Some(brokers) = &self.brokers {
            kafka
                .get_or_insert_with(KafkaOptions::default)
                .brokers
                .clone_from(brokers);
        }
        match (kafka, &self.topic_prefix) {
            (Some(kafka), prefix) => Ok(BrokerChoice::Kafka {
                kafka,
                topic_prefix: prefix.clone().unwrap_or_else(fresh_prefix),
                partitions,
            }),
            (None, Some(_)) => {
                anyhow::bail!("--topic-prefix names topics on Kafka; add --brokers or --kafka")
            }
            (None, None) => Ok(BrokerChoice::Within { partitions }),
        }
    }
}

/// Returns a prefix that no other demo has: the standard library seeds its hashers at random.
fn fresh_prefix() -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("tidegate-demo-{:08x}", random & u64::from(u32::MAX))
}

/// Partitions of a topic; more would cost memory and no test of ours gains by it.
const PARTITIONS: u16 = 8;

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        target: Target,
    }

    fn choice(arguments: &[&str]) -> anyhow::Result<BrokerChoice> {
        let line = std::iter::once("demo").chain(arguments.iter().copied());
        Line::try_parse_from(line)?.target.choice()
    }

    #[test]
    fn without_brokers_it_is_in_this_process() {
        let within = choice(&["--partitions", "3"]).unwrap();
        assert!(matches!(within, BrokerChoice::Within { partitions: 3 }));
        let error = choice(&["--topic-prefix", "a"]).unwrap_err().to_string();
        assert!(error.contains("--brokers"), "{error}");
    }

    #[test]
    fn brokers_are_named_by_a_file_an_option_or_both() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text =
            "colour = 1\n[kafka]\nbrokers = \"a:1\"\n[kafka.client]\n\"client.id\" = \"x\"\n";
        std::fs::write(file.path(), text).unwrap();
        let path = file.path().to_str().unwrap();
        let arguments = ["--kafka", path, "--brokers", "b:2", "--topic-prefix", "own"];
        let Ok(BrokerChoice::Kafka {
            kafka,
            topic_prefix,
            ..
        }) = choice(&arguments)
        else {
            panic!("it is on Kafka");
        };
        assert_eq!(
            (kafka.brokers.as_str(), topic_prefix.as_str()),
            ("b:2", "own")
        );
        assert_eq!(kafka.client["client.id"], "x");
    }

    #[test]
    fn every_demo_has_topics_of_its_own() {
        assert_ne!(fresh_prefix(), fresh_prefix());
    }
}

//! The file that says what the topics of an installation should be.

use std::collections::BTreeMap;
use std::time::Duration;

use bytesize::ByteSize;
use control_state::{TopicProblem, topic_problems};
use kafka_pipeline::{
    Described, Descriptions, KafkaOptions, NewTopic, TopicDescription, TopicSettings,
};
use moderation_wire::{TopicMinimum, Topics};
use serde::Deserialize;
use service_runtime::{InvalidValue, ServiceConfig};

/// The topics of an installation. `deploy/config/topics.toml` is a commented sample.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopicsFile {
    /// How to reach the brokers.
    pub(crate) kafka: KafkaOptions,
    /// What all topic names begin with.
    #[serde(default = "Topics::default_prefix")]
    topic_prefix: String,
    /// On how many brokers each record lies.
    replication_factor: u16,
    /// How many of them must have a record before it counts as written; the brokers' own setting if absent.
    min_insync_replicas: Option<u16>,
    /// Every topic by its name without the prefix.
    topic: Plans,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Plans {
    content: Plan,
    content_urgent: Plan,
    scores: Plan,
    decisions: Plan,
    actions: Plan,
    review: Plan,
    dead_letter: Plan,
    control: Plan,
    audit: Plan,
    replicas: Plan,
}

/// What one topic should be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    partitions: u16,
    cleanup: Cleanup,
    retention: Retention,
    max_message_bytes: ByteSize,
    segment_bytes: Option<ByteSize>,
    #[serde(default, with = "humantime_serde")]
    segment_age: Option<Duration>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Cleanup {
    Delete,
    Compact,
}

/// How long records are kept: a duration, or `forever`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Retention(Option<Duration>);

impl TryFrom<String> for Retention {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "forever" {
            return Ok(Self(None));
        }
        let duration = humantime::parse_duration(&text);
        duration.map(|kept| Self(Some(kept))).map_err(|error| {
            format!("expected a duration such as \"7days\", or \"forever\" ({error})")
        })
    }
}

impl Plan {
    /// Returns Kafka's settings.
    fn settings(&self) -> BTreeMap<String, String> {
        let cleanup = match self.cleanup {
            Cleanup::Delete => "delete",
            Cleanup::Compact => "compact",
        };
        let forever = || "-1".to_owned();
        let retention = self.retention.0;
        let mut settings = BTreeMap::new();
        let mut set = |name: &str, value: String| settings.insert(name.to_owned(), value);
        set("cleanup.policy", cleanup.to_owned());
        set(
            "retention.ms",
            retention.map_or_else(forever, |kept| kept.as_millis().to_string()),
        );
        set(
            "max.message.bytes",
            self.max_message_bytes.as_u64().to_string(),
        );
        if retention.is_none() {
            // A broker's own limit in bytes would delete what is to stay.
            set("retention.bytes", forever());
        }
        if let Some(bytes) = self.segment_bytes {
            set("segment.bytes", bytes.as_u64().to_string());
        }
        if let Some(age) = self.segment_age {
            set("segment.ms", age.as_millis().to_string());
        }
        settings
    }
}

impl TopicsFile {
    /// Returns what the file says of each topic.
    pub(crate) fn new_topics(&self) -> Vec<NewTopic> {
        let planned = self.planned(&Topics::new(&self.topic_prefix));
        let new = planned.into_iter().map(|(name, _, plan)| {
            let mut settings = plan.settings();
            if let Some(replicas) = self.min_insync_replicas {
                settings.insert("min.insync.replicas".to_owned(), replicas.to_string());
            }
            NewTopic {
                name,
                partitions: plan.partitions,
                replication: self.replication_factor,
                settings,
            }
        });
        new.collect()
    }

    /// Returns on how many brokers each record lies.
    pub(crate) fn replication_factor(&self) -> u16 {
        self.replication_factor
    }

    /// Takes another number of replicas, and with it what follows for how many must have a record.
    pub(crate) fn set_replication_factor(&mut self, factor: u16) {
        self.replication_factor = factor;
        self.min_insync_replicas = self.min_insync_replicas.map(|least| least.min(factor));
    }

    /// Returns each topic's name, its key in the file, and its plan.
    fn planned(&self, topics: &Topics) -> [(String, &'static str, &Plan); 10] {
        let plans = &self.topic;
        [
            (&topics.content, "content", &plans.content),
            (
                &topics.content_urgent,
                "content-urgent",
                &plans.content_urgent,
            ),
            (&topics.scores, "scores", &plans.scores),
            (&topics.decisions, "decisions", &plans.decisions),
            (&topics.actions, "actions", &plans.actions),
            (&topics.review, "review", &plans.review),
            (&topics.dead_letter, "dead-letter", &plans.dead_letter),
            (&topics.control, "control", &plans.control),
            (&topics.audit, "audit", &plans.audit),
            (&topics.replicas, "replicas", &plans.replicas),
        ]
        .map(|(name, key, plan)| (name.clone(), key, plan))
    }

    /// A topic as planned must be what its records need: the check of the stages, on a description made of the plan.
    fn check_against_requirements(&self) -> Result<(), InvalidValue> {
        let topics = Topics::new(&self.topic_prefix);
        let planned = self.planned(&topics);
        let mut descriptions = Descriptions::default();
        for (name, _, plan) in &planned {
            let mut settings = plan.settings();
            settings
                .entry("retention.bytes".to_owned())
                .or_insert_with(|| "-1".to_owned());
            let settings = TopicSettings::parse(settings)
                .map_err(|setting| InvalidValue::new(setting, "absent", "a value"))?;
            descriptions.found.push(TopicDescription {
                name: name.clone(),
                partitions: plan.partitions.into(),
                replication: self.replication_factor.into(),
                settings: Described::Known(settings),
            });
        }
        let minimum = TopicMinimum {
            partitions: 1,
            retention: Duration::ZERO,
        };
        let problems = topic_problems(&descriptions, &topics.requirements(minimum));
        let Some(TopicProblem::Wrong {
            topic,
            setting,
            value,
            needed,
            ..
        }) = problems.into_iter().next()
        else {
            return Ok(());
        };
        let key = planned.iter().find(|(name, ..)| *name == topic);
        let (key, setting) = (key.map_or("", |(_, key, _)| key), key_of(&setting));
        Err(InvalidValue::new(
            format!("topic.{key}.{setting}"),
            value,
            needed,
        ))
    }
}

/// Returns the file's key for one of Kafka's settings.
fn key_of(setting: &str) -> &str {
    match setting {
        "cleanup.policy" => "cleanup",
        "max.message.bytes" => "max_message_bytes",
        "retention.ms" | "retention.bytes" => "retention",
        other => other,
    }
}

impl ServiceConfig for TopicsFile {
    fn validate(&self) -> Result<(), InvalidValue> {
        self.kafka
            .validate()
            .map_err(|setting| InvalidValue::new(setting.key, setting.value, setting.allowed))?;
        if self.topic_prefix.is_empty() {
            let allowed = "a name such as \"tidegate\"";
            return Err(InvalidValue::new("topic_prefix", "\"\"", allowed));
        }
        let factor = self.replication_factor;
        if factor == 0 {
            return Err(InvalidValue::new("replication_factor", 0, "1 or more"));
        }
        if let Some(least) = self.min_insync_replicas
            && !(1..=factor).contains(&least)
        {
            let allowed = format!("1 to replication_factor, which is {factor}");
            return Err(InvalidValue::new("min_insync_replicas", least, allowed));
        }
        self.check_against_requirements()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use service_runtime::config;

    use super::*;

    const SAMPLE: &str = include_str!("../../../../../deploy/config/topics.toml");

    #[track_caller]
    fn check(from: &str, to: &str, expected: &str) {
        assert!(SAMPLE.contains(from), "the sample lacks {from}");
        let text = SAMPLE.replacen(from, to, 1);
        let error = config::parse::<TopicsFile>(Path::new("t.toml"), &text).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }

    #[test]
    fn the_sample_is_what_records_need() {
        let file: TopicsFile = config::parse(Path::new("t.toml"), SAMPLE).unwrap();
        let topics = file.new_topics();
        assert_eq!(topics.len(), 10);
        let control = topics.iter().find(|topic| topic.name == "tidegate.control");
        let settings = &control.unwrap().settings;
        assert_eq!(settings["cleanup.policy"], "compact");
        assert_eq!(settings["segment.ms"], "86400000");
        assert_eq!(settings["min.insync.replicas"], "2");
    }

    #[test]
    fn fewer_replicas_need_fewer_in_step() {
        let mut file: TopicsFile = config::parse(Path::new("t.toml"), SAMPLE).unwrap();
        file.set_replication_factor(1);
        for topic in file.new_topics() {
            assert_eq!(topic.replication, 1);
            assert_eq!(topic.settings["min.insync.replicas"], "1");
        }
    }

    #[test]
    fn what_records_cannot_bear_is_named_by_its_key() {
        check(
            "partitions = 1\n",
            "partitions = 2\n",
            "topic.control.partitions = 2 cannot be used: expected 1, for the order",
        );
        check(
            "cleanup = \"compact\"",
            "cleanup = \"delete\"",
            "topic.control.cleanup = delete cannot be used: expected compact alone",
        );
        check(
            "max_message_bytes = \"1MiB\"",
            "max_message_bytes = \"2MiB\"",
            "topic.dead-letter.max_message_bytes = 2097152 cannot be used: expected at least 2162688",
        );
        check(
            "retention = \"7days\"",
            "retention = \"long\"",
            "expected a duration such as \"7days\", or \"forever\"",
        );
        check(
            "min_insync_replicas = 2",
            "min_insync_replicas = 4",
            "min_insync_replicas = 4 cannot be used: expected 1 to replication_factor, which is 3",
        );
    }
}

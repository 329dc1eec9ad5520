//! How topics differ from what they must be, and the way out. Pure: the brokers' answer is an argument.

use kafka_pipeline::{Described, Descriptions, TopicDescription, TopicSettings};
use moderation_wire::{CleanupRule, HEADER_ROOM, PartitionRule, RetentionRule, TopicRequirement};

/// Something about a topic that is not as it must be. Displays as one line with the way out.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum TopicProblem {
    /// There is no such topic, or this client may not know of it.
    #[error(
        "topic {topic} is missing; make it with `tidegate topics apply --config deploy/config/topics.toml`"
    )]
    Missing {
        /// The topic.
        topic: String,
    },
    /// A setting has the wrong value.
    #[error("topic {topic}: {setting} is {value}, must be {needed}; {remedy}")]
    Wrong {
        /// The topic.
        topic: String,
        /// Kafka's name of the setting; `partitions` and `replication` are settings too.
        setting: String,
        /// What it is.
        value: String,
        /// What it must be.
        needed: String,
        /// What to do.
        remedy: String,
    },
}

impl TopicProblem {
    /// Returns the topic.
    pub fn topic(&self) -> &str {
        match self {
            Self::Missing { topic } | Self::Wrong { topic, .. } => topic,
        }
    }

    /// Makes the problem of a setting that one command puts right.
    pub fn of_setting(topic: &str, setting: &str, is: &str, needed: String, set: &str) -> Self {
        Self::Wrong {
            topic: topic.to_owned(),
            setting: setting.to_owned(),
            value: is.to_owned(),
            needed,
            remedy: format!(
                "`kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config {setting}={set}`"
            ),
        }
    }
}

/// Compares what the brokers say with what must be. What they do not say is passed over.
pub fn topic_problems(
    descriptions: &Descriptions,
    requirements: &[TopicRequirement],
) -> Vec<TopicProblem> {
    let mut problems = Vec::new();
    for requirement in requirements {
        let topic = &requirement.topic;
        if descriptions.missing.contains(topic) {
            let topic = topic.clone();
            problems.push(TopicProblem::Missing { topic });
        }
        let Some(description) = find(descriptions, topic) else {
            continue;
        };
        problems.extend(wrong_partitions(description, requirement.partitions));
        if let Described::Known(settings) = &description.settings {
            problems.extend(wrong_cleanup(topic, settings, requirement.cleanup));
            problems.extend(wrong_retention(topic, settings, requirement.retention));
            problems.extend(too_small(descriptions, requirement, settings));
        }
    }
    problems
}

fn find<'a>(descriptions: &'a Descriptions, topic: &str) -> Option<&'a TopicDescription> {
    descriptions.found.iter().find(|found| found.name == topic)
}

fn wrong_partitions(description: &TopicDescription, rule: PartitionRule) -> Option<TopicProblem> {
    let (topic, partitions) = (&description.name, description.partitions);
    let (needed, remedy) = match rule {
        PartitionRule::One if partitions != 1 => (
            "1, for the order of its records is the order of what happened".to_owned(),
            "partitions cannot be taken away, so delete the topic and make it again with `tidegate topics apply`"
                .to_owned(),
        ),
        PartitionRule::AtLeast(least) if partitions < least => (
            format!("at least {least} (topics.min_partitions)"),
            format!(
                "`kafka-topics.sh --alter --topic {topic} --partitions {least}` while nothing is on its way, for keys move"
            ),
        ),
        PartitionRule::One | PartitionRule::AtLeast(_) => return None,
    };
    Some(TopicProblem::Wrong {
        topic: topic.clone(),
        setting: "partitions".to_owned(),
        value: partitions.to_string(),
        needed,
        remedy,
    })
}

fn wrong_cleanup(topic: &str, settings: &TopicSettings, rule: CleanupRule) -> Option<TopicProblem> {
    let cleanup = settings.cleanup;
    let (needed, value) = match rule {
        CleanupRule::Compacted if !cleanup.compacts() || cleanup.deletes() => {
            ("compact alone, or what serves is forgotten", "compact")
        }
        CleanupRule::NotCompacted if cleanup.compacts() => (
            "delete, or a later record of a key takes the earlier ones away",
            "delete",
        ),
        CleanupRule::Compacted | CleanupRule::NotCompacted | CleanupRule::Any => return None,
    };
    let is = cleanup.to_string();
    let problem = TopicProblem::of_setting(topic, CLEANUP, &is, needed.to_owned(), value);
    Some(problem)
}

fn wrong_retention(
    topic: &str,
    settings: &TopicSettings,
    rule: RetentionRule,
) -> Option<TopicProblem> {
    if !settings.cleanup.deletes() {
        return None;
    }
    let kept = settings.retention.map(|kept| kept.as_millis());
    match rule {
        RetentionRule::ForEver => {
            let bytes = settings
                .retention_bytes
                .map(|bytes| (RETENTION_BYTES, bytes.into()));
            let limit = kept.map(|kept| (RETENTION, kept)).or(bytes);
            limit.map(|(setting, value)| {
                let needed = "-1, which is for ever".to_owned();
                TopicProblem::of_setting(topic, setting, &value.to_string(), needed, "-1")
            })
        }
        RetentionRule::AtLeast(least) => {
            let least = least.as_millis();
            kept.filter(|kept| *kept < least).map(|kept| {
                let needed = format!("at least {least} (topics.min_retention)");
                TopicProblem::of_setting(
                    topic,
                    RETENTION,
                    &kept.to_string(),
                    needed,
                    &least.to_string(),
                )
            })
        }
        RetentionRule::Any => None,
    }
}

/// Compares with the topic that takes the largest records, where its settings are known.
fn too_small(
    descriptions: &Descriptions,
    requirement: &TopicRequirement,
    settings: &TopicSettings,
) -> Option<TopicProblem> {
    let sources = requirement.takes_records_of.iter();
    let largest = sources.filter_map(|topic| match &find(descriptions, topic)?.settings {
        Described::Known(of) => Some((of.max_message_bytes, topic)),
        Described::Unsupported | Described::NotPermitted => None,
    });
    let (most, of) = largest.max()?;
    let least = most.saturating_add(HEADER_ROOM);
    let takes = settings.max_message_bytes;
    (takes < least).then(|| {
        let needed =
            format!("at least {least}, for a record of {of} with the headers of a dead letter");
        let (is, set) = (takes.to_string(), least.to_string());
        TopicProblem::of_setting(&requirement.topic, MAX_MESSAGE, &is, needed, &set)
    })
}

const CLEANUP: &str = "cleanup.policy";
const MAX_MESSAGE: &str = "max.message.bytes";
const RETENTION: &str = "retention.ms";
const RETENTION_BYTES: &str = "retention.bytes";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use moderation_wire::{TopicMinimum, Topics};

    use super::*;

    /// Describes a topic as `partitions cleanup retention.ms max.message.bytes`, or as `?` settings.
    fn described(name: &str, text: &str) -> TopicDescription {
        let words: Vec<&str> = text.split(' ').collect();
        let settings = match words[1..] {
            ["?"] => Described::NotPermitted,
            [cleanup, retention, most] => {
                let values = [
                    ("cleanup.policy", cleanup),
                    ("retention.ms", retention),
                    ("retention.bytes", "-1"),
                    ("max.message.bytes", most),
                ];
                let owned = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
                Described::Known(TopicSettings::parse(owned.into()).unwrap())
            }
            _ => unreachable!("{text}"),
        };
        TopicDescription {
            name: name.to_owned(),
            partitions: words[0].parse().unwrap(),
            replication: 1,
            settings,
        }
    }

    /// Compares topics, written as above behind their names, with what they must be; `is not` stands for one that is
    /// missing.
    #[track_caller]
    fn check(topics: &[(&str, &str)], expected: &[&str]) {
        let mut descriptions = Descriptions::default();
        for (name, text) in topics {
            match *text {
                "is not" => descriptions.missing.push((*name).to_owned()),
                text => descriptions.found.push(described(name, text)),
            }
        }
        let minimum = TopicMinimum {
            partitions: 4,
            retention: Duration::from_secs(3600),
        };
        let requirements = Topics::new("t").requirements(minimum);
        let problems = topic_problems(&descriptions, &requirements);
        let shown: Vec<String> = problems.iter().map(TopicProblem::to_string).collect();
        assert_eq!(shown.len(), expected.len(), "{shown:#?}");
        for (problem, words) in shown.iter().zip(expected) {
            assert!(problem.contains(words), "{problem} lacks {words}");
        }
    }

    #[test]
    fn what_is_as_it_must_be_is_no_problem() {
        check(
            &[
                ("t.content", "4 delete 3600000 1000000"),
                ("t.dead-letter", "9 delete -1 1065536"),
                ("t.decisions", "4 delete 1 1"),
                ("t.control", "1 compact 1 1"),
                ("t.audit", "1 delete -1 1"),
                ("t.replicas", "1 compact 1 1"),
                ("another", "3 compact 1 1"),
            ],
            &[],
        );
    }

    #[test]
    fn missing_topics_are_made() {
        check(
            &[("t.scores", "is not"), ("another", "is not")],
            &["topic t.scores is missing; make it with `tidegate topics apply"],
        );
    }

    #[test]
    fn partitions_are_one_or_enough() {
        check(
            &[("t.control", "3 ?"), ("t.content", "3 ?")],
            &[
                "topic t.content: partitions is 3, must be at least 4 (topics.min_partitions); `kafka-topics.sh",
                "topic t.control: partitions is 3, must be 1, for the order of its records is the order of what happened; \
                 partitions cannot be taken away, so delete",
            ],
        );
    }

    #[test]
    fn compaction_is_where_it_belongs() {
        let advice = "--entity-name t.control --add-config cleanup.policy=compact`";
        check(&[("t.control", "1 delete -1 1")], &[advice]);
        check(&[("t.control", "1 compact,delete -1 1")], &[advice]);
        check(
            &[
                ("t.decisions", "4 compact -1 1"),
                ("t.audit", "1 compact -1 1"),
            ],
            &[
                "topic t.decisions: cleanup.policy is compact, must be delete",
                "topic t.audit: cleanup.policy is compact, must be delete",
            ],
        );
    }

    #[test]
    fn records_stay_long_enough() {
        check(
            &[
                ("t.scores", "4 delete 600000 1"),
                ("t.content", "4 delete -1 1"),
                ("t.audit", "1 delete 604800000 1"),
            ],
            &[
                "topic t.scores: retention.ms is 600000, must be at least 3600000 (topics.min_retention); \
                 `kafka-configs.sh --alter --entity-type topics --entity-name t.scores --add-config retention.ms=3600000`",
                "t.audit --add-config retention.ms=-1",
            ],
        );
    }

    #[test]
    fn dead_letters_hold_the_largest_record() {
        check(
            &[
                ("t.content", "4 delete -1 1000000"),
                ("t.content-urgent", "4 delete -1 2000000"),
                ("t.scores", "4 ?"),
                ("t.dead-letter", "4 delete -1 2000000"),
            ],
            &[
                "max.message.bytes is 2000000, must be at least 2065536, for a record of t.content-urgent with",
            ],
        );
    }
}

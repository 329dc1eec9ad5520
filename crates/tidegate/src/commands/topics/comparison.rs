//! How a topic differs from what a file says of it. Pure: the brokers' answer is an argument.

use control_state::TopicProblem;
use kafka_pipeline::{Described, NewTopic, TopicDescription};

/// Names each difference, and the command that takes it away.
pub(super) fn differences(
    planned: &NewTopic,
    is: &TopicDescription,
    file: &str,
) -> Vec<TopicProblem> {
    let said = |value: &dyn std::fmt::Display| format!("{value}, as {file} says");
    let topic = &planned.name;
    let mut problems = Vec::new();
    let partitions = usize::from(planned.partitions);
    if is.partitions != partitions {
        let remedy = if is.partitions < partitions {
            format!(
                "`kafka-topics.sh --alter --topic {topic} --partitions {partitions}` while nothing is on its way, for keys move"
            )
        } else {
            "partitions cannot be taken away, so change the file, or delete the topic and apply again"
                .to_owned()
        };
        problems.push(TopicProblem::Wrong {
            topic: topic.clone(),
            setting: "partitions".to_owned(),
            value: is.partitions.to_string(),
            needed: said(&partitions),
            remedy,
        });
    }
    let replication = usize::from(planned.replication);
    if is.replication != replication {
        problems.push(TopicProblem::Wrong {
            topic: topic.clone(),
            setting: "replication".to_owned(),
            value: is.replication.to_string(),
            needed: said(&replication),
            remedy: "`kafka-reassign-partitions.sh` puts replicas elsewhere; or change replication_factor of the file"
                .to_owned(),
        });
    }
    match &is.settings {
        Described::Known(settings) => {
            for (name, value) in &planned.settings {
                let is = settings.values.get(name).map_or("unknown", String::as_str);
                if is != value {
                    let needed = said(value);
                    problems.push(TopicProblem::of_setting(topic, name, is, needed, value));
                }
            }
        }
        Described::NotPermitted | Described::Unsupported => problems.push(TopicProblem::Wrong {
            topic: topic.clone(),
            setting: "settings".to_owned(),
            value: "not to be seen".to_owned(),
            needed: format!("those that {file} says"),
            remedy: "allow this client the operation DescribeConfigs on the topic".to_owned(),
        }),
    }
    problems
}

#[cfg(test)]
mod tests {
    use kafka_pipeline::TopicSettings;

    use super::*;

    fn values(retention: &str) -> [(String, String); 4] {
        [
            ("cleanup.policy", "delete"),
            ("max.message.bytes", "1048576"),
            ("retention.bytes", "-1"),
            ("retention.ms", retention),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    }

    #[track_caller]
    fn check(partitions: usize, replication: usize, retention: &str, expected: &[&str]) {
        let planned = NewTopic {
            name: "t".to_owned(),
            partitions: 4,
            replication: 3,
            settings: values("-1").into(),
        };
        let is = TopicDescription {
            name: "t".to_owned(),
            partitions,
            replication,
            settings: Described::Known(TopicSettings::parse(values(retention).into()).unwrap()),
        };
        let shown: Vec<String> = differences(&planned, &is, "f.toml")
            .iter()
            .map(TopicProblem::to_string)
            .collect();
        assert_eq!(shown.len(), expected.len(), "{shown:#?}");
        for (line, words) in shown.iter().zip(expected) {
            assert!(
                line.starts_with(words),
                "{line} does not start with {words}"
            );
        }
    }

    #[test]
    fn each_difference_is_named_with_its_remedy() {
        check(4, 3, "-1", &[]);
        check(
            2,
            3,
            "-1",
            &[
                "topic t: partitions is 2, must be 4, as f.toml says; `kafka-topics.sh --alter --topic t --partitions 4`",
            ],
        );
        check(
            5,
            3,
            "-1",
            &[
                "topic t: partitions is 5, must be 4, as f.toml says; partitions cannot be taken away",
            ],
        );
        check(
            4,
            1,
            "1000",
            &[
                "topic t: replication is 1, must be 3, as f.toml says; ",
                "topic t: retention.ms is 1000, must be -1, as f.toml says; `kafka-configs.sh --alter --entity-type topics \
                 --entity-name t --add-config retention.ms=-1`",
            ],
        );
    }
}

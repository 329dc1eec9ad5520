//! What topics the demo makes for itself: just what their records need.

use std::collections::BTreeMap;

use moderation_wire::{
    CleanupRule, HEADER_ROOM, PartitionRule, RetentionRule, TopicMinimum, Topics,
};

use kafka_pipeline::NewTopic;

/// Returns topics that are as they must be, and no more than that.
pub(crate) fn new_topics(
    topics: &Topics,
    minimum: TopicMinimum,
    replication: u16,
) -> Vec<NewTopic> {
    let requirements = topics.requirements(minimum).into_iter();
    let new = requirements.map(|requirement| {
        let mut settings = BTreeMap::new();
        let mut set = |name: &str, value: String| settings.insert(name.to_owned(), value);
        let cleanup = match requirement.cleanup {
            CleanupRule::Compacted => "compact",
            CleanupRule::NotCompacted | CleanupRule::Any => "delete",
        };
        set("cleanup.policy", cleanup.to_owned());
        let retention = match requirement.retention {
            RetentionRule::ForEver => "-1".to_owned(),
            RetentionRule::AtLeast(least) => least.as_millis().to_string(),
            RetentionRule::Any => minimum.retention.as_millis().to_string(),
        };
        set("retention.ms", retention);
        let room = match requirement.takes_records_of.as_slice() {
            [] => 0,
            _ => HEADER_ROOM,
        };
        set("max.message.bytes", (LARGEST_RECORD + room).to_string());
        let partitions = match requirement.partitions {
            PartitionRule::One => 1,
            PartitionRule::AtLeast(least) => u16::try_from(least).unwrap_or(u16::MAX),
        };
        NewTopic {
            name: requirement.topic,
            partitions,
            replication,
            settings,
        }
    });
    new.collect()
}

/// Kafka's own default.
const LARGEST_RECORD: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use control_state::topic_problems;
    use kafka_pipeline::{Described, Descriptions, TopicDescription, TopicSettings};

    use super::*;

    #[test]
    fn they_are_what_a_stage_looks_for() {
        let (topics, minimum) = (
            Topics::new("own"),
            TopicMinimum {
                partitions: 3,
                retention: Duration::from_secs(60),
            },
        );
        let mut made = Descriptions::default();
        for topic in new_topics(&topics, minimum, 1) {
            let mut settings = topic.settings;
            settings.insert("retention.bytes".to_owned(), "-1".to_owned());
            made.found.push(TopicDescription {
                name: topic.name,
                partitions: topic.partitions.into(),
                replication: 1,
                settings: Described::Known(TopicSettings::parse(settings).unwrap()),
            });
        }
        assert_eq!(made.found.len(), 10);
        assert_eq!(topic_problems(&made, &topics.requirements(minimum)), []);
    }
}

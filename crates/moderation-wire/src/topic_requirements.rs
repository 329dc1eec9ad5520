//! What topics must be for the records in them to mean what they say.

use std::time::Duration;

use crate::topics::Topics;

/// What a topic must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRequirement {
    /// The topic.
    pub topic: String,
    /// Into how many partitions it is divided.
    pub partitions: PartitionRule,
    /// What may become of its old records.
    pub cleanup: CleanupRule,
    /// How long its records stay.
    pub retention: RetentionRule,
    /// Topics whose largest record this one must take, with [`HEADER_ROOM`] besides.
    pub takes_records_of: Vec<String>,
}

/// How many partitions a topic must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionRule {
    /// One, for the order of its records is the order of events.
    One,
    /// At least so many: no more replicas of a stage than partitions work.
    AtLeast(usize),
}

/// What may become of a topic's old records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CleanupRule {
    /// The last record of each key stays for ever, and earlier ones need not.
    Compacted,
    /// Records of one key stand for themselves, so none may vanish for the sake of a later one.
    NotCompacted,
    /// Anything.
    Any,
}

/// How long a topic's records must stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionRule {
    /// For ever, however many they are.
    ForEver,
    /// At least so long, so that a stage that was down finds what it has not read.
    AtLeast(Duration),
    /// Anything.
    Any,
}

/// What an installation asks of its topics beyond what their records ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicMinimum {
    /// Partitions of each topic that has not exactly one.
    pub partitions: usize,
    /// How long what a stage reads is kept.
    pub retention: Duration,
}

/// How much longer a dead letter is than the record that it holds: its headers say where that came from and what is wrong.
pub const HEADER_ROOM: u64 = 64 * 1024;

impl Topics {
    /// Says what each topic must be that any stage of today reads or writes.
    pub fn requirements(&self, minimum: TopicMinimum) -> Vec<TopicRequirement> {
        let spread = |topic: &String| TopicRequirement {
            topic: topic.clone(),
            partitions: PartitionRule::AtLeast(minimum.partitions),
            cleanup: CleanupRule::NotCompacted,
            retention: RetentionRule::Any,
            takes_records_of: Vec::new(),
        };
        let input = |topic| TopicRequirement {
            retention: RetentionRule::AtLeast(minimum.retention),
            ..spread(topic)
        };
        let single = |topic, cleanup, retention| TopicRequirement {
            partitions: PartitionRule::One,
            cleanup,
            retention,
            ..spread(topic)
        };
        let inputs = [&self.content, &self.content_urgent, &self.scores];
        let dead_letter = TopicRequirement {
            takes_records_of: inputs.map(String::clone).to_vec(),
            ..spread(&self.dead_letter)
        };
        let mut requirements = inputs.map(input).to_vec();
        requirements.extend([&self.decisions, &self.actions, &self.review].map(spread));
        requirements.extend([
            dead_letter,
            single(&self.control, CleanupRule::Compacted, RetentionRule::Any),
            single(
                &self.audit,
                CleanupRule::NotCompacted,
                RetentionRule::ForEver,
            ),
            single(&self.replicas, CleanupRule::Any, RetentionRule::Any),
        ]);
        requirements
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(topic: &str) -> TopicRequirement {
        let minimum = TopicMinimum {
            partitions: 4,
            retention: Duration::from_secs(60),
        };
        let all = Topics::default().requirements(minimum);
        let found = all.into_iter().find(|known| known.topic == topic);
        found.expect("every topic has one")
    }

    #[test]
    fn order_needs_one_partition_and_scale_several() {
        for topic in ["tidegate.control", "tidegate.audit", "tidegate.replicas"] {
            assert_eq!(requirement(topic).partitions, PartitionRule::One, "{topic}");
        }
        let scores = requirement("tidegate.scores");
        assert_eq!(scores.partitions, PartitionRule::AtLeast(4));
    }

    #[test]
    fn what_is_read_stays_long_enough_and_the_audit_for_ever() {
        let minute = RetentionRule::AtLeast(Duration::from_secs(60));
        assert_eq!(requirement("tidegate.content-urgent").retention, minute);
        let audit = requirement("tidegate.audit");
        assert_eq!(audit.retention, RetentionRule::ForEver);
        assert_eq!(audit.cleanup, CleanupRule::NotCompacted);
        let control = requirement("tidegate.control");
        assert_eq!(control.cleanup, CleanupRule::Compacted);
    }

    #[test]
    fn dead_letters_hold_whatever_was_read() {
        let dead_letter = requirement("tidegate.dead-letter");
        let read = [
            "tidegate.content",
            "tidegate.content-urgent",
            "tidegate.scores",
        ];
        assert_eq!(dead_letter.takes_records_of, read);
    }
}

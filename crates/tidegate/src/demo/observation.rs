//! What is seen on the topics, read off as little of each record as the ledger needs.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use kafka_pipeline::{Follower, FollowerConfig, FollowerEvent, KafkaOptions, Record, dead_letter};
use moderation::{Limits, Timestamp};
use moderation_wire::{
    Format, Topics, decode_content, decode_scored, headers, timestamp_from_wire, v1,
};
use prost::Message;

use super::cpu::CpuTime;
use super::ledger::print;
use super::source::Source;

/// Something that was sent or seen.
#[derive(Debug)]
pub(crate) enum Observation {
    /// The next event was sent.
    Published {
        /// When it was due.
        scheduled: u32,
        /// Bytes of its record.
        bytes: u32,
    },
    /// No further event will be sent. Holds what the producer's thread has used, which nobody can read once it has ended.
    AllPublished(CpuTime),
    /// A decision came.
    Decision {
        /// Which event it is about; absent where that cannot be told.
        index: Option<u64>,
        /// When it came.
        at: Instant,
        /// Print of its bytes.
        print: u64,
        /// What it says of itself.
        glance: DecisionGlance,
    },
    /// An action came.
    Action {
        /// As above.
        index: Option<u64>,
        /// Print of its bytes.
        print: u64,
        /// What is to be done.
        kind: v1::ActionKind,
    },
    /// A review request came.
    Review {
        /// As above.
        index: Option<u64>,
        /// Print of its bytes.
        print: u64,
    },
    /// A dead letter came.
    DeadLetter {
        /// As above.
        index: Option<u64>,
        /// Print of the original bytes.
        print: u64,
    },
    /// A record of the control topic came.
    Control(Vec<u8>),
    /// A topic can no longer be followed.
    Failed(kafka_pipeline::Error),
}

/// The fields of a decision that the ledger needs. Decoding the rest would cost more than all else that is done here.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct DecisionGlance {
    #[prost(string, tag = "2")]
    event_id: String,
    #[prost(string, repeated, tag = "16")]
    action_ids: Vec<String>,
    #[prost(string, tag = "17")]
    review_task_id: String,
    #[prost(uint64, tag = "18")]
    pub(crate) policy_version: u64,
    #[prost(uint64, tag = "19")]
    pub(crate) deployment_version: u64,
    #[prost(message, optional, tag = "21")]
    evaluation_time: Option<prost_types::Timestamp>,
}

impl DecisionGlance {
    /// Returns how many actions the decision names.
    pub(crate) fn actions(&self) -> u8 {
        u8::try_from(self.action_ids.len()).unwrap_or(u8::MAX)
    }

    /// Returns how many reviews the decision names.
    pub(crate) fn reviews(&self) -> u8 {
        u8::from(!self.review_task_id.is_empty())
    }

    /// Returns the evaluation time.
    pub(crate) fn evaluation_time(&self) -> Timestamp {
        self.evaluation_time
            .as_ref()
            .and_then(timestamp_from_wire)
            .unwrap_or_default()
    }
}

#[derive(Clone, PartialEq, Message)]
struct ActionGlance {
    #[prost(enumeration = "v1::ActionKind", tag = "3")]
    kind: i32,
    #[prost(message, optional, tag = "8")]
    cause: Option<v1::Cause>,
}

#[derive(Clone, PartialEq, Message)]
struct ReviewGlance {
    #[prost(message, repeated, tag = "4")]
    causes: Vec<v1::Cause>,
}

/// How long an empty fetch waits at the in-process broker, where it always waits to the end.
#[derive(Clone, Copy)]
enum Wait {
    /// Where ages are measured.
    Short,
    /// Where only completeness counts: a waiting fetch costs nothing.
    Long,
}

impl Wait {
    fn applied(self, kafka: &KafkaOptions) -> KafkaOptions {
        let milliseconds = match self {
            Self::Short => "5",
            Self::Long => "50",
        };
        let mut kafka = kafka.clone();
        kafka
            .consumer
            .insert("fetch.wait.max.ms".to_owned(), milliseconds.to_owned());
        kafka
    }
}

/// What is read, and where.
pub(crate) struct Reading<'a> {
    /// How to reach the broker.
    pub(crate) kafka: &'a KafkaOptions,
    /// Whether an empty fetch waits to its end there although a record has come: the in-process broker does so.
    pub(crate) waits_to_the_end: bool,
    /// The topics.
    pub(crate) topics: &'a Topics,
}

/// Follows every topic on which something can come of an event. Stops when dropped.
pub(crate) struct Followers {
    _followers: Vec<Follower>,
}

impl Followers {
    /// Starts to follow.
    ///
    /// # Errors
    /// If a setting is wrong.
    pub(crate) fn start(
        reading: &Reading<'_>,
        source: &Arc<Source>,
        observations: &SyncSender<Observation>,
    ) -> Result<Self, kafka_pipeline::Error> {
        let follow = |topic: &str, wait: Wait, observe: fn(&Source, Record) -> Observation| {
            let kafka = match reading.waits_to_the_end {
                true => wait.applied(reading.kafka),
                false => reading.kafka.clone(),
            };
            let (source, observations) = (Arc::clone(source), observations.clone());
            Follower::start(FollowerConfig::from_beginning(kafka, topic), move |event| {
                let observation = match event {
                    FollowerEvent::Record(record) => observe(&source, record),
                    FollowerEvent::Failed(error) => Observation::Failed(error),
                    FollowerEvent::EndOfPartition(_) | FollowerEvent::Disconnected => {
                        return ControlFlow::Continue(());
                    }
                };
                // The observer is gone when it has seen enough.
                if observations.send(observation).is_ok() {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })
        };
        let topics = reading.topics;
        let followers = vec![
            follow(&topics.decisions, Wait::Short, decision)?,
            follow(&topics.actions, Wait::Long, action)?,
            follow(&topics.review, Wait::Long, review)?,
            follow(&topics.dead_letter, Wait::Long, letter)?,
            follow(&topics.control, Wait::Long, |_, record| {
                Observation::Control(record.value)
            })?,
        ];
        Ok(Self {
            _followers: followers,
        })
    }
}

fn decision(source: &Source, record: Record) -> Observation {
    let at = Instant::now();
    let glance = DecisionGlance::decode(record.value.as_slice()).unwrap_or_default();
    Observation::Decision {
        index: source.index_of(&glance.event_id),
        at,
        print: print(&record.value),
        glance,
    }
}

fn action(source: &Source, record: Record) -> Observation {
    let glance = ActionGlance::decode(record.value.as_slice()).unwrap_or_default();
    let index = glance
        .cause
        .as_ref()
        .and_then(|cause| source.index_of(&cause.id));
    Observation::Action {
        index,
        print: print(&record.value),
        kind: glance.kind(),
    }
}

fn review(source: &Source, record: Record) -> Observation {
    let glance = ReviewGlance::decode(record.value.as_slice()).unwrap_or_default();
    let index = glance
        .causes
        .first()
        .and_then(|cause| source.index_of(&cause.id));
    Observation::Review {
        index,
        print: print(&record.value),
    }
}

/// Finds the event of a dead letter: by its key where nothing else can be read, by its content otherwise.
fn letter(source: &Source, record: Record) -> Observation {
    let key = record
        .key
        .as_deref()
        .and_then(|key| std::str::from_utf8(key).ok());
    let by_key = key.and_then(|key| source.index_of_unreadable(key));
    let index = by_key.or_else(|| {
        let id = event_id_within(&record)?;
        source.index_of(&id)
    });
    Observation::DeadLetter {
        index,
        print: print(&record.value),
    }
}

fn event_id_within(record: &Record) -> Option<String> {
    let format = Format::from_content_type(record.headers.get(headers::CONTENT_TYPE));
    let (time, limits) = (Timestamp::default(), Limits::default());
    let event = if record.headers.get(dead_letter::STAGE) == Some(b"enforcer") {
        decode_scored(&record.value, format, time, &limits)
            .ok()?
            .event
    } else {
        decode_content(&record.value, format, time, &limits)
            .ok()?
            .event
    };
    Some(event.event_id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::source::InputFile;

    /// Returns whose dead letter it is when a line comes back under the key that it was sent with.
    fn letter_of(source: &Source, line: u64) -> Option<u64> {
        let sent = source.event(line, Timestamp::default()).unwrap();
        let record = Record {
            topic: "dead-letter".into(),
            partition: 0,
            offset: 0,
            timestamp_ms: 0,
            key: Some(sent.key),
            value: sent.value,
            is_tombstone: false,
            headers: [(headers::CONTENT_TYPE, Format::Json.content_type())]
                .into_iter()
                .collect(),
        };
        match letter(source, record) {
            Observation::DeadLetter { index, .. } => index,
            other => unreachable!("{other:?} of a dead letter"),
        }
    }

    #[test]
    fn a_dead_letter_is_told_from_an_event_with_the_name_of_its_line() {
        let event = |id: &str| {
            format!(
                r#"{{"event":{{"event_id":"{id}","subject":{{"kind":"SUBJECT_KIND_CONTENT","id":"s"}}}}}}"#
            )
        };
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.jsonl");
        let lines = [event("e-1"), "not json".to_owned(), event("line:1")];
        std::fs::write(&path, lines.join("\n")).unwrap();
        let source = Source::File(InputFile::open(&path).unwrap());
        for line in 0..3 {
            assert_eq!(letter_of(&source, line), Some(line));
        }
        assert_eq!(source.index_of("e-1"), Some(0));
        assert_eq!(source.index_of("e-0"), None, "no event has this id");
    }

    #[test]
    fn a_glance_sees_what_the_record_says() {
        let decision = v1::Decision {
            event_id: "e-5".to_owned(),
            action_ids: vec!["a".to_owned(), "b".to_owned()],
            review_task_id: "t".to_owned(),
            policy_version: 3,
            deployment_version: 4,
            evaluation_time: Some(prost_types::Timestamp {
                seconds: 7,
                nanos: 0,
            }),
            ..v1::Decision::default()
        };
        let glance = DecisionGlance::decode(decision.encode_to_vec().as_slice()).unwrap();
        assert_eq!(
            (glance.event_id.as_str(), glance.actions(), glance.reviews()),
            ("e-5", 2, 1)
        );
        assert_eq!((glance.policy_version, glance.deployment_version), (3, 4));
        assert_eq!(glance.evaluation_time(), Timestamp::from_millis(7_000));

        let cause = v1::Cause {
            id: "e-6".to_owned(),
            ..v1::Cause::default()
        };
        let action = v1::EnforcementAction {
            kind: v1::ActionKind::Remove.into(),
            cause: Some(cause.clone()),
            ..Default::default()
        };
        let glance = ActionGlance::decode(action.encode_to_vec().as_slice()).unwrap();
        assert_eq!(
            (glance.kind(), glance.cause),
            (v1::ActionKind::Remove, Some(cause.clone()))
        );

        let review = v1::ReviewRequest {
            causes: vec![cause.clone()],
            ..Default::default()
        };
        assert_eq!(
            ReviewGlance::decode(review.encode_to_vec().as_slice())
                .unwrap()
                .causes,
            [cause]
        );
    }
}

//! Events that flow while something happens, and how far their decisions are.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kafka_pipeline::{KafkaOptions, OutputRecord, Publisher};
use moderation::{ContentEvent, Decision, SubjectId};
use moderation_wire::{decode_decision, encode_content, record_key};
use tokio::task::JoinHandle;
use tokio::time::interval;

use crate::{Feed, samples};

/// Events are about so many subjects in turn, so that each subject has many whose order can be told.
const SUBJECTS: u64 = 40;
/// How often events are sent, some at a time.
const TICK: Duration = Duration::from_millis(10);
/// How long the brokers may take for the last events.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns the event of a number: every third is spam. Each text is new, so that no cache answers for the model.
pub fn event(number: u64) -> ContentEvent {
    let text = match number.is_multiple_of(3) {
        true => samples::SPAM,
        false => samples::HARMLESS,
    };
    let mut content = samples::comment(&format!("t-{number}"), &format!("{text} {number}"));
    content.event.subject.id = subject(number);
    content
}

/// Returns the subject of an event.
pub fn subject(number: u64) -> SubjectId {
    SubjectId::new(format!("c-{}", number % SUBJECTS)).expect("a sample's id is valid")
}

/// Returns the number of an event from its id.
///
/// # Panics
/// If it is none of [`Traffic`]'s.
pub fn number_of(event_id: &str) -> u64 {
    let number = event_id
        .strip_prefix("t-")
        .and_then(|number| number.parse().ok());
    number.expect("ids are numbered")
}

/// Events at a steady pace, numbered from 0, whatever becomes of earlier ones.
pub struct Traffic {
    publisher: Publisher,
    sent: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Traffic {
    /// Begins to send to `topic`.
    pub fn start(kafka: &KafkaOptions, topic: &str, events_per_second: u64) -> Self {
        let publisher = Publisher::new(kafka).expect("the options are valid");
        let (sent, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let stop = Arc::new(AtomicBool::new(false));
        let sending = Sending {
            publisher: publisher.clone(),
            topic: topic.into(),
            sent: Arc::clone(&sent),
            failed: Arc::clone(&failed),
            stop: Arc::clone(&stop),
            at_a_time: events_per_second * TICK.as_millis() as u64 / 1000,
        };
        #[expect(clippy::disallowed_methods, reason = "the handle is awaited by `stop`")]
        let task = tokio::spawn(sending.run());
        Self {
            publisher,
            sent,
            failed,
            stop,
            task,
        }
    }

    /// Returns how many events have been handed to the client; the last ones may be under way.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Acquire)
    }

    /// Stops, waits until the brokers have all events, and returns how many there are.
    ///
    /// # Panics
    /// If the brokers did not take one.
    pub async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Release);
        self.task.await.expect("traffic does not panic");
        let publisher = self.publisher.clone();
        let flushing = tokio::task::spawn_blocking(move || publisher.flush(PATIENCE));
        let flushed = flushing.await.expect("no panic");
        assert_eq!(flushed, Ok(()), "the brokers take all events");
        assert_eq!(self.failed.load(Ordering::Acquire), 0, "events are taken");
        self.sent.load(Ordering::Acquire)
    }
}

struct Sending {
    publisher: Publisher,
    topic: Arc<str>,
    sent: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    at_a_time: u64,
}

impl Sending {
    async fn run(self) {
        let mut pace = interval(TICK);
        while !self.stop.load(Ordering::Acquire) {
            pace.tick().await;
            for _ in 0..self.at_a_time {
                self.send_next();
            }
        }
    }

    fn send_next(&self) {
        let content = event(self.sent.load(Ordering::Acquire));
        let key = record_key(&content.event.subject);
        let record = OutputRecord::new(Arc::clone(&self.topic), key, encode_content(&content));
        let failed = Arc::clone(&self.failed);
        let queued = self.publisher.publish_with(&record, move |published| {
            failed.fetch_add(u64::from(published.is_err()), Ordering::AcqRel);
        });
        assert_eq!(queued, Ok(()), "the client takes the event");
        self.sent.fetch_add(1, Ordering::AcqRel);
    }
}

/// Which events have been decided, as the decisions come.
pub struct Decided {
    decisions: Feed<Decision>,
    numbers: HashSet<u64>,
}

impl Decided {
    /// Begins to read `topic`.
    pub fn follow(kafka: &KafkaOptions, topic: &str) -> Self {
        let decode = |record: &kafka_pipeline::Record| {
            decode_decision(&record.value).expect("a decision is valid")
        };
        Self {
            decisions: Feed::start(kafka, topic, decode),
            numbers: HashSet::new(),
        }
    }

    /// Waits until an event is decided.
    ///
    /// # Panics
    /// If no decision comes for a minute.
    pub async fn until(&mut self, number: u64) {
        while !self.numbers.contains(&number) {
            self.next().await;
        }
    }

    /// Waits until all events of 0 to `total` are decided.
    ///
    /// # Panics
    /// As [`until`](Self::until).
    pub async fn until_all(&mut self, total: u64) {
        while (self.numbers.len() as u64) < total {
            self.next().await;
        }
    }

    async fn next(&mut self) {
        let decision = self.decisions.next().await;
        self.numbers.insert(number_of(decision.event_id.as_str()));
    }
}

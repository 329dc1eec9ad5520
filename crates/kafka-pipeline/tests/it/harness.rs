//! A broker with three topics, and processors that tests steer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use kafka_pipeline::{
    Dispatched, Follower, FollowerConfig, FollowerEvent, Handle, InProcessBroker, KafkaOptions,
    Outcome, OutputRecord, Pipeline, PipelineConfig, PipelineOptions, Publisher, Record, State,
};

pub(crate) const INPUT: &str = "input";
pub(crate) const OUTPUT: &str = "output";
pub(crate) const DEAD_LETTER: &str = "dead-letter";

/// Bounds every wait of a test. It is not reached unless something is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Fixture {
    pub(crate) broker: InProcessBroker,
    pub(crate) options: KafkaOptions,
    pub(crate) partitions: i32,
}

impl Fixture {
    pub(crate) fn new(partitions: u16) -> Self {
        let broker = InProcessBroker::start().unwrap();
        for topic in [INPUT, OUTPUT, DEAD_LETTER] {
            broker.create_topic(topic, partitions).unwrap();
        }
        let mut options = broker.options().unwrap();
        // This broker delays a rebalance by the session timeout, less a second.
        for (key, value) in [
            ("session.timeout.ms", "1500"),
            ("heartbeat.interval.ms", "100"),
        ] {
            options.consumer.insert(key.to_owned(), value.to_owned());
        }
        Self {
            options,
            broker,
            partitions: i32::from(partitions),
        }
    }

    pub(crate) fn config(&self) -> PipelineConfig {
        PipelineConfig {
            stage: "test",
            kafka: self.options.clone(),
            group: "group".to_owned(),
            inputs: vec![INPUT.to_owned()],
            dead_letter_topic: DEAD_LETTER.to_owned(),
            start_paused: false,
            lease: None,
            options: PipelineOptions::default(),
        }
    }

    /// Publishes `0`, `1`, … to each partition and waits until they are acknowledged.
    pub(crate) fn feed(&self, numbers: std::ops::Range<u32>) {
        let publisher = Publisher::new(&self.options).unwrap();
        for number in numbers {
            for partition in 0..self.partitions {
                let mut record =
                    OutputRecord::new(INPUT.into(), "key", number.to_string().into_bytes());
                record.partition = Some(partition);
                publisher
                    .publish_with(&record, |published| assert!(published.is_ok()))
                    .unwrap();
            }
        }
        publisher.flush(PATIENCE).unwrap();
    }

    /// Reads all that a topic holds, by partition.
    pub(crate) fn read(&self, topic: &str) -> BTreeMap<i32, Vec<Record>> {
        let config = FollowerConfig::from_beginning(self.options.clone(), topic);
        let (_follower, mut events) = Follower::channel(config, 100).unwrap();
        let mut records: BTreeMap<i32, Vec<Record>> = BTreeMap::new();
        let mut ended = 0;
        while ended < self.partitions {
            match events.blocking_recv().unwrap() {
                FollowerEvent::Record(record) => {
                    records.entry(record.partition).or_default().push(record)
                }
                FollowerEvent::EndOfPartition(_) => ended += 1,
                other => panic!("unexpected event: {other:?}"),
            }
        }
        records
    }

    /// Reads the numbers that a topic holds, by partition.
    pub(crate) fn numbers(&self, topic: &str) -> BTreeMap<i32, Vec<u32>> {
        let parse = |record: &Record| std::str::from_utf8(&record.value).unwrap().parse().unwrap();
        self.read(topic)
            .into_iter()
            .map(|(partition, records)| (partition, records.iter().map(parse).collect()))
            .collect()
    }

    /// What `numbers` returns when each partition holds each number once and in order.
    pub(crate) fn all_in_order(&self, numbers: std::ops::Range<u32>) -> BTreeMap<i32, Vec<u32>> {
        (0..self.partitions)
            .map(|partition| (partition, numbers.clone().collect()))
            .collect()
    }
}

/// Copies a record to the output, into the partition it came from.
pub(crate) fn copied(record: &Record) -> Outcome {
    let mut output = OutputRecord::new(
        OUTPUT.into(),
        record.key.clone().unwrap_or_default(),
        record.value.clone(),
    );
    output.partition = Some(record.partition);
    Outcome::produce(vec![output])
}

/// Finishes each record at once.
pub(crate) fn copy(dispatched: Dispatched) {
    let outcome = copied(dispatched.record());
    dispatched.finish(outcome);
}

/// A pipeline whose records all come here, to be finished when and how the test likes.
pub(crate) struct Collected {
    pub(crate) handle: Handle,
    records: Receiver<Dispatched>,
}

impl Collected {
    pub(crate) fn start(config: PipelineConfig) -> Self {
        let (sender, records): (Sender<Dispatched>, _) = bounded(100_000);
        let handle = Pipeline::start(config, move |dispatched: Dispatched| {
            // The test may have ended; what comes then is of no interest.
            drop(sender.send(dispatched));
        })
        .unwrap();
        Self { handle, records }
    }

    pub(crate) fn next(&self) -> Dispatched {
        self.records.recv_timeout(PATIENCE).unwrap()
    }

    pub(crate) fn take(&self, count: usize) -> Vec<Dispatched> {
        (0..count).map(|_| self.next()).collect()
    }

    pub(crate) fn try_next(&self) -> Option<Dispatched> {
        self.records.try_recv().ok()
    }
}

/// Waits until `is_met`, looking every few milliseconds.
pub(crate) async fn until(what: &str, mut is_met: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_met() {
        assert!(started.elapsed() < PATIENCE, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) async fn until_settled(handle: &Handle, records: u64) {
    let mut progress = handle.progress();
    until("all records are settled", || {
        assert!(
            !handle.state().borrow().is_terminal(),
            "{:?}",
            *handle.state().borrow()
        );
        progress = handle.progress();
        progress.settled >= records
    })
    .await;
}

pub(crate) async fn failure(handle: &Handle) -> kafka_pipeline::Error {
    match tokio::time::timeout(PATIENCE, handle.ended())
        .await
        .unwrap()
    {
        State::Failed(error) => error,
        other => panic!("ended as {other:?}"),
    }
}

//! The baseline: loops that read a record and write it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kafka_pipeline::{
    Follower, FollowerConfig, FollowerEvent, KafkaOptions, OutputRecord, Publisher, Record,
};

/// One loop from each topic to the next.
pub(crate) struct Relays {
    followers: Vec<Follower>,
    /// What each hop has written, with acknowledgement.
    written: Vec<Arc<AtomicU64>>,
}

impl Relays {
    pub(crate) fn start(kafka: &KafkaOptions, topics: &[String]) -> anyhow::Result<Self> {
        let mut relays = Self {
            followers: Vec::new(),
            written: Vec::new(),
        };
        for hop in topics.windows(2) {
            let written = Arc::new(AtomicU64::new(0));
            let follower = relay(kafka, hop, Arc::clone(&written))?;
            relays.followers.push(follower);
            relays.written.push(written);
        }
        Ok(relays)
    }

    /// Returns how many records the last topic has acknowledged.
    pub(crate) fn carried(&self) -> u64 {
        let last = self.written.last();
        last.map_or(0, |written| written.load(Ordering::Relaxed))
    }

    pub(crate) fn stop(self) {
        self.followers.into_iter().for_each(Follower::stop);
    }
}

fn relay(
    kafka: &KafkaOptions,
    hop: &[String],
    written: Arc<AtomicU64>,
) -> anyhow::Result<Follower> {
    let output: Arc<str> = hop[1].as_str().into();
    let publisher = Publisher::new(kafka)?;
    let config = FollowerConfig {
        read_committed: false,
        ..FollowerConfig::from_beginning(kafka.clone(), hop[0].as_str())
    };
    let follower = Follower::start(config, move |event| match event {
        FollowerEvent::Record(record) => write(&publisher, record, &output, &written),
        FollowerEvent::EndOfPartition(_) | FollowerEvent::Disconnected => ControlFlow::Continue(()),
        FollowerEvent::Failed(_) => ControlFlow::Break(()),
    })?;
    Ok(follower)
}

/// A record that fails is not counted as written, so that whoever waits for it gives up in time.
fn write(
    publisher: &Publisher,
    record: Record,
    output: &Arc<str>,
    written: &Arc<AtomicU64>,
) -> ControlFlow<()> {
    let key = record.key.unwrap_or_default();
    let copy = OutputRecord::new(Arc::clone(output), key, record.value);
    let written = Arc::clone(written);
    let queued = publisher.publish_with(&copy, move |published| {
        if published.is_ok() {
            written.fetch_add(1, Ordering::Relaxed);
        }
    });
    match queued {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

//! Reading what the stages publish.

use std::time::Duration;

use kafka_pipeline::{Follower, FollowerConfig, FollowerEvent, KafkaOptions, Record};
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

/// How long to wait for a record that must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A topic read from its beginning, each record as `T`.
pub struct Feed<T> {
    topic: String,
    events: Receiver<FollowerEvent>,
    read: fn(&Record) -> T,
    _follower: Follower,
}

impl<T> Feed<T> {
    /// Follows a topic of these brokers.
    pub fn start(kafka: &KafkaOptions, topic: &str, read: fn(&Record) -> T) -> Self {
        let config = FollowerConfig::from_beginning(kafka.clone(), topic.to_owned());
        let (follower, events) =
            Follower::channel(config, 1024).expect("the topic can be followed");
        Self {
            topic: topic.to_owned(),
            events,
            read,
            _follower: follower,
        }
    }

    /// Returns the next record.
    ///
    /// # Panics
    /// If none comes.
    pub async fn next(&mut self) -> T {
        let next = async {
            loop {
                match self.events.recv().await {
                    Some(FollowerEvent::Record(record)) => return (self.read)(&record),
                    Some(FollowerEvent::EndOfPartition(_) | FollowerEvent::Disconnected) => {}
                    Some(FollowerEvent::Failed(error)) => panic!("{}: {error}", self.topic),
                    None => panic!("{} is no longer followed", self.topic),
                }
            }
        };
        match timeout(PATIENCE, next).await {
            Ok(record) => record,
            Err(_) => panic!("nothing came on {}", self.topic),
        }
    }

    /// Passes over records until one fits.
    pub async fn find(&mut self, mut fits: impl FnMut(&T) -> bool) -> T {
        loop {
            let record = self.next().await;
            if fits(&record) {
                return record;
            }
        }
    }
}

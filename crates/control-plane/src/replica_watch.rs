//! Following the replicas topic.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use control_state::{KnownReplica, ReplicaId, ReplicaTable, UnusableHeartbeat};
use kafka_pipeline::{Error, Follower, FollowerConfig, FollowerEvent, KafkaOptions, Record};
use tokio::sync::watch;

use crate::clock::wall_clock;
use crate::metrics;

/// What is known of all replicas.
#[derive(Clone, Debug)]
pub(crate) struct Replicas {
    heard: Arc<watch::Sender<Heard>>,
}

/// The table, and whether it is whole.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) table: ReplicaTable,
    is_caught_up: bool,
    failure: Option<Error>,
}

impl Replicas {
    /// Starts to follow `topic` on a thread that ends with the follower.
    ///
    /// # Errors
    /// A setting that is wrong.
    pub(crate) fn follow(kafka: KafkaOptions, topic: &str) -> Result<(Follower, Self), Error> {
        let heard = Arc::new(watch::Sender::new(Heard::default()));
        let replicas = Self {
            heard: Arc::clone(&heard),
        };
        let config = FollowerConfig::from_beginning(kafka, topic);
        let follower = Follower::start(config, move |event| {
            heard.send_modify(|heard| heard.take(event));
            ControlFlow::Continue(())
        })?;
        Ok((follower, replicas))
    }

    /// Returns the table, now and whenever a heartbeat comes.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Heard> {
        self.heard.subscribe()
    }

    /// Waits until everything that was there at the start has been read. Cancellation-safe.
    ///
    /// # Errors
    /// What ended following.
    pub(crate) async fn caught_up(&self) -> Result<(), Error> {
        self.when(|heard| heard.is_caught_up || heard.failure.is_some())
            .await
            .map_or(Ok(()), Err)
    }

    /// Waits until following has failed for good. Cancellation-safe.
    pub(crate) async fn failure(&self) -> Error {
        loop {
            if let Some(error) = self.when(|heard| heard.failure.is_some()).await {
                return error;
            }
        }
    }

    async fn when(&self, condition: impl FnMut(&Heard) -> bool) -> Option<Error> {
        match self.subscribe().wait_for(condition).await {
            Ok(heard) => heard.failure.clone(),
            // The sender lives in `self`.
            Err(_) => unreachable!("the table outlives its own channel"),
        }
    }
}

impl Heard {
    /// Returns the address of the control plane that said last that it leads, if it lives and is another than `own`.
    pub(crate) fn leader_besides(&self, own: &ReplicaId) -> Option<String> {
        self.leader()
            .filter(|(id, _)| *id != own)
            .map(|(_, leader)| leader.heartbeat.address.clone())
    }

    /// Returns the control plane that said last that it leads, if it lives.
    pub(crate) fn leader(&self) -> Option<(&ReplicaId, &KnownReplica)> {
        self.table
            .live_of_stage(crate::STAGE, Instant::now())
            .filter(|(_, replica)| replica.heartbeat.leading)
            .max_by_key(|(_, replica)| replica.heard_at)
    }

    fn take(&mut self, event: FollowerEvent) {
        let now = Instant::now();
        match event {
            FollowerEvent::Record(record) => self.hear(&record, now),
            FollowerEvent::EndOfPartition(_) => self.is_caught_up = true,
            FollowerEvent::Disconnected => {}
            FollowerEvent::Failed(error) => self.failure = Some(error),
        }
        self.table.forget(now);
    }

    fn hear(&mut self, record: &Record, now: Instant) {
        // What was there before us may be old: its timestamp says how old. What comes while we listen is new, whatever
        // the clock of its sender says.
        let age = if self.is_caught_up {
            Duration::ZERO
        } else {
            wall_clock().saturating_since(moderation::Timestamp::from_millis(record.timestamp_ms))
        };
        let Some(heard_at) = now.checked_sub(age) else {
            return;
        };
        match self.table.hear(&record.value, heard_at) {
            Ok(()) => {}
            Err(UnusableHeartbeat::Malformed) => metrics::skip_heartbeat("malformed"),
            Err(UnusableHeartbeat::TooMany) => metrics::skip_heartbeat("too_many"),
        }
    }
}

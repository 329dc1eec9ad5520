//! Reading whole topics without a group.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::error::Error;
use crate::options::KafkaOptions;
use crate::reading::Reading;
use crate::record::Record;

/// What to read.
#[derive(Debug, Clone)]
pub struct FollowerConfig {
    /// How to reach the brokers.
    pub kafka: KafkaOptions,
    /// The topic.
    pub topic: String,
    /// The partitions, or `None` for all that the topic has at the start.
    pub partitions: Option<Vec<i32>>,
    /// Where to start.
    pub start: StartAt,
    /// Whether records of transactions that are open or aborted are left out.
    pub read_committed: bool,
}

impl FollowerConfig {
    /// Reads committed records of all partitions from the beginning.
    pub fn from_beginning(kafka: KafkaOptions, topic: impl Into<String>) -> Self {
        Self {
            kafka,
            topic: topic.into(),
            partitions: None,
            start: StartAt::Beginning,
            read_committed: true,
        }
    }
}

/// Where a follower starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartAt {
    /// At the first record that is still there.
    Beginning,
    /// Behind the last record.
    End,
    /// At the given offset of each partition; partitions that are not named start at the beginning.
    Offsets(BTreeMap<i32, i64>),
}

/// What a follower hands out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowerEvent {
    /// The next record of its partition.
    Record(Record),
    /// All records that the partition had are handed out. Comes again each time that is so after further records or
    /// after the brokers were away, and also when the last ones were transaction markers or were compacted away.
    EndOfPartition(i32),
    /// The brokers cannot be reached. The follower tries on; records or the end of each partition tell that they are back.
    Disconnected,
    /// The follower has ended by itself; the last event.
    Failed(Error),
}

/// A thread that reads a topic. Stops when dropped, or when its receiver says so.
#[derive(Debug)]
pub struct Follower {
    is_ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Starts to read and calls `on_event` on the follower's thread, in the order of each partition, until it breaks.
    /// While it blocks nothing further is read.
    ///
    /// # Errors
    /// [`Error::Setting`] names a setting that is wrong. What the brokers refuse comes as [`FollowerEvent::Failed`];
    /// brokers that are away are waited for.
    pub fn start(
        config: FollowerConfig,
        on_event: impl FnMut(FollowerEvent) -> ControlFlow<()> + Send + 'static,
    ) -> Result<Self, Error> {
        let is_ending = Arc::new(AtomicBool::new(false));
        Self::spawn(config, is_ending, on_event)
    }

    /// Starts to read into a channel that holds at most `capacity` events (at least 1).
    ///
    /// # Errors
    /// As [`start`](Follower::start).
    pub fn channel(
        config: FollowerConfig,
        capacity: usize,
    ) -> Result<(Self, mpsc::Receiver<FollowerEvent>), Error> {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        let is_ending = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&is_ending);
        let follower = Self::spawn(config, is_ending, move |event| {
            hand_over(&sender, event, &stopped)
        })?;
        Ok((follower, receiver))
    }

    /// Asks the thread to stop and waits for it.
    pub fn stop(mut self) {
        self.join();
    }

    /// Returns whether the thread has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn spawn(
        config: FollowerConfig,
        is_ending: Arc<AtomicBool>,
        on_event: impl FnMut(FollowerEvent) -> ControlFlow<()> + Send + 'static,
    ) -> Result<Self, Error> {
        config.kafka.validate()?;
        let reading = Reading::new(config, Arc::clone(&is_ending), on_event)?;
        let thread = thread::Builder::new()
            .name("follower".to_owned())
            .spawn(move || reading.run())
            .map_err(|error| Error::Client(format!("follower thread: {error}")))?;
        Ok(Self {
            is_ending,
            thread: Some(thread),
        })
    }

    fn join(&mut self) {
        self.is_ending.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else {
            return;
        };
        thread.thread().unpark();
        if thread.join().is_err() {
            tracing::error!("the receiver of a follower panicked");
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.join();
    }
}

fn hand_over(
    sender: &mpsc::Sender<FollowerEvent>,
    mut event: FollowerEvent,
    is_ending: &AtomicBool,
) -> ControlFlow<()> {
    // Not `blocking_send`: a follower whose receiver does not read must still be stoppable.
    while !is_ending.load(Ordering::Relaxed) {
        match sender.try_send(event) {
            Ok(()) => return ControlFlow::Continue(()),
            Err(TrySendError::Closed(_)) => return ControlFlow::Break(()),
            Err(TrySendError::Full(back)) => event = back,
        }
        thread::park_timeout(FULL_CHANNEL_WAIT);
    }
    ControlFlow::Break(())
}

/// How long to wait for room in the channel before the next try.
const FULL_CHANNEL_WAIT: Duration = Duration::from_millis(1);

//! Comments at a steady pace.

use std::sync::Arc;
use std::time::Duration;

use moderation_wire::{encode_content, record_key};
use tidegate_benches::{Texts, samples};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use kafka_pipeline::{OutputRecord, Publisher};

use crate::stack::Stack;

/// 500 events a second: a decision is due every 2 ms, which is how finely delays can be seen.
const PACE: Duration = Duration::from_millis(2);

/// Publishes until it is stopped.
pub(crate) struct Traffic {
    stop: watch::Sender<bool>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Traffic {
    pub(crate) fn start(stack: &Stack) -> anyhow::Result<Self> {
        let publisher = Publisher::new(&stack.kafka)?;
        let topic: Arc<str> = stack.topics.content.as_str().into();
        let (stop, stopped) = watch::channel(false);
        #[expect(clippy::disallowed_methods, reason = "the handle is awaited by `stop`")]
        let task = tokio::spawn(publish(publisher, topic, stopped));
        Ok(Self { stop, task })
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        self.task.await?
    }
}

async fn publish(
    publisher: Publisher,
    topic: Arc<str>,
    stopped: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for (number, text) in Texts::new(1).enumerate() {
        if *stopped.borrow() {
            break;
        }
        pace.tick().await;
        let content = samples::content(number, text);
        let key = record_key(&content.event.subject);
        let record = OutputRecord::new(Arc::clone(&topic), key, encode_content(&content));
        // Lost events would not matter here: the next one shows the same.
        publisher.publish_with(&record, |_| {})?;
    }
    Ok(())
}

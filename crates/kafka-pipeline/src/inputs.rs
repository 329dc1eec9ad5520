//! The topics a pipeline reads and the partitions of them that it owns.

use std::sync::Arc;

use metrics::Gauge;
use rdkafka::client::Client;

use crate::assignment::{Assignment, AssignmentId};
use crate::group::GroupContext;
use crate::metrics::ConsumerMetrics;
use crate::native;

/// Finds assignments without hashing or allocating: topics are few, partitions are dense.
pub(crate) struct Inputs {
    topics: Vec<Input>,
    /// Whether the client has been told to pause what is assigned.
    pub(crate) is_paused: bool,
}

struct Input {
    name: Arc<str>,
    lag: Gauge,
    partitions: Vec<Option<Owned>>,
}

struct Owned {
    assignment: Arc<Assignment>,
    /// One beyond the last record dispatched; `None` before the first.
    position: Option<i64>,
}

impl Inputs {
    pub(crate) fn new(topics: &[String], metrics: &ConsumerMetrics) -> Self {
        let topics = topics
            .iter()
            .map(|topic| Input {
                name: topic.as_str().into(),
                lag: metrics.lag(topic),
                partitions: Vec::new(),
            })
            .collect();
        Self {
            topics,
            is_paused: false,
        }
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.topics
            .iter()
            .map(|input| input.name.as_ref())
            .collect()
    }

    pub(crate) fn find(&self, topic: &str, partition: i32) -> Option<(Arc<str>, Arc<Assignment>)> {
        let input = self.topics.iter().find(|input| &*input.name == topic)?;
        let owned = input
            .partitions
            .get(usize::try_from(partition).ok()?)?
            .as_ref()?;
        Some((Arc::clone(&input.name), Arc::clone(&owned.assignment)))
    }

    pub(crate) fn consumed(&mut self, assignment: &Assignment, offset: i64) {
        if let Some(owned) = self
            .slot(&assignment.topic, assignment.partition)
            .and_then(Option::as_mut)
        {
            owned.position = Some(offset + 1);
        }
    }

    pub(crate) fn assign(&mut self, assignment: Arc<Assignment>) {
        let (topic, partition) = (Arc::clone(&assignment.topic), assignment.partition);
        if let Some(slot) = self.slot(&topic, partition) {
            *slot = Some(Owned {
                assignment,
                position: None,
            });
        }
    }

    pub(crate) fn revoke(&mut self, id: AssignmentId) {
        for slot in self
            .topics
            .iter_mut()
            .flat_map(|input| &mut input.partitions)
        {
            // A partition that has come back meanwhile has another id.
            slot.take_if(|owned| owned.assignment.id == id);
        }
    }

    pub(crate) fn ids(&self) -> Vec<AssignmentId> {
        self.owned().map(|owned| owned.assignment.id).collect()
    }

    pub(crate) fn assigned(&self) -> u64 {
        self.owned().count() as u64
    }

    /// Sets the lag of each topic from what the last fetches said, and returns the sum.
    pub(crate) fn report_lag(&self, client: &Client<GroupContext>) -> u64 {
        let mut sum = 0;
        for input in &self.topics {
            let lag = input
                .partitions
                .iter()
                .flatten()
                .filter_map(|owned| {
                    let end = native::cached_high_watermark(
                        client,
                        &input.name,
                        owned.assignment.partition,
                    )?;
                    Some(end.saturating_sub(owned.position?).max(0) as u64)
                })
                .sum::<u64>();
            input.lag.set(lag as f64);
            sum += lag;
        }
        sum
    }

    fn owned(&self) -> impl Iterator<Item = &Owned> {
        self.topics
            .iter()
            .flat_map(|input| &input.partitions)
            .flatten()
    }

    fn slot(&mut self, topic: &str, partition: i32) -> Option<&mut Option<Owned>> {
        let input = self.topics.iter_mut().find(|input| &*input.name == topic)?;
        let index = usize::try_from(partition).ok()?;
        if index >= input.partitions.len() {
            input.partitions.resize_with(index + 1, || None);
        }
        input.partitions.get_mut(index)
    }
}

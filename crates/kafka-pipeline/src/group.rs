//! Membership of the consumer group: what happens when partitions come and go.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use crate::assignment::{Assignment, AssignmentId};
use crate::client_log::{self, ErrorLog};
use crate::emitter::{EmitterMessage, Revocation};
use crate::metrics::GroupMetrics;

/// A change of the assignment, for the loop that dispatches.
#[derive(Debug)]
pub(crate) enum GroupEvent {
    Assigned(Arc<Assignment>),
    Revoked(AssignmentId),
}

/// Runs inside `poll`, on the consumer thread.
pub(crate) struct GroupContext {
    pub(crate) errors: ErrorLog,
    emitter: Sender<EmitterMessage>,
    /// Filled by callbacks and emptied by the loop after each poll, both on the consumer thread.
    membership: Mutex<Membership>,
    changed: AtomicBool,
    /// Whether partitions that arrive are to be paused at once.
    paused: AtomicBool,
    /// Set once the drain is over: what the close then takes away has been committed.
    closed: AtomicBool,
    drain: Duration,
    metrics: GroupMetrics,
}

#[derive(Default)]
struct Membership {
    current: HashMap<(String, i32), Arc<Assignment>>,
    events: Vec<GroupEvent>,
    next_id: u64,
}

impl GroupContext {
    pub(crate) fn new(
        errors: ErrorLog,
        emitter: Sender<EmitterMessage>,
        drain: Duration,
        metrics: GroupMetrics,
    ) -> Self {
        Self {
            errors,
            emitter,
            membership: Mutex::default(),
            changed: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            drain,
            metrics,
        }
    }

    /// Takes the changes since the last call. Costs one atomic load when there are none.
    pub(crate) fn take_events(&self) -> Vec<GroupEvent> {
        if !self.changed.swap(false, Ordering::Relaxed) {
            return Vec::new();
        }
        std::mem::take(&mut self.membership().events)
    }

    pub(crate) fn set_paused(&self, paused: bool) {
        self.paused.store(paused, Ordering::Relaxed);
    }

    pub(crate) fn set_closed(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Waits until the emitter has finished `assignments` or has given up on them. Returns how many records it gave up.
    ///
    /// The emitter answers at the deadline at the latest; the margin covers its loop. Nothing it waits for depends on
    /// the consumer thread, which stands here.
    pub(crate) fn release(&self, assignments: Vec<AssignmentId>, deadline: Instant) -> u64 {
        let (reply, answer) = bounded(1);
        let revocation = Revocation {
            assignments,
            deadline,
            reply,
        };
        if self
            .emitter
            .send(EmitterMessage::Revoked(revocation))
            .is_err()
        {
            return 0;
        }
        let patience = deadline.saturating_duration_since(Instant::now()) + ANSWER_MARGIN;
        answer.recv_timeout(patience).unwrap_or_else(|_| {
            tracing::warn!("the emitter did not answer a revocation in time");
            0
        })
    }

    /// Commits what is stored, and waits for the broker's answer.
    pub(crate) fn commit(&self, consumer: &BaseConsumer<Self>) {
        let started = Instant::now();
        match consumer.commit_consumer_state(CommitMode::Sync) {
            Ok(()) => self
                .metrics
                .commit_duration
                .record(started.elapsed().as_secs_f64()),
            Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => self.commit_failed(&error),
        }
    }

    fn commit_failed(&self, error: &KafkaError) {
        self.metrics.commit_failures.increment(1);
        self.errors.write(
            error,
            "offsets were not committed; their records may be processed again",
        );
    }

    fn assigned(&self, partitions: &TopicPartitionList) {
        let mut membership = self.membership();
        for element in partitions.elements() {
            let id = AssignmentId(membership.next_id);
            membership.next_id += 1;
            let assignment = Arc::new(Assignment::new(
                id,
                element.topic().into(),
                element.partition(),
            ));
            let key = (element.topic().to_owned(), element.partition());
            membership.current.insert(key, Arc::clone(&assignment));
            membership
                .events
                .push(GroupEvent::Assigned(Arc::clone(&assignment)));
            self.metrics.assigned.increment(1);
            if self
                .emitter
                .send(EmitterMessage::Assigned(assignment))
                .is_err()
            {
                tracing::debug!("partitions were assigned after the emitter had stopped");
            }
        }
        self.changed.store(true, Ordering::Relaxed);
    }

    fn revoked(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) {
        let ended: Vec<AssignmentId> = {
            let mut membership = self.membership();
            let ended: Vec<_> = partitions
                .elements()
                .iter()
                .filter_map(|element| {
                    membership
                        .current
                        .remove(&(element.topic().to_owned(), element.partition()))
                })
                .map(|assignment| assignment.id)
                .collect();
            membership
                .events
                .extend(ended.iter().copied().map(GroupEvent::Revoked));
            ended
        };
        self.changed.store(true, Ordering::Relaxed);
        self.metrics.revoked.increment(ended.len() as u64);
        // Partitions that were lost may have a new owner already: waiting helps nobody.
        let drain = if consumer.assignment_lost() {
            Duration::ZERO
        } else {
            self.drain
        };
        let given_up = self.release(ended, Instant::now() + drain);
        if given_up > 0 {
            tracing::warn!(
                records = given_up,
                "a rebalance gave up records in flight; their next owner reads them again"
            );
        }
        if !consumer.assignment_lost() {
            self.commit(consumer);
        }
    }

    fn membership(&self) -> std::sync::MutexGuard<'_, Membership> {
        self.membership
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log::write_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.errors.write(&error, reason);
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let is_assign = event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if !is_assign && !self.closed.load(Ordering::Relaxed) {
            self.revoked(consumer, partitions);
        }
        let is_cooperative = matches!(
            consumer.rebalance_protocol(),
            RebalanceProtocol::Cooperative
        );
        let applied = match (is_assign, is_cooperative) {
            (true, true) => consumer.incremental_assign(partitions),
            (true, false) => consumer.assign(partitions),
            (false, true) => consumer.incremental_unassign(partitions),
            (false, false) => consumer.unassign(),
        };
        if let Err(error) = applied {
            tracing::error!(%error, "a rebalance could not be applied");
        }
        if is_assign {
            self.assigned(partitions);
            if self.paused.load(Ordering::Relaxed)
                && let Err(error) = consumer.pause(partitions)
            {
                tracing::warn!(%error, "new partitions could not be paused");
            }
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        match result {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => self.commit_failed(&error),
        }
    }
}

/// How long after its deadline the emitter may take to answer.
const ANSWER_MARGIN: Duration = Duration::from_secs(2);

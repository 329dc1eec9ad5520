//! The thread that puts results in order, produces them and moves the commit frontier.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::assignment::{Assignment, AssignmentId};
use crate::control::Control;
use crate::dead_letter::{OUTPUT_TOO_LARGE, dead_letter, without_value};
use crate::delivery::{Delivered, Delivery, Token};
use crate::error::Error;
use crate::lane::Lane;
use crate::metrics::EmitterMetrics;
use crate::outcome::{InFlight, Outcome, Rejection};
use crate::record::OutputRecord;
use crate::reorder::ReorderBuffer;

/// What the emitter is told, in the order in which it happened.
pub(crate) enum EmitterMessage {
    Assigned(Arc<Assignment>),
    Finished(InFlight, Outcome),
    Abandoned(InFlight),
    Revoked(Revocation),
    Stop,
}

/// Assignments that have ended, or are about to: no further record of theirs is dispatched.
pub(crate) struct Revocation {
    pub(crate) assignments: Vec<AssignmentId>,
    pub(crate) deadline: Instant,
    /// Answered when all is acknowledged and stored, or at the deadline, with the number of records given up.
    pub(crate) reply: Sender<u64>,
}

/// Where dead letters go, and in whose name.
pub(crate) struct DeadLetters {
    pub(crate) topic: Arc<str>,
    pub(crate) stage: &'static str,
}

pub(crate) struct Emitter {
    inbox: Receiver<EmitterMessage>,
    delivery: Delivery,
    dead_letters: DeadLetters,
    control: Arc<Control>,
    /// Wakes a consumer that waits for room in its budget.
    released: Sender<()>,
    metrics: EmitterMetrics,
    lanes: HashMap<AssignmentId, Lane>,
    /// Assignments that ended while the client still held outputs of theirs. What may yet arrive is not settled.
    given_up: HashMap<AssignmentId, Lane>,
    revocations: Vec<Revocation>,
    settled: ReorderBuffer<()>,
    now: Instant,
    next_store: Instant,
    is_stopping: bool,
}

impl Emitter {
    pub(crate) fn new(
        inbox: Receiver<EmitterMessage>,
        delivery: Delivery,
        dead_letters: DeadLetters,
        control: Arc<Control>,
        released: Sender<()>,
    ) -> Self {
        let now = Instant::now();
        Self {
            inbox,
            delivery,
            metrics: EmitterMetrics::new(dead_letters.stage),
            dead_letters,
            control,
            released,
            lanes: HashMap::new(),
            given_up: HashMap::new(),
            revocations: Vec::new(),
            settled: ReorderBuffer::default(),
            now,
            next_store: now,
            is_stopping: false,
        }
    }

    /// Runs until it is told to stop.
    ///
    /// # Errors
    /// A record that was abandoned, or a delivery that failed for good. Offsets stored by then are safe to commit.
    pub(crate) fn run(mut self) -> Result<(), Error> {
        while !self.is_stopping {
            let handled = self.take_messages()?;
            self.deliver()?;
            self.pass_frontiers();
            self.discard_given_up();
            self.answer_revocations();
            self.store_offsets_when_due();
            self.publish_settled();
            self.control.beat_emitter();
            if (1..LARGE_TURN).contains(&handled) {
                // Results arrive one by one. Being woken for each of them would cost more than all the rest.
                thread::park_timeout(TURN);
            }
        }
        Ok(())
    }

    fn take_messages(&mut self) -> Result<usize, Error> {
        let is_idle = self.revocations.is_empty() && self.delivery.is_idle();
        let patience = if is_idle { IDLE_TURN } else { TURN };
        let first = match self.inbox.recv_timeout(patience) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => {
                self.now = Instant::now();
                return Ok(0);
            }
            Err(RecvTimeoutError::Disconnected) => EmitterMessage::Stop,
        };
        self.now = Instant::now();
        self.handle(first)?;
        let mut handled = 1;
        while handled < MAX_TURN
            && let Ok(message) = self.inbox.try_recv()
        {
            self.handle(message)?;
            handled += 1;
        }
        Ok(handled)
    }

    fn handle(&mut self, message: EmitterMessage) -> Result<(), Error> {
        match message {
            EmitterMessage::Assigned(assignment) => {
                self.lanes.insert(assignment.id, Lane::new(assignment));
            }
            EmitterMessage::Finished(in_flight, outcome) => self.finished(in_flight, outcome),
            EmitterMessage::Abandoned(in_flight) => return self.abandoned(in_flight),
            EmitterMessage::Revoked(revocation) => self.revocations.push(revocation),
            EmitterMessage::Stop => self.is_stopping = true,
        }
        Ok(())
    }

    fn finished(&mut self, in_flight: InFlight, outcome: Outcome) {
        let id = in_flight.assignment;
        let Some(lane) = self.lanes.get_mut(&id) else {
            self.discard(in_flight);
            return;
        };
        lane.take(in_flight, outcome, self.now);
        while let Some(turn) = self.lanes.get_mut(&id).and_then(Lane::next_in_order) {
            self.metrics.waited_for_turn(self.now - turn.arrived);
            self.emit(turn.in_flight, turn.outcome);
        }
    }

    fn emit(&mut self, in_flight: InFlight, outcome: Outcome) {
        let mut outputs = outcome.outputs;
        for output in &mut outputs {
            output
                .headers
                .inherit_trace_context(&in_flight.record.headers);
        }
        if let Some(rejection) = &outcome.rejection {
            outputs.push(self.dead_letter(&in_flight, rejection));
        }
        let token = token(in_flight.assignment, in_flight.ordinal);
        if let Some(lane) = self.lanes.get_mut(&in_flight.assignment) {
            lane.open(
                in_flight,
                outputs.len() as u32,
                outcome.rejection.is_some(),
                self.now,
            );
        }
        for output in outputs {
            self.delivery.enqueue(token, output);
        }
    }

    fn dead_letter(&self, in_flight: &InFlight, rejection: &Rejection) -> OutputRecord {
        self.metrics.dead_letter(rejection.reason);
        self.control.dead_letters.fetch_add(1, Ordering::Relaxed);
        let DeadLetters { topic, stage } = &self.dead_letters;
        dead_letter(Arc::clone(topic), stage, &in_flight.record, rejection)
    }

    fn abandoned(&mut self, in_flight: InFlight) -> Result<(), Error> {
        if !self.lanes.contains_key(&in_flight.assignment) {
            self.discard(in_flight);
            return Ok(());
        }
        let record = &in_flight.record;
        Err(Error::Abandoned {
            topic: record.topic.to_string(),
            partition: record.partition,
            offset: record.offset,
        })
    }

    fn deliver(&mut self) -> Result<(), Error> {
        let mut too_large = Vec::new();
        let mut acknowledged = 0;
        for delivered in self.delivery.pump()? {
            match delivered {
                Delivered::Acknowledged(token) => {
                    acknowledged += 1;
                    let id = assignment_of(token);
                    let lane = self.lanes.get_mut(&id);
                    if let Some(lane) = lane.or_else(|| self.given_up.get_mut(&id)) {
                        lane.acknowledge(ordinal_of(token));
                    }
                }
                Delivered::TooLarge(token, output) => too_large.push((token, output)),
            }
        }
        if acknowledged > 0 {
            self.metrics.records_produced.increment(acknowledged);
        }
        for (token, output) in too_large.into_iter().rev() {
            self.replace_too_large(token, output)?;
        }
        Ok(())
    }

    /// Puts the source's dead letter in the place of an output that no topic takes.
    fn replace_too_large(&mut self, token: Token, output: OutputRecord) -> Result<(), Error> {
        let (id, ordinal) = (assignment_of(token), ordinal_of(token));
        let Some(lane) = self.lanes.get_mut(&id) else {
            if let Some(lane) = self.given_up.get_mut(&id) {
                lane.acknowledge(ordinal);
            }
            return Ok(());
        };
        let Some(open) = lane.opened(ordinal) else {
            return Ok(());
        };
        if output.topic == self.dead_letters.topic {
            let source = &open.in_flight.record;
            let shortened = without_value(&output, source);
            if shortened.size_bytes() >= output.size_bytes() {
                return Err(Error::MessageTooLarge);
            }
            self.delivery.enqueue_first(token, shortened);
        } else if open.is_dead_lettered {
            lane.acknowledge(ordinal);
        } else {
            open.is_dead_lettered = true;
            let detail = format!("{} bytes for {}", output.size_bytes(), output.topic);
            let rejection = Rejection::new(OUTPUT_TOO_LARGE, detail);
            self.metrics.dead_letter(rejection.reason);
            self.control.dead_letters.fetch_add(1, Ordering::Relaxed);
            let DeadLetters { topic, stage } = &self.dead_letters;
            let letter = dead_letter(Arc::clone(topic), stage, &open.in_flight.record, &rejection);
            self.delivery.enqueue_first(token, letter);
        }
        Ok(())
    }

    fn pass_frontiers(&mut self) {
        let (mut events, mut bytes) = (0, 0);
        for lane in self.lanes.values_mut() {
            while let Some(passed) = lane.pass() {
                events += 1;
                bytes += passed.in_flight.bytes;
                settle(&mut self.settled, passed.in_flight.sequence);
                self.metrics.produced(self.now - passed.since);
            }
        }
        self.release(events, bytes);
    }

    fn answer_revocations(&mut self) {
        let mut index = 0;
        while index < self.revocations.len() {
            let revocation = &self.revocations[index];
            let is_complete = revocation
                .assignments
                .iter()
                .all(|id| self.lanes.get(id).is_none_or(Lane::is_complete));
            if !is_complete && self.now < revocation.deadline {
                index += 1;
                continue;
            }
            let revocation = self.revocations.swap_remove(index);
            let given_up = revocation.assignments.iter().map(|id| self.end(*id)).sum();
            if revocation.reply.send(given_up).is_err() {
                tracing::debug!("nobody waits for a revocation any more");
            }
        }
    }

    /// Discards what was given up once nothing of it is on its way any more.
    fn discard_given_up(&mut self) {
        let mut discarded = Vec::new();
        self.given_up.retain(|_, lane| {
            while let Some(passed) = lane.pass() {
                discarded.push(passed.in_flight);
            }
            !lane.is_passed()
        });
        for in_flight in discarded {
            self.discard(in_flight);
        }
    }

    /// Ends an assignment: stores its frontier and gives up what has not reached it. Returns how many records that is.
    fn end(&mut self, id: AssignmentId) -> u64 {
        let Some(mut lane) = self.lanes.remove(&id) else {
            return 0;
        };
        let given_up = lane.unfinished();
        self.delivery
            .store_offsets(lane.take_committable().into_iter());
        if given_up > 0 {
            // Nothing of this lane is stored from here on: what it is told below only empties it.
            self.delivery.drop_queued(|token| {
                let is_dropped = assignment_of(token) == id;
                if is_dropped {
                    lane.acknowledge(ordinal_of(token));
                }
                is_dropped
            });
            for in_flight in lane.take_waiting() {
                self.discard(in_flight);
            }
            self.given_up.insert(id, lane);
        }
        given_up
    }

    fn discard(&mut self, in_flight: InFlight) {
        self.metrics.stale_results.increment(1);
        self.control.stale_results.fetch_add(1, Ordering::Relaxed);
        settle(&mut self.settled, in_flight.sequence);
        self.release(1, in_flight.bytes);
    }

    fn release(&self, events: u64, bytes: usize) {
        if events == 0 {
            return;
        }
        self.control
            .released_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
        // The consumer reads the events first: what it sees released in events, it sees in bytes too.
        self.control
            .released_events
            .fetch_add(events, Ordering::Release);
        if self.released.try_send(()).is_err() {
            // A wake-up is pending already, or the consumer is gone.
            tracing::trace!("release was announced before");
        }
    }

    fn store_offsets_when_due(&mut self) {
        if self.now < self.next_store {
            return;
        }
        self.next_store = self.now + STORE_INTERVAL;
        let Self {
            lanes, delivery, ..
        } = self;
        delivery.store_offsets(lanes.values_mut().filter_map(Lane::take_committable));
    }

    fn publish_settled(&mut self) {
        while self.settled.pop_ready().is_some() {}
        let settled = self.settled.next_place();
        self.control.settled.send_if_modified(|current| {
            let changed = *current != settled;
            *current = settled;
            changed
        });
    }
}

fn settle(settled: &mut ReorderBuffer<()>, sequence: u64) {
    let first_time = settled.insert(sequence, ());
    debug_assert!(first_time.is_ok(), "a record was settled twice");
}

/// A pointer-sized number is all that travels through the client: 24 bits of assignment, 40 of ordinal. They last for
/// 16 million assignments, and a trillion records in one.
fn token(assignment: AssignmentId, ordinal: u64) -> Token {
    ((assignment.0 << ORDINAL_BITS) | ordinal) as Token
}

fn assignment_of(token: Token) -> AssignmentId {
    AssignmentId(token as u64 >> ORDINAL_BITS)
}

fn ordinal_of(token: Token) -> u64 {
    token as u64 & ((1 << ORDINAL_BITS) - 1)
}

const ORDINAL_BITS: u32 = 40;
const _: () = assert!(usize::BITS == 64, "tokens need 64-bit pointers");

/// A turn with results to wait for. Bounds what this thread adds to a result's latency.
const TURN: Duration = Duration::from_millis(1);
/// A turn with nothing to do.
const IDLE_TURN: Duration = Duration::from_millis(100);
/// A turn with this many messages is followed by the next one at once.
const LARGE_TURN: usize = 64;
/// Bounds the work between two looks at the producer.
const MAX_TURN: usize = 1024;
/// Offsets are stored far more often than they are committed, and far less often than records are acknowledged.
const STORE_INTERVAL: Duration = Duration::from_millis(20);

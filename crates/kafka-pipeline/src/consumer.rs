//! The thread that polls, keeps the budget and dispatches.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Message};

use crate::age::OldestInFlight;
use crate::assignment::Assignment;
use crate::budget::InFlightBudget;
use crate::control::{Control, State};
use crate::emitter::EmitterMessage;
use crate::error::{Error, is_final_for_consumer};
use crate::group::{GroupContext, GroupEvent};
use crate::inputs::Inputs;
use crate::lease::{self, Lease};
use crate::metrics::ConsumerMetrics;
use crate::outcome::{Dispatched, InFlight, Processor};
use crate::record::Record;
use crate::topics;
use crate::wire;

/// Ends consumption: what is in flight may be finished until the deadline.
pub(crate) struct Drain {
    pub(crate) deadline: Instant,
}

/// A record that was read and has not been let in.
struct Held {
    record: Record,
    bytes: usize,
    owner: Arc<Assignment>,
}

pub(crate) struct ConsumerLoop<P> {
    pub(crate) consumer: Arc<BaseConsumer<GroupContext>>,
    pub(crate) processor: P,
    pub(crate) emitter: Sender<EmitterMessage>,
    pub(crate) control: Arc<Control>,
    pub(crate) drains: Receiver<Drain>,
    pub(crate) lease: Option<Lease>,
    pub(crate) released: Receiver<()>,
    pub(crate) inputs: Inputs,
    pub(crate) budget: InFlightBudget,
    pub(crate) metrics: ConsumerMetrics,
    pub(crate) flow: Flow,
}

/// Why nothing is polled, and what waits meanwhile.
pub(crate) struct Flow {
    /// In the order of reading. More than one record only when the client hands out what it had prefetched before a
    /// pause.
    held: VecDeque<Held>,
    held_since: Instant,
    is_over_budget: bool,
    is_paused: bool,
    oldest: OldestInFlight,
    seen_events: u64,
    seen_bytes: u64,
    next_report: Instant,
}

impl Flow {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            held: VecDeque::new(),
            held_since: now,
            is_over_budget: false,
            is_paused: false,
            oldest: OldestInFlight::default(),
            seen_events: 0,
            seen_bytes: 0,
            next_report: now,
        }
    }
}

impl<P: Processor> ConsumerLoop<P> {
    /// Subscribes, once the brokers have said that all topics exist.
    ///
    /// The client itself would wait for half a minute before it calls a topic unknown.
    ///
    /// # Errors
    /// [`Error::UnknownTopic`], or that the brokers refuse this client.
    fn subscribe(&mut self) -> Result<Option<Drain>, Error> {
        let consumer = Arc::clone(&self.consumer);
        let names = self.inputs.names();
        for topic in &names {
            loop {
                match topics::partitions(&consumer, topic) {
                    Ok(answer) => break answer.map(drop)?,
                    Err(error) => tracing::warn!(%error, topic, "the brokers do not answer yet"),
                }
                self.control.beat_consumer();
                if let Ok(drain) = self.drains.recv_timeout(ASK_AGAIN) {
                    return Ok(Some(drain));
                }
                if let Some(Err(error)) = consumer.poll(Duration::ZERO)
                    && is_final_for_consumer(&error)
                {
                    return Err(Error::from_kafka(&error, "connecting"));
                }
            }
        }
        consumer
            .subscribe(&names)
            .map_err(|error| Error::from_kafka(&error, "subscribing"))?;
        Ok(None)
    }

    /// Consumes until a drain is asked for or the emitter has ended, which `is_emitter_alive` tells.
    ///
    /// # Errors
    /// An error of the consumer that does not go away by itself, or [`Error::LeaseExpired`].
    pub(crate) fn run(&mut self, is_emitter_alive: impl Fn() -> bool) -> Result<Drain, Error> {
        if let Some(drain) = self.subscribe()? {
            return Ok(drain);
        }
        loop {
            if !is_emitter_alive() {
                return Ok(Drain {
                    deadline: Instant::now(),
                });
            }
            if let Ok(drain) = self.drains.try_recv() {
                return Ok(drain);
            }
            self.turn()?;
            self.report_when_due();
        }
    }

    /// One look at everything, then messages until the client has no more at hand.
    fn turn(&mut self) -> Result<(), Error> {
        self.control.beat_consumer();
        lease::check(&self.lease)?;
        self.follow_pause_request();
        self.let_held_in();
        if !self.flow.held.is_empty() && !self.is_stopped() {
            self.wait_for_room();
            return Ok(());
        }
        let mut patience = if self.flow.is_over_budget {
            FULL_POLL
        } else {
            POLL
        };
        let consumer = Arc::clone(&self.consumer);
        for _ in 0..MAX_TURN {
            let polled = consumer.poll(patience);
            self.follow_group();
            let Some(polled) = polled else { return Ok(()) };
            self.on_polled(polled)?;
            if !self.flow.held.is_empty() {
                return Ok(());
            }
            patience = Duration::ZERO;
        }
        Ok(())
    }

    fn on_polled(&mut self, polled: KafkaResult<BorrowedMessage<'_>>) -> Result<(), Error> {
        match polled {
            Ok(message) => {
                self.on_message(&message);
                Ok(())
            }
            Err(KafkaError::PartitionEOF(_)) => Ok(()),
            Err(error) if is_final_for_consumer(&error) => {
                Err(Error::from_kafka(&error, "consuming"))
            }
            Err(error) => {
                self.consumer
                    .context()
                    .errors
                    .write(&error, "consuming; the client library tries again");
                Ok(())
            }
        }
    }

    fn on_message(&mut self, message: &BorrowedMessage<'_>) {
        let Some((topic, assignment)) = self.inputs.find(message.topic(), message.partition())
        else {
            // Taken away between the fetch and now: its next owner reads it.
            return;
        };
        let record = wire::read(message, topic);
        let held = Held {
            bytes: record.size_bytes(),
            record,
            owner: assignment,
        };
        let may_enter = !self.is_stopped() && self.flow.held.is_empty();
        if may_enter && self.admit(held.bytes) {
            self.dispatch(held);
            return;
        }
        if self.flow.held.is_empty() {
            self.flow.held_since = Instant::now();
        }
        self.flow.held.push_back(held);
    }

    fn dispatch(&mut self, held: Held) {
        let sequence = self.control.next_sequence();
        self.flow.oldest.dispatched(sequence, Instant::now());
        self.metrics.records_consumed.increment(1);
        self.inputs.consumed(&held.owner, held.record.offset);
        let in_flight = InFlight {
            record: held.record,
            assignment: held.owner.id,
            ordinal: held.owner.next_ordinal(),
            sequence,
            bytes: held.bytes,
        };
        self.processor
            .process(Dispatched::new(in_flight, self.emitter.clone()));
    }

    fn is_stopped(&self) -> bool {
        self.flow.is_paused || self.flow.is_over_budget
    }

    fn admit(&mut self, bytes: usize) -> bool {
        self.budget.admit(bytes) || {
            self.take_releases();
            self.budget.admit(bytes)
        }
    }

    fn take_releases(&mut self) {
        let events = self.control.released_events.load(Ordering::Acquire);
        let bytes = self.control.released_bytes.load(Ordering::Relaxed);
        let (new_events, new_bytes) =
            (events - self.flow.seen_events, bytes - self.flow.seen_bytes);
        self.budget.release(new_events as usize, new_bytes as usize);
        self.flow.seen_events = events;
        self.flow.seen_bytes = bytes;
    }

    /// Lets held records in while there is room, and resumes when there is enough.
    fn let_held_in(&mut self) {
        if self.flow.is_paused {
            return;
        }
        self.take_releases();
        if self.flow.is_over_budget {
            if !self.budget.may_resume() {
                return;
            }
            self.flow.is_over_budget = false;
        }
        while let Some(first) = self.flow.held.front() {
            if !self.budget.admit(first.bytes) {
                return;
            }
            if let Some(held) = self.flow.held.pop_front() {
                self.dispatch(held);
            }
            // The next one, if there is any, waits for its own second.
            self.flow.held_since = Instant::now();
        }
        self.apply_flow();
    }

    /// Waits a little for room, and pauses when none came for a second: pausing throws away what was prefetched.
    fn wait_for_room(&mut self) {
        if self.flow.held_since.elapsed() >= HOLD {
            self.flow.is_over_budget = true;
            self.apply_flow();
        } else if self.released.recv_timeout(HOLD_STEP).is_ok() {
            tracing::trace!("room in the budget");
        }
    }

    fn follow_pause_request(&mut self) {
        let requested = self.control.pause_requested.load(Ordering::Acquire);
        let is_settled = !matches!(*self.control.state.borrow(), State::Starting);
        if requested == self.flow.is_paused && is_settled {
            return;
        }
        self.flow.is_paused = requested;
        self.apply_flow();
        self.control.set_state(if requested {
            State::Paused
        } else {
            State::Running
        });
    }

    /// Makes the client's pauses agree with ours.
    fn apply_flow(&mut self) {
        let stopped = self.is_stopped();
        if stopped == self.inputs.is_paused {
            return;
        }
        self.inputs.is_paused = stopped;
        self.consumer.context().set_paused(stopped);
        let assigned = match self.consumer.assignment() {
            Ok(assigned) if assigned.count() > 0 => assigned,
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(%error, "the assignment could not be read");
                return;
            }
        };
        let applied = if stopped {
            self.consumer.pause(&assigned)
        } else {
            self.consumer.resume(&assigned)
        };
        if let Err(error) = applied {
            tracing::warn!(%error, stopped, "partitions could not be paused or resumed");
        }
    }

    fn follow_group(&mut self) {
        let consumer = Arc::clone(&self.consumer);
        for event in consumer.context().take_events() {
            match event {
                GroupEvent::Assigned(assignment) => {
                    tracing::info!(topic = %assignment.topic, partition = assignment.partition, "partition assigned");
                    self.inputs.assign(assignment);
                }
                GroupEvent::Revoked(id) => {
                    self.inputs.revoke(id);
                    self.flow.held.retain(|held| held.owner.id != id);
                }
            }
        }
    }

    fn report_when_due(&mut self) {
        let now = Instant::now();
        if now < self.flow.next_report {
            return;
        }
        self.flow.next_report = now + REPORT;
        self.take_releases();
        let oldest = self.flow.oldest.age(*self.control.settled.borrow(), now);
        self.control
            .oldest_in_flight_ms
            .store(oldest.as_millis() as u64, Ordering::Relaxed);
        self.metrics.oldest_in_flight.set(oldest.as_secs_f64());
        self.metrics
            .in_flight_events
            .set(self.budget.events() as f64);
        self.metrics.in_flight_bytes.set(self.budget.bytes() as f64);
        let assigned = self.inputs.assigned();
        self.control
            .assigned_partitions
            .store(assigned, Ordering::Relaxed);
        self.metrics.assigned_partitions.set(assigned as f64);
        let paused = if self.inputs.is_paused { assigned } else { 0 };
        self.control
            .paused_partitions
            .store(paused, Ordering::Relaxed);
        self.metrics.paused_partitions.set(paused as f64);
        let lag = self.inputs.report_lag(self.consumer.client());
        self.control.lag_records.store(lag, Ordering::Relaxed);
    }
}

/// How long to wait before the brokers are asked again: some answers come at once.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// Bounds how late a pause, a drain or a failure of the emitter is noticed when no records come.
const POLL: Duration = Duration::from_millis(20);
/// While paused for room, polling only serves the group; room may come any moment.
const FULL_POLL: Duration = Duration::from_millis(5);
/// Records between two looks at requests and releases.
const MAX_TURN: usize = 256;
/// How long one record is held before partitions are paused.
const HOLD: Duration = Duration::from_secs(1);
/// Bounds how late a request is noticed while a record is held.
const HOLD_STEP: Duration = Duration::from_millis(20);
/// How often figures are refreshed.
const REPORT: Duration = Duration::from_millis(100);

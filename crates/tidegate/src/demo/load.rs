//! The producer: sends events at a rate, or as fast as they are answered.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use kafka_pipeline::{OutputRecord, Publisher};
use moderation_wire::{Format, headers};
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::flow::Flow;
use super::measured::MeasuredProcesses;
use super::observation::Observation;
use super::source::Source;
use super::traffic::Generated;

/// How often the producer looks whether it may go on.
const POLL: Duration = Duration::from_micros(200);
/// How often it looks whether it must stop.
const STOP_POLL: Duration = Duration::from_millis(50);

/// When events are sent, and when no more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Events a second, sent when they are due whatever becomes of earlier ones; as fast as possible if absent.
    pub(crate) rate: Option<f64>,
    /// Ends after so many.
    pub(crate) events: Option<u64>,
    /// Ends after so long.
    pub(crate) duration: Option<Duration>,
}

impl Pace {
    /// Returns when an event is due, where there is a rate.
    fn due(&self, index: u64) -> Option<Duration> {
        self.rate
            .map(|rate| Duration::from_secs_f64(index as f64 / rate))
    }

    /// Returns how far a run that has an end came before it was told to stop, where the source holds `available` events.
    fn shortfall(&self, sent: u64, elapsed: Duration, available: Option<u64>) -> Option<String> {
        let events = self.events.into_iter().chain(available).min();
        let whole =
            |time: Duration| humantime::format_duration(Duration::from_secs(time.as_secs()));
        match (events, self.duration) {
            (Some(events), _) => Some(format!("after {sent} of {events} events")),
            (None, Some(duration)) => Some(format!(
                "after {} of {}, {sent} events",
                whole(elapsed),
                humantime::format_duration(duration)
            )),
            (None, None) => None,
        }
    }

    fn is_over(&self, index: u64, elapsed: Duration) -> bool {
        let at = self.due(index).unwrap_or(elapsed);
        self.events.is_some_and(|events| index >= events)
            || self.duration.is_some_and(|duration| at >= duration)
    }
}

/// The producer.
pub(crate) struct Load {
    /// What is sent.
    pub(crate) source: Arc<Source>,
    /// When.
    pub(crate) pace: Pace,
    /// The beginning of the load.
    pub(crate) clock: Clock,
    /// How much is on its way.
    pub(crate) flow: Arc<Flow>,
    /// Where it goes.
    pub(crate) publisher: Publisher,
    /// On which topic.
    pub(crate) topic: Arc<str>,
    /// Who keeps the ledger.
    pub(crate) observations: SyncSender<Observation>,
    /// Whose processor time is told at the end.
    pub(crate) measured: MeasuredProcesses,
    /// Ends it early.
    pub(crate) stop: CancellationToken,
}

impl Load {
    /// Sends events until there are no more or it is stopped, and returns how far it came if that is short of its end.
    ///
    /// # Errors
    /// If an event cannot be made or the producer has failed.
    pub(crate) fn run(self) -> anyhow::Result<Option<String>> {
        let sent = self.send_all();
        // The observer is told even after an error, so that it can account for what was sent.
        self.observe(Observation::AllPublished(self.measured.cpu_time()))?;
        self.publisher
            .flush(Duration::from_secs(10))
            .context("the last events were not taken by the broker")?;
        sent
    }

    fn send_all(&self) -> anyhow::Result<Option<String>> {
        let (mut index, mut bytes) = (0, 0);
        let mut begin = Duration::ZERO;
        let available = self.source.len();
        while available.is_none_or(|available| index < available)
            && !self
                .pace
                .is_over(index, self.clock.elapsed().saturating_sub(begin))
        {
            let Some(due) = self.wait(begin, index, bytes) else {
                let elapsed = self.clock.elapsed().saturating_sub(begin);
                return Ok(self.pace.shortfall(index, elapsed, available));
            };
            let scheduled = Clock::ticks(due);
            let event = self.source.event(index, self.clock.wall(scheduled))?;
            let size = u32::try_from(event.value.len()).unwrap_or(u32::MAX);
            // Told before it is sent, so that the answer cannot come first.
            self.observe(Observation::Published {
                scheduled,
                bytes: size,
            })?;
            self.send(event)?;
            index += 1;
            bytes += u64::from(size);
            if index == 1 {
                // Consumer groups gather until now. What they take is in the time to the first decision; the schedule
                // begins behind it, moved so that the next event is due now.
                self.wait_for_first_answer();
                let passed = self.pace.due(index).unwrap_or_default();
                begin = self.clock.elapsed().saturating_sub(passed);
            }
        }
        Ok(None)
    }

    fn wait_for_first_answer(&self) {
        while !self.flow.has_answers() && !self.stop.is_cancelled() {
            thread::park_timeout(POLL);
        }
    }

    /// Waits until the event is due and there is room, and returns when it was due. `None` when it is time to stop.
    ///
    /// With a rate, waiting for room does not move what is due: an age counts from when the event should have been sent.
    fn wait(&self, begin: Duration, index: u64, bytes: u64) -> Option<Duration> {
        loop {
            if self.stop.is_cancelled() {
                return None;
            }
            let now = self.clock.elapsed();
            let due = self.pace.due(index).map_or(now, |due| begin + due);
            match due.checked_sub(now).filter(|ahead| !ahead.is_zero()) {
                Some(ahead) => thread::park_timeout(ahead.min(STOP_POLL)),
                None if self.flow.has_room(index, bytes) => return Some(due),
                None => thread::park_timeout(POLL),
            }
        }
    }

    fn send(&self, event: Generated) -> anyhow::Result<()> {
        let mut record = OutputRecord::new(Arc::clone(&self.topic), event.key, event.value);
        if event.format == Format::Json {
            record = record.with_header(headers::CONTENT_TYPE, Format::Json.content_type());
        }
        self.publisher.publish_with(&record, |result| {
            if let Err(error) = result {
                tracing::error!(%error, "an event was not taken by the broker");
            }
        })?;
        Ok(())
    }

    fn observe(&self, observation: Observation) -> anyhow::Result<()> {
        self.observations
            .send(observation)
            .context("the observer has ended")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_shortfall(
        events: Option<u64>,
        seconds: Option<u64>,
        available: Option<u64>,
        said: &str,
    ) {
        let pace = Pace {
            rate: None,
            events,
            duration: seconds.map(Duration::from_secs),
        };
        let shortfall = pace.shortfall(4, Duration::from_millis(2900), available);
        assert_eq!(shortfall.unwrap_or_default(), said);
    }

    #[test]
    fn a_run_that_is_stopped_says_how_far_it_came_if_it_has_an_end() {
        check_shortfall(Some(100), None, None, "after 4 of 100 events");
        check_shortfall(Some(100), Some(60), Some(7), "after 4 of 7 events");
        check_shortfall(None, Some(60), None, "after 2s of 1m, 4 events");
        check_shortfall(None, None, None, "");
    }

    #[test]
    fn the_pace_says_when_events_are_due_and_when_they_end() {
        let second = Duration::from_secs(1);
        let paced = Pace {
            rate: Some(4.0),
            events: Some(8),
            duration: None,
        };
        assert_eq!(paced.due(6), Some(Duration::from_millis(1500)));
        assert!(!paced.is_over(7, second * 9) && paced.is_over(8, Duration::ZERO));
        let timed = Pace {
            rate: Some(4.0),
            events: None,
            duration: Some(second),
        };
        assert!(
            !timed.is_over(3, second * 9),
            "the schedule counts, not the wall clock"
        );
        assert!(timed.is_over(4, Duration::ZERO));
        let fast = Pace {
            rate: None,
            events: None,
            duration: Some(second),
        };
        assert!(!fast.is_over(1 << 40, Duration::ZERO) && fast.is_over(0, second));
    }
}

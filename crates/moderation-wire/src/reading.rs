//! What is kept in mind while a record is converted.

use std::time::Duration;

use moderation::{Flag, InvalidIdentifier, Language, Limits, Region, Timestamp};

use crate::invalid::{Invalid, Path, Problem};
use crate::time::timestamp_from_wire;
use crate::words::Word;

/// Who wrote the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    /// A producer outside, whose omissions are noted.
    Platform,
    /// A stage, which noted them already.
    Stage,
}

/// The conversion of one record: its bounds, and what was unusual so far.
pub(crate) struct Reading<'l> {
    pub(crate) limits: &'l Limits,
    pub(crate) writer: Writer,
    /// Past which point a producer's clock counts as wrong, and what replaces it.
    clock: Option<Timestamp>,
    flags: Vec<Flag>,
    first: Option<Invalid>,
}

impl<'l> Reading<'l> {
    pub(crate) fn new(writer: Writer, limits: &'l Limits) -> Self {
        Self {
            limits,
            writer,
            clock: None,
            flags: Vec::new(),
            first: None,
        }
    }

    /// Sets the clock against which the record's times are checked.
    pub(crate) fn set_clock(&mut self, clock: Timestamp) {
        self.clock = Some(clock);
    }

    /// Replaces a time that lies ahead of the clock by more than the limits allow.
    pub(crate) fn not_ahead(&mut self, at: &Path<'_>, time: Timestamp) -> Timestamp {
        let skew = Duration::from_millis(self.limits.max_clock_skew_ms);
        match self.clock {
            Some(clock) if time > clock.saturating_add(skew) => {
                self.note(at, Problem::InFuture);
                clock
            }
            _ => time,
        }
    }

    /// Raises a flag once.
    pub(crate) fn raise(&mut self, flag: Flag) {
        if let Err(place) = self.flags.binary_search(&flag) {
            self.flags.insert(place, flag);
        }
    }

    /// Notes what is wrong with a field that can be done without.
    pub(crate) fn note(&mut self, at: &Path<'_>, problem: impl Into<Problem>) {
        let problem = problem.into();
        self.raise(problem.flag());
        if self.first.is_none() {
            self.first = Some(at.invalid(problem));
        }
    }

    /// Notes the absence of what every producer should state.
    pub(crate) fn note_absent(&mut self, at: &Path<'_>) {
        if self.writer == Writer::Platform {
            self.note(at, Problem::Missing);
        }
    }

    /// Returns the flags in their order.
    pub(crate) fn into_flags(self) -> Vec<Flag> {
        self.flags
    }

    /// Fails with the first thing that was noted.
    pub(crate) fn into_strict(self) -> Result<(), Invalid> {
        self.first.map_or(Ok(()), Err)
    }

    /// Reads a word of a list that has one for the unknown.
    pub(crate) fn open<W: Word + Default>(&mut self, at: &Path<'_>, number: i32) -> W {
        W::from_number(number).unwrap_or_else(|| {
            self.note(at, Problem::UnknownValue);
            W::default()
        })
    }

    /// Reads the like where a producer should say something.
    pub(crate) fn open_expected<W: Word + Default>(&mut self, at: &Path<'_>, number: i32) -> W {
        if number == 0 {
            self.note_absent(at);
        }
        self.open(at, number)
    }

    /// Reads a word of a list that has none for the unknown; `strictest` stands in.
    pub(crate) fn closed<W: Word>(&mut self, at: &Path<'_>, number: i32, strictest: W) -> W {
        W::from_number(number).unwrap_or_else(|| {
            self.note(at, Problem::UnknownValue);
            strictest
        })
    }

    /// Reads a name that may be absent; drops what is none.
    pub(crate) fn optional<T>(
        &mut self,
        at: &Path<'_>,
        value: String,
        make: impl FnOnce(String) -> Result<T, InvalidIdentifier>,
    ) -> Option<T> {
        if value.is_empty() {
            return None;
        }
        make(value).map_err(|error| self.note(at, error)).ok()
    }

    /// Reads a region code; drops what is none.
    pub(crate) fn region(&mut self, at: &Path<'_>, value: &str) -> Option<Region> {
        if value.is_empty() {
            return None;
        }
        Region::new(value)
            .map_err(|error| self.note(at, error))
            .ok()
    }

    /// Reads a language tag; drops what is none.
    pub(crate) fn language(&mut self, at: &Path<'_>, value: &str) -> Option<Language> {
        if value.is_empty() {
            return None;
        }
        Language::new(value)
            .map_err(|error| self.note(at, error))
            .ok()
    }

    /// Reads a point in time; drops what the calendar does not have.
    pub(crate) fn time(
        &mut self,
        at: &Path<'_>,
        value: Option<prost_types::Timestamp>,
    ) -> Option<Timestamp> {
        let time = timestamp_from_wire(&value?);
        if time.is_none() {
            self.note(at, Problem::OutOfRange);
        }
        time
    }
}

/// Reads a name that must be there.
pub(crate) fn required<T>(
    at: &Path<'_>,
    value: String,
    make: impl FnOnce(String) -> Result<T, InvalidIdentifier>,
) -> Result<T, Invalid> {
    if value.is_empty() {
        return Err(at.missing());
    }
    make(value).map_err(|error| at.invalid(error))
}

/// Reads a name that may be absent but not wrong.
pub(crate) fn absent_or<T>(
    at: &Path<'_>,
    value: String,
    make: impl FnOnce(String) -> Result<T, InvalidIdentifier>,
) -> Result<Option<T>, Invalid> {
    if value.is_empty() {
        return Ok(None);
    }
    required(at, value, make).map(Some)
}

/// Reads a word that must be known.
pub(crate) fn known<W: Word>(at: &Path<'_>, number: i32) -> Result<W, Invalid> {
    W::from_number(number).ok_or_else(|| match number {
        0 => at.missing(),
        _ => at.invalid(Problem::UnknownValue),
    })
}

/// Reads a point in time that must be there.
pub(crate) fn required_time(
    at: &Path<'_>,
    value: Option<prost_types::Timestamp>,
) -> Result<Timestamp, Invalid> {
    let value = value.ok_or_else(|| at.missing())?;
    timestamp_from_wire(&value).ok_or_else(|| at.invalid(Problem::OutOfRange))
}

/// Returns text unless it is empty.
pub(crate) fn non_empty(value: String) -> Option<String> {
    (!value.is_empty()).then_some(value)
}

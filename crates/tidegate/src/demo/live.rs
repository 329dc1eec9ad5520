//! The line that shows how it goes: rewritten in place on a terminal, now and then in a log.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use terminal_size::{Width, terminal_size_of};

use super::observer::Tally;

const TERMINAL_INTERVAL: Duration = Duration::from_secs(1);
const LOG_INTERVAL: Duration = Duration::from_secs(10);
/// The width of a terminal that does not tell its own.
const USUAL_WIDTH: usize = 80;

/// What there is to show.
pub(crate) struct Now<'a> {
    /// Counts since the start.
    pub(crate) tally: &'a Tally,
    /// Ages at decision since the last line, in microseconds.
    pub(crate) ages: &'a Histogram<u64>,
    /// Since the start.
    pub(crate) elapsed: Duration,
}

/// Writes to standard error.
pub(crate) struct Live {
    is_terminal: bool,
    last: Instant,
    last_answered: u64,
}

impl Live {
    /// Prepares for whatever standard error is.
    pub(crate) fn new() -> Self {
        Self {
            is_terminal: stderr().is_terminal(),
            last: Instant::now(),
            last_answered: 0,
        }
    }

    /// Shows a line if it is time, and returns whether it did.
    pub(crate) fn show(&mut self, at: Instant, now: &Now<'_>) -> bool {
        let interval = if self.is_terminal {
            TERMINAL_INTERVAL
        } else {
            LOG_INTERVAL
        };
        let since = at.saturating_duration_since(self.last);
        if since < interval || now.tally.events_in == 0 {
            return false;
        }
        let rate = (now.tally.answered - self.last_answered) as f64 / since.as_secs_f64();
        (self.last, self.last_answered) = (at, now.tally.answered);
        self.write(&line(now, rate));
        true
    }

    /// Shows how far the offline comparison is.
    pub(crate) fn progress(&mut self, done: u64) {
        if self.is_terminal || self.last.elapsed() >= LOG_INTERVAL {
            self.last = Instant::now();
            self.write(&format!("oracle: {done} events scored and decided again"));
        }
    }

    /// Leaves the last line as it is.
    pub(crate) fn end(&self) {
        if self.is_terminal {
            eprintln!();
        }
    }

    fn write(&self, line: &str) {
        if self.is_terminal {
            // A line that wraps could not be rewritten.
            eprint!("\r\u{1b}[2K{}", cut(line, width()));
            // A terminal that is gone need not be told.
            stderr().flush().ok();
        } else {
            eprintln!("{line}");
        }
    }
}

/// Returns how many characters fit in a line of the terminal.
fn width() -> usize {
    let told = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let measured = || terminal_size_of(stderr()).map(|(Width(width), _)| width.into());
    told.or_else(measured)
        .filter(|width| *width > 0)
        .unwrap_or(USUAL_WIDTH)
}

/// Returns what fits of a line.
fn cut(line: &str, width: usize) -> &str {
    line.char_indices()
        .nth(width)
        .map_or(line, |(end, _)| &line[..end])
}

/// What changes most stands first, for the end may be cut off.
fn line(now: &Now<'_>, rate: f64) -> String {
    let actions: Vec<String> = now
        .tally
        .actions
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    format!(
        "{:>4} s  {rate:.0}/s  {}  [{}]  {} decided  review {}  dead {}",
        now.elapsed.as_secs(),
        decided(now),
        actions.join(", "),
        now.tally.decisions,
        now.tally.reviews,
        now.tally.dead_letters,
    )
}

/// Describes the decisions since the last line.
fn decided(now: &Now<'_>) -> String {
    if now.ages.is_empty() {
        return "none decided".to_owned();
    }
    let age = |quantile| now.ages.value_at_quantile(quantile) as f64 / 1000.0;
    let policy = now.tally.policy_version;
    format!(
        "age p50 {:.0} p99 {:.0} ms  policy {policy}",
        age(0.5),
        age(0.99)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_holds_what_matters() {
        let mut ages = Histogram::new(3).unwrap();
        ages.record(12_000).unwrap();
        let tally = Tally {
            decisions: 40,
            actions: [("demote", 3)].into(),
            reviews: 2,
            policy_version: 5,
            ..Tally::default()
        };
        let mut now = Now {
            tally: &tally,
            ages: &ages,
            elapsed: Duration::from_secs(9),
        };
        assert_eq!(
            line(&now, 20_001.4),
            "   9 s  20001/s  age p50 12 p99 12 ms  policy 5  [demote 3]  40 decided  review 2  dead 0"
        );
        let nothing = Histogram::new(3).unwrap();
        now.ages = &nothing;
        assert_eq!(
            line(&now, 0.0),
            "   9 s  0/s  none decided  [demote 3]  40 decided  review 2  dead 0"
        );
    }

    #[test]
    fn a_line_is_cut_to_the_terminal() {
        assert_eq!(cut("p99 µs", 5), "p99 µ");
        assert_eq!(cut("p99 µs", 6), "p99 µs");
        assert_eq!(cut("", 80), "");
    }
}

//! Rounds of subject and baseline, in turns.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::options::Options;
use crate::report::{Report, Row};

/// Enough for a 10th percentile that is not the least of all.
const ROUNDS: usize = 31;
/// Two, so that each side goes first once.
const QUICK_ROUNDS: usize = 2;
/// Long beside the clock's resolution, short beside what disturbs a machine.
const ROUND: Duration = Duration::from_millis(20);
const QUICK_ROUND: Duration = Duration::from_micros(200);

/// A benchmark while it runs.
#[derive(Debug)]
pub struct Bench {
    options: Options,
    rows: Vec<Row>,
}

impl Bench {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            rows: Vec::new(),
        }
    }

    /// Returns whether it is only to be shown that everything runs.
    pub fn is_quick(&self) -> bool {
        self.options.is_quick()
    }

    /// Returns whether the case was asked for.
    pub fn wants(&self, case: &str) -> bool {
        self.options.wants(case)
    }

    /// Returns `full`, or a hundredth of it where it is only to be shown that everything runs.
    pub fn amount(&self, full: usize) -> usize {
        if self.is_quick() {
            full.div_ceil(100)
        } else {
            full
        }
    }

    /// Compares two calls in nanoseconds, each called with 0, 1, 2 …; what they return is dropped in that time.
    pub fn compare_calls<S, B>(
        &mut self,
        case: &str,
        unit: &'static str,
        mut subject: impl FnMut(usize) -> S,
        mut baseline: impl FnMut(usize) -> B,
    ) {
        if !self.wants(case) {
            return;
        }
        let round = if self.is_quick() { QUICK_ROUND } else { ROUND };
        let subject_calls = calls_in(round, &mut subject);
        let baseline_calls = calls_in(round, &mut baseline);
        let Ok((subjects, baselines)) = self.in_turns::<_, _, Infallible>(
            ROUNDS,
            |_| Ok(nanos_each(&mut subject, subject_calls)),
            |_| Ok(nanos_each(&mut baseline, baseline_calls)),
        );
        self.record_comparison(case, unit, &subjects, &baselines);
    }

    /// Measures two things `rounds` times in turns, after a round that warms both up, and returns what they found. Each
    /// is told the number of its round.
    ///
    /// # Errors
    /// The first failure of either.
    pub fn in_turns<S, B, E>(
        &self,
        rounds: usize,
        mut subject: impl FnMut(usize) -> Result<S, E>,
        mut baseline: impl FnMut(usize) -> Result<B, E>,
    ) -> Result<(Vec<S>, Vec<B>), E> {
        subject(0)?;
        baseline(0)?;
        let (mut subjects, mut baselines) = (Vec::new(), Vec::new());
        for round in 1..=self.rounds(rounds) {
            if round % 2 == 0 {
                subjects.push(subject(round)?);
                baselines.push(baseline(round)?);
            } else {
                baselines.push(baseline(round)?);
                subjects.push(subject(round)?);
            }
        }
        Ok((subjects, baselines))
    }

    /// Adds a line to the report, if its case was asked for: samples of a subject and of its baseline, taken in the same
    /// rounds.
    pub fn record_comparison(
        &mut self,
        case: &str,
        unit: &'static str,
        subjects: &[f64],
        baselines: &[f64],
    ) {
        if !self.wants(case) {
            return;
        }
        let ratios: Vec<f64> = subjects
            .iter()
            .zip(baselines)
            .map(|(subject, baseline)| subject / baseline)
            .collect();
        self.rows
            .extend(Row::new(case, unit, subjects, Some((baselines, &ratios))));
    }

    /// Adds a line to the report, if its case was asked for: samples that have no baseline.
    pub fn record(&mut self, case: &str, unit: &'static str, samples: &[f64]) {
        if self.wants(case) {
            self.rows.extend(Row::new(case, unit, samples, None));
        }
    }

    pub(crate) fn into_report(self, name: &'static str, about: &'static str) -> Report {
        Report {
            bench: name,
            about,
            quick: self.is_quick(),
            rows: self.rows,
        }
    }

    fn rounds(&self, full: usize) -> usize {
        if self.is_quick() { QUICK_ROUNDS } else { full }
    }
}

/// Returns how many calls fill a round; calling them warms caches and branch predictors.
fn calls_in<T>(round: Duration, work: &mut impl FnMut(usize) -> T) -> usize {
    let mut calls = 1;
    while time(work, calls) < round {
        calls *= 2;
    }
    calls
}

fn nanos_each<T>(work: &mut impl FnMut(usize) -> T, calls: usize) -> f64 {
    time(work, calls).as_secs_f64() * 1e9 / calls as f64
}

fn time<T>(work: &mut impl FnMut(usize) -> T, calls: usize) -> Duration {
    let started = Instant::now();
    for call in 0..calls {
        black_box(work(call));
    }
    started.elapsed()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use clap::Parser;

    use super::*;

    fn bench(args: &[&str]) -> Bench {
        let args = ["bench", "--bench"].iter().chain(args);
        Bench::new(Options::try_parse_from(args).expect("valid arguments"))
    }

    #[test]
    fn each_side_goes_first_in_every_second_round() {
        let order = RefCell::new(Vec::new());
        let note = |side: char| {
            let order = &order;
            move |round: usize| {
                order.borrow_mut().push((side, round));
                Ok::<_, Infallible>(round)
            }
        };
        let Ok((subjects, baselines)) = bench(&[]).in_turns(2, note('s'), note('b'));
        let warm_up = [('s', 0), ('b', 0)];
        let rounds = [('b', 1), ('s', 1), ('s', 2), ('b', 2)];
        assert_eq!(*order.borrow(), [&warm_up[..], &rounds[..]].concat());
        assert_eq!((subjects, baselines), (vec![1, 2], vec![1, 2]));
    }

    #[test]
    fn a_failure_ends_the_measurement() {
        let fail_in_round_2 = |round: usize| if round == 2 { Err(round) } else { Ok(round) };
        let result = bench(&[]).in_turns(9, Ok::<_, usize>, fail_in_round_2);
        assert_eq!(result, Err(2));
    }

    #[test]
    fn calls_are_compared_unless_another_case_was_asked_for() {
        let check = |args: &[&str], rows: usize| {
            let mut bench = bench(args);
            bench.compare_calls("one", "ns/call", |call| call, |call| call + 1);
            assert_eq!(bench.rows.len(), rows, "{args:?}");
        };
        check(&["--quick"], 1);
        check(&["--quick", "on"], 1);
        check(&["--quick", "other"], 0);
    }
}

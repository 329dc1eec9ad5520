//! What the demo says at its end.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use serde::Serialize;
use service_runtime::ProcessUsage;

use super::impact::Impact;
use super::observer::Observed;
use super::oracle::Findings;

/// The report, as `--json` and `--report` write it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Report {
    /// Events that were sent.
    pub(crate) events_in: u64,
    /// Decisions that came.
    pub(crate) decisions: u64,
    /// Actions that came, by kind.
    pub(crate) actions: BTreeMap<&'static str, u64>,
    /// Review requests that came.
    pub(crate) reviews: u64,
    /// Records that were put aside because nobody could tell what they are about.
    pub(crate) dead_letters: u64,
    /// Decisions, actions, reviews and dead letters that should have come and did not.
    pub(crate) lost: u64,
    /// Those that came again.
    pub(crate) duplicates: u64,
    /// Those that say something other than the libraries, or belong to no event.
    pub(crate) contradictory: u64,
    /// Answered events by second, from the first sent to the last answered.
    pub(crate) throughput_eps: f64,
    /// Microseconds of processor time by part of the demo.
    pub(crate) cpu_us_per_event: BTreeMap<&'static str, f64>,
    /// Age at decision: from when an event was due to when its decision was seen.
    pub(crate) latency_ms: Latency,
    /// The most memory that each process ever held, all together.
    pub(crate) peak_rss_mib: f64,
    /// The policy of the last decision.
    pub(crate) policy_version: u64,
    /// The bundles of all deployments that anything was scored under: name, version, digest.
    pub(crate) models: Vec<String>,
    /// By issue and age band.
    #[serde(flatten)]
    pub(crate) impact: Impact,
    /// The traffic's seed; absent with an input file.
    pub(crate) seed: Option<u64>,
    /// From the start of the process to the first decision.
    pub(crate) first_decision_seconds: Option<f64>,
    /// How far a run with an end came that was told to stop before.
    pub(crate) interrupted: Option<String>,
    /// The guarantee of delivery that was in force.
    pub(crate) delivery: &'static str,
}

/// Milliseconds at three quantiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Latency {
    p50: f64,
    p95: f64,
    p99: f64,
}

impl Report {
    /// Puts together what was observed and found.
    pub(crate) fn new(
        observed: Observed,
        findings: Findings,
        seed: Option<u64>,
        process_started: Instant,
    ) -> Self {
        let at = |quantile| observed.ages.value_at_quantile(quantile) as f64 / 1000.0;
        let usage = ProcessUsage::now().map_or(0, |usage| usage.peak_resident_bytes)
            + observed.peak_bytes_of_children;
        let since_start = |at: Instant| at.saturating_duration_since(process_started).as_secs_f64();
        Self {
            events_in: observed.tally.events_in,
            decisions: observed.tally.decisions,
            actions: observed.tally.actions,
            reviews: observed.tally.reviews,
            dead_letters: observed.tally.dead_letters,
            lost: findings.discrepancies.lost,
            duplicates: findings.discrepancies.duplicates,
            contradictory: findings.discrepancies.contradictory + observed.tally.strangers,
            throughput_eps: per_second(observed.tally.answered, observed.span),
            cpu_us_per_event: observed.cpu_us_per_event,
            latency_ms: Latency {
                p50: at(0.5),
                p95: at(0.95),
                p99: at(0.99),
            },
            peak_rss_mib: usage as f64 / f64::from(1 << 20),
            policy_version: observed.tally.policy_version,
            models: observed.versions.models_of(&observed.deployments),
            impact: findings.impact,
            seed,
            first_decision_seconds: observed.first_decision.map(since_start),
            interrupted: observed.interrupted,
            delivery: super::DELIVERY,
        }
    }

    /// Returns whether all was sent that should be, and what came is exactly what must come.
    pub(crate) fn is_complete(&self) -> bool {
        self.interrupted.is_none() && self.is_exact()
    }

    /// Returns whether what came is exactly what must come.
    pub(crate) fn is_exact(&self) -> bool {
        self.lost == 0 && self.duplicates == 0 && self.contradictory == 0
    }

    /// Writes the report for people.
    pub(crate) fn summary(&self) -> String {
        let mut text = String::new();
        self.write_summary(&mut text).unwrap_or_default();
        text
    }

    fn write_summary(&self, out: &mut String) -> std::fmt::Result {
        let verdict = if self.is_exact() {
            "exactly what must come came"
        } else {
            "NOT what must come"
        };
        if let Some(how_far) = &self.interrupted {
            writeln!(out, "interrupted    {how_far}")?;
        }
        writeln!(out, "events in      {}", self.events_in)?;
        if self.decisions == 0 {
            writeln!(out, "decisions      {NONE_DECIDED}")?;
        } else {
            writeln!(
                out,
                "decisions      {}, the last under policy {}",
                self.decisions, self.policy_version
            )?;
        }
        writeln!(
            out,
            "actions        {}",
            listed(&self.actions, |count| count.to_string())
        )?;
        writeln!(out, "reviews        {}", self.reviews)?;
        writeln!(out, "dead letters   {}", self.dead_letters)?;
        writeln!(
            out,
            "oracle         lost {}, duplicates {}, contradictory {}: {verdict}",
            self.lost, self.duplicates, self.contradictory
        )?;
        writeln!(
            out,
            "throughput     {:.0} events/s, {}",
            self.throughput_eps, self.delivery
        )?;
        writeln!(out, "age            {}", self.age())?;
        writeln!(out, "processor      {}", self.processor())?;
        writeln!(out, "memory         {:.0} MiB at most", self.peak_rss_mib)?;
        if let Some(seconds) = self.first_decision_seconds {
            writeln!(out, "first decision {seconds:.2} s after the start")?;
        }
        if !self.models.is_empty() {
            writeln!(out, "models         {}", self.models.join(", "))?;
        }
        out.write_str(&self.impact.table())
    }

    fn age(&self) -> String {
        if self.decisions == 0 {
            return NONE_DECIDED.to_owned();
        }
        let Latency { p50, p95, p99 } = self.latency_ms;
        format!("p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms at decision")
    }

    fn processor(&self) -> String {
        if self.decisions == 0 {
            return NONE_DECIDED.to_owned();
        }
        let total: f64 = self.cpu_us_per_event.values().sum();
        let parts = listed(&self.cpu_us_per_event, |time| format!("{time:.1}"));
        format!("{total:.1} µs an event: {parts}")
    }
}

/// Stands where a figure would be about nothing.
const NONE_DECIDED: &str = "none decided";

fn listed<T>(parts: &BTreeMap<&'static str, T>, show: impl Fn(&T) -> String) -> String {
    let parts: Vec<String> = parts
        .iter()
        .map(|(name, value)| format!("{name} {}", show(value)))
        .collect();
    if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    }
}

fn per_second(count: u64, span: Duration) -> f64 {
    if span.is_zero() {
        0.0
    } else {
        count as f64 / span.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throughput_is_events_by_time() {
        assert_eq!(per_second(500, Duration::from_millis(250)), 2000.0);
        assert_eq!(per_second(500, Duration::ZERO), 0.0);
    }

    #[test]
    fn any_discrepancy_spoils_the_report() {
        assert!(Report::default().is_exact());
        assert!(
            !Report {
                lost: 1,
                ..Report::default()
            }
            .is_exact()
        );
        assert!(
            !Report {
                duplicates: 1,
                ..Report::default()
            }
            .is_exact()
        );
        assert!(
            !Report {
                contradictory: 1,
                ..Report::default()
            }
            .is_exact()
        );
    }

    #[test]
    fn no_figure_is_given_of_nothing() {
        let cpu_us_per_event = [("broker", 895_000.0)].into();
        let empty = Report {
            cpu_us_per_event,
            ..Report::default()
        };
        let summary = empty.summary();
        assert_eq!(summary.matches(NONE_DECIDED).count(), 3, "{summary}");
        assert!(
            !summary.contains("895000") && !summary.contains("under policy"),
            "{summary}"
        );
        let decided = Report {
            decisions: 1,
            policy_version: 2,
            ..empty
        };
        let summary = decided.summary();
        assert!(
            summary.contains("the last under policy 2") && summary.contains("895000.0 µs"),
            "{summary}"
        );
    }

    #[test]
    fn an_interrupted_run_says_so() {
        let report = Report {
            interrupted: Some("after 4 of 100 events".to_owned()),
            ..Report::default()
        };
        assert!(report.is_exact() && !report.is_complete());
        let summary = report.summary();
        assert!(
            summary.starts_with("interrupted    after 4 of 100 events\n"),
            "{summary}"
        );
    }

    #[test]
    fn the_json_has_the_fields_that_readers_rely_on() {
        let json = serde_json::to_value(Report::default()).unwrap();
        let mut names: Vec<&str> = json
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        let expected = [
            "actions",
            "caught",
            "contradictory",
            "cpu_us_per_event",
            "dead_letters",
            "decisions",
            "delivery",
            "duplicates",
            "events_in",
            "first_decision_seconds",
            "interrupted",
            "latency_ms",
            "lost",
            "missed",
            "models",
            "peak_rss_mib",
            "policy_version",
            "reviews",
            "seed",
            "throughput_eps",
            "wrongly_actioned",
        ];
        assert_eq!(names, expected);
    }
}

//! What the pipeline caught, missed and wrongly acted on, measured against the truth.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::traffic::{AgeBand, Truth};

/// Counts by issue and true age band.
type Counts = BTreeMap<String, BTreeMap<AgeBand, u64>>;

/// What became of one event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Consequence {
    /// At least one action was applied.
    pub(crate) is_actioned: bool,
    /// A person was asked.
    pub(crate) is_reviewed: bool,
    /// The issue of the first rule that acted.
    pub(crate) issue: Option<String>,
}

/// Counts by issue and by the true age of whoever was aimed at, or of the author where nobody was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Impact {
    /// Violations that were acted on or sent to a person.
    pub(crate) caught: Counts,
    /// Violations of which nothing came.
    pub(crate) missed: Counts,
    /// Harmless events that were acted on, by the issue of the rule that acted. A review alone is none.
    pub(crate) wrongly_actioned: Counts,
}

impl Impact {
    /// Counts one event.
    pub(crate) fn note(&mut self, truth: &Truth, consequence: &Consequence) {
        match truth.violation {
            Some(violation) => {
                let is_caught = consequence.is_actioned || consequence.is_reviewed;
                let counts = if is_caught {
                    &mut self.caught
                } else {
                    &mut self.missed
                };
                count(counts, violation.issue.as_str(), truth.age_band);
            }
            None if consequence.is_actioned => {
                let issue = consequence.issue.as_deref().unwrap_or("unknown");
                count(&mut self.wrongly_actioned, issue, truth.age_band);
            }
            None => {}
        }
    }

    /// Returns a table for people: a line for each issue, a column for each band, and in each place how many were caught,
    /// missed and wrongly actioned. Empty where nothing was counted.
    pub(crate) fn table(&self) -> String {
        let issues: BTreeSet<&str> = self
            .columns()
            .into_iter()
            .flat_map(|counts| counts.keys().map(String::as_str))
            .collect();
        if issues.is_empty() {
            return String::new();
        }
        let head = AgeBand::ALL.map(|band| band.as_str().to_owned());
        let mut rows = vec![("caught/missed/wrongly", head)];
        rows.extend(issues.into_iter().map(|issue| {
            let place = |band| {
                self.of(issue, band)
                    .map(|count| count.to_string())
                    .join("/")
            };
            (issue, AgeBand::ALL.map(place))
        }));
        let lines = rows.into_iter().map(|(name, places)| {
            let places = places.map(|place| format!(" {place:>13}")).concat();
            format!("{name:<21}{places}\n")
        });
        lines.collect()
    }

    fn columns(&self) -> [&Counts; 3] {
        [&self.caught, &self.missed, &self.wrongly_actioned]
    }

    fn of(&self, issue: &str, band: AgeBand) -> [u64; 3] {
        self.columns().map(|counts| {
            let bands = counts.get(issue);
            bands
                .and_then(|bands| bands.get(&band))
                .copied()
                .unwrap_or(0)
        })
    }
}

fn count(counts: &mut Counts, issue: &str, band: AgeBand) {
    if !counts.contains_key(issue) {
        counts.insert(issue.to_owned(), BTreeMap::new());
    }
    if let Some(bands) = counts.get_mut(issue) {
        *bands.entry(band).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use moderation::Severity;

    use super::*;
    use crate::demo::traffic::{Issue, Violation};

    fn check(
        violation: Option<Issue>,
        (is_actioned, is_reviewed): (bool, bool),
        expected: [u64; 3],
    ) {
        let truth = Truth {
            scenario: "test",
            violation: violation.map(|issue| Violation {
                issue,
                severity: Severity::Low,
            }),
            actor: Some(1),
            target: None,
            age_band: AgeBand::Adult,
        };
        let mut impact = Impact::default();
        let issue = Some("spam".to_owned());
        impact.note(
            &truth,
            &Consequence {
                is_actioned,
                is_reviewed,
                issue,
            },
        );
        let counted = impact.of("spam", AgeBand::Adult);
        assert_eq!(
            counted, expected,
            "{violation:?} {is_actioned} {is_reviewed}"
        );
    }

    #[test]
    fn truth_and_consequence_are_compared() {
        check(Some(Issue::Spam), (true, false), [1, 0, 0]);
        check(Some(Issue::Spam), (false, true), [1, 0, 0]);
        check(Some(Issue::Spam), (false, false), [0, 1, 0]);
        check(None, (true, true), [0, 0, 1]);
        check(None, (false, true), [0, 0, 0]);
        check(None, (false, false), [0, 0, 0]);
    }

    #[test]
    fn the_table_is_cut_by_issue_and_age_band() {
        let mut impact = Impact::default();
        assert_eq!(impact.table(), "");
        count(&mut impact.caught, "spam", AgeBand::Adult);
        count(&mut impact.caught, "spam", AgeBand::Adult);
        count(&mut impact.missed, "spam", AgeBand::Under13);
        count(
            &mut impact.wrongly_actioned,
            "hate-speech",
            AgeBand::From16To17,
        );
        let expected = "\
caught/missed/wrongly      under 13         13-15         16-17         adult
hate-speech                   0/0/0         0/0/0         0/0/1         0/0/0
spam                          0/1/0         0/0/0         0/0/0         2/0/0
";
        assert_eq!(impact.table(), expected);
        assert!(impact.table().lines().all(|line| line.len() < 80));
    }
}

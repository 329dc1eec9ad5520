//! What a benchmark found, for people and for programs.

use std::io::Write;

use serde::Serialize;

use crate::spread::Spread;

/// All cases of a benchmark.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) bench: &'static str,
    pub(crate) about: &'static str,
    pub(crate) quick: bool,
    pub(crate) rows: Vec<Row>,
}

/// One case.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    case: String,
    unit: &'static str,
    rounds: usize,
    subject: Spread,
    #[serde(flatten)]
    comparison: Option<Comparison>,
}

#[derive(Debug, Serialize)]
struct Comparison {
    baseline: Spread,
    ratio: Spread,
}

impl Row {
    /// Returns `None` where nothing was measured.
    pub(crate) fn new(
        case: &str,
        unit: &'static str,
        subjects: &[f64],
        baselines_and_ratios: Option<(&[f64], &[f64])>,
    ) -> Option<Self> {
        let comparison = baselines_and_ratios.and_then(|(baselines, ratios)| {
            Some(Comparison {
                baseline: Spread::of(baselines)?,
                ratio: Spread::of(ratios)?,
            })
        });
        Some(Self {
            case: case.to_owned(),
            unit,
            rounds: subjects.len(),
            subject: Spread::of(subjects)?,
            comparison,
        })
    }

    /// Returns the cells of the table, in the order of [`HEADINGS`].
    fn cells(&self) -> [String; 6] {
        let with_range = |spread: &Spread| {
            format!(
                "{} ({}–{})",
                figure(spread.median),
                figure(spread.p10),
                figure(spread.p90)
            )
        };
        let (baseline, ratio) = match &self.comparison {
            Some(comparison) => (
                with_range(&comparison.baseline),
                with_range(&comparison.ratio),
            ),
            None => ("–".to_owned(), "–".to_owned()),
        };
        [
            self.case.clone(),
            self.unit.to_owned(),
            with_range(&self.subject),
            figure(self.subject.p99),
            baseline,
            ratio,
        ]
    }
}

const HEADINGS: [&str; 6] = [
    "case",
    "unit",
    "subject: median (p10–p90)",
    "p99",
    "baseline",
    "subject ÷ baseline",
];

impl Report {
    /// Prints a table, or one JSON document.
    pub(crate) fn print(&self, as_json: bool) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if as_json {
            writeln!(out, "{}", serde_json::to_string_pretty(self)?)?;
        } else {
            write!(out, "{}", self.table())?;
        }
        Ok(())
    }

    fn table(&self) -> String {
        let mut lines = vec![HEADINGS.map(str::to_owned)];
        lines.extend(self.rows.iter().map(Row::cells));
        let widths: [usize; 6] = std::array::from_fn(|column| {
            let cells = lines.iter().map(|cells| cells[column].chars().count());
            cells.max().unwrap_or_default()
        });
        let mut table = format!("{}: {}\n", self.bench, self.about);
        if self.quick {
            table += "quick: these figures only show that everything runs\n";
        }
        if self.rows.is_empty() {
            return table + "no case's name holds what was asked for\n";
        }
        for cells in &lines {
            let padded = cells
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:width$}"));
            let line = padded.collect::<Vec<_>>().join("  ");
            table += line.trim_end();
            table.push('\n');
        }
        table
    }
}

/// Three digits are more than any of these measurements deserves.
fn figure(value: f64) -> String {
    match value.abs() {
        size if size < 0.0995 => format!("{value:.3}"),
        size if size < 9.95 => format!("{value:.2}"),
        size if size < 99.5 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_about_three_digits() {
        let check = |value, expected| assert_eq!(figure(value), expected);
        check(0.01234, "0.012");
        check(1.234, "1.23");
        check(9.99, "10.0");
        check(12.34, "12.3");
        check(99.96, "100");
        check(1234.5, "1234");
    }

    #[test]
    fn the_table_shows_units_and_ratios() {
        let report = Report {
            bench: "tides",
            about: "high against low",
            quick: true,
            rows: Row::new("spring", "ns/tide", &[4.0], Some((&[2.0], &[2.0])))
                .into_iter()
                .chain(Row::new("neap", "ms", &[1.0], None))
                .collect(),
        };
        let table = report.table();
        let lines: Vec<Vec<&str>> = table
            .lines()
            .skip(3)
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(
            lines,
            [
                "spring ns/tide 4.00 (4.00–4.00) 4.00 2.00 (2.00–2.00) 2.00 (2.00–2.00)",
                "neap ms 1.00 (1.00–1.00) 1.00 – –"
            ]
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
        );
    }

    #[test]
    fn what_was_not_measured_has_no_row() {
        assert!(Row::new("none", "ns", &[], None).is_none());
    }

    #[test]
    fn a_table_without_rows_says_why() {
        let report = Report {
            bench: "tides",
            about: "high against low",
            quick: false,
            rows: Vec::new(),
        };
        let expected = "tides: high against low\nno case's name holds what was asked for\n";
        assert_eq!(report.table(), expected);
    }
}

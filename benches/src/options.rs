//! What a benchmark may be told.

use clap::Parser;

/// Command line of every benchmark.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// Measures so little that the figures mean nothing: shows that everything runs.
    #[arg(long)]
    quick: bool,
    /// Prints one JSON document instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Measures only cases whose name holds this.
    #[arg(value_name = "CASE")]
    case: Option<String>,
    /// Said by `cargo bench`, and not by `cargo test --benches`, which only wants to know that everything runs.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    pub(crate) fn is_quick(&self) -> bool {
        self.quick || !self.bench
    }

    pub(crate) fn wants(&self, case: &str) -> bool {
        self.case.as_ref().is_none_or(|part| case.contains(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cargo_bench_measures_at_length() {
        let check = |args: &[&str], expected| {
            let args = ["deciding"].iter().chain(args);
            let options = Options::try_parse_from(args).expect("valid arguments");
            assert_eq!(options.is_quick(), expected, "{options:?}");
        };
        check(&["--bench"], false);
        check(&["--bench", "--quick"], true);
        check(&[], true);
    }

    #[test]
    fn cases_are_chosen_by_a_part_of_their_name() {
        let options = Options::try_parse_from(["deciding", "one"]).expect("valid arguments");
        assert!(options.wants("one match"));
        assert!(!options.wants("many targets"));
    }
}

//! The metrics that the sources declare, read from each crate's `metrics.rs`.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree;

/// What a crate's metrics are called begins with this, and a literal that does is a metric.
const NAME_START: &str = "\"tidegate_";

/// The metrics of one crate.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DeclaredMetrics {
    /// Type by name, as the `describe_…!` macros say it.
    pub(crate) types: BTreeMap<String, String>,
    /// Names that no `describe_…!` macro mentions.
    pub(crate) undescribed: BTreeSet<String>,
    /// Label keys, of all metrics of the crate together.
    pub(crate) labels: BTreeSet<String>,
}

/// Returns the metrics of every crate that has a `metrics.rs`, by the crate's folder.
pub(crate) fn declared_metrics() -> BTreeMap<String, DeclaredMetrics> {
    tree::rust_files()
        .iter()
        .filter(|path| !tree::is_test_file(path) && path.ends_with("metrics.rs"))
        .map(|path| {
            let in_crates = path
                .strip_prefix(tree::root().join("crates"))
                .expect("a crate's file");
            let folder = in_crates
                .iter()
                .next()
                .expect("a folder")
                .to_string_lossy()
                .into_owned();
            (folder, parse(tree::production_part(&tree::read(path))))
        })
        .collect()
}

/// Reads a source text. Without white space, it looks the same however it was formatted.
fn parse(source: &str) -> DeclaredMetrics {
    let source: String = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.chars().filter(|character| !character.is_whitespace()))
        .collect();
    let constants = string_constants(&source);
    let mut types = BTreeMap::new();
    for kind in ["counter", "gauge", "histogram"] {
        for call in source.split(&format!("describe_{kind}!(")).skip(1) {
            let argument = call.split(',').next().unwrap_or_default();
            let name = constants
                .get(argument)
                .cloned()
                .unwrap_or_else(|| unquoted(argument));
            types.insert(name, kind.to_owned());
        }
    }
    let names = source
        .match_indices(NAME_START)
        .map(|(start, _)| unquoted(&source[start..]));
    let undescribed = names.filter(|name| !types.contains_key(name)).collect();
    DeclaredMetrics {
        types,
        undescribed,
        labels: label_keys(&source),
    }
}

/// Returns the values of `const NAME: &str = "…"`, by name.
fn string_constants(source: &str) -> BTreeMap<String, String> {
    source
        .split("const")
        .filter_map(|item| item.split_once(":&str="))
        .map(|(name, value)| (name.to_owned(), unquoted(value)))
        .collect()
}

/// Returns what stands before each `=>` in quotes, which in a file of metrics is a label's key.
fn label_keys(source: &str) -> BTreeSet<String> {
    let before_arrows = source.match_indices("\"=>").map(|(end, _)| &source[..end]);
    before_arrows
        .filter_map(|before| before.rsplit('"').next())
        .map(str::to_owned)
        .collect()
}

fn unquoted(literal: &str) -> String {
    literal
        .trim_start_matches('"')
        .split('"')
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn metrics_are_named_in_the_file_for_them_alone() {
    let elsewhere: Vec<String> = tree::rust_files()
        .iter()
        .filter(|path| !tree::is_test_file(path) && !path.ends_with("metrics.rs"))
        .filter(|path| tree::production_part(&tree::read(path)).contains(NAME_START))
        .map(|path| path.display().to_string())
        .collect();
    assert_eq!(elsewhere, Vec::<String>::new());
}

#[test]
fn a_source_text_is_read_whatever_its_format() {
    let source = r#"
        /// A "tidegate_comment" is none.
        const EVENTS: &str = "tidegate_events_total";
        pub(crate) const AGE: &str =
            "tidegate_age_seconds";
        fn describe() {
            describe_counter!(EVENTS, "Events.");
            describe_histogram!(
                AGE,
                Unit::Seconds,
                "Age."
            );
            describe_gauge!("tidegate_depth", "Depth.");
            counter!(EVENTS, "kind" => kind.as_str(), "lane" => lane);
            counter!("tidegate_forgotten_total").increment(1);
        }
    "#;
    let types = [
        ("tidegate_age_seconds", "histogram"),
        ("tidegate_depth", "gauge"),
        ("tidegate_events_total", "counter"),
    ];
    let expected = DeclaredMetrics {
        types: types
            .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
            .into(),
        undescribed: BTreeSet::from(["tidegate_forgotten_total".to_owned()]),
        labels: ["kind", "lane"].map(str::to_owned).into(),
    };
    assert_eq!(parse(source), expected);
}

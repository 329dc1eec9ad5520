//! `deploy/metrics.toml`, which dashboards and alerts are written from, against the sources.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    metric_sources::{DeclaredMetrics, declared_metrics},
    tree,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    metric: Vec<Metric>,
}

/// One metric as the catalogue describes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metric {
    name: String,
    #[serde(rename = "crate")]
    folder: String,
    r#type: MetricType,
    unit: String,
    labels: BTreeSet<String>,
    help: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MetricType {
    Counter,
    Gauge,
    Histogram,
}

impl MetricType {
    fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

fn catalogue() -> Vec<Metric> {
    let path = tree::root().join("deploy/metrics.toml");
    let catalogue: Catalogue = toml::from_str(&tree::read(&path)).expect("a catalogue");
    catalogue.metric
}

#[test]
fn the_catalogue_holds_the_metrics_of_the_sources_and_no_others() {
    let mut catalogued: BTreeMap<String, DeclaredMetrics> = BTreeMap::new();
    for metric in catalogue() {
        let of_crate = catalogued.entry(metric.folder).or_default();
        let earlier = of_crate
            .types
            .insert(metric.name.clone(), metric.r#type.as_str().to_owned());
        assert_eq!(
            earlier, None,
            "{} stands twice in the catalogue",
            metric.name
        );
        of_crate.labels.extend(metric.labels);
    }
    let (catalogued, declared) = (facts(&catalogued), facts(&declared_metrics()));
    let missing: Vec<&String> = declared.difference(&catalogued).collect();
    let stale: Vec<&String> = catalogued.difference(&declared).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "only in the sources: {missing:#?}, only in deploy/metrics.toml: {stale:#?}"
    );
}

/// Puts every declaration in a line, so that a difference reads as what to add or remove.
fn facts(by_crate: &BTreeMap<String, DeclaredMetrics>) -> BTreeSet<String> {
    let lines = by_crate.iter().flat_map(|(folder, metrics)| {
        let types = metrics
            .types
            .iter()
            .map(move |(name, kind)| format!("{folder}: {kind} {name}"));
        let labels = metrics
            .labels
            .iter()
            .map(move |label| format!("{folder}: label {label}"));
        let undescribed = metrics
            .undescribed
            .iter()
            .map(move |name| format!("{folder}: {name}, without describe_…!"));
        types.chain(labels).chain(undescribed)
    });
    lines.collect()
}

#[test]
fn a_metric_is_named_for_its_type_and_unit() {
    for Metric {
        name,
        r#type,
        unit,
        help,
        ..
    } in catalogue()
    {
        let is_counter = r#type == MetricType::Counter;
        assert_eq!(
            name.ends_with("_total"),
            is_counter,
            "{name}: counters, and they alone, end in _total"
        );
        let stem = name.trim_end_matches("_total");
        for base_unit in ["seconds", "bytes", "ratio"] {
            let is_suffix = stem.ends_with(&format!("_{base_unit}"));
            assert_eq!(
                is_suffix,
                unit == base_unit,
                "{name}: a name ends in its unit, {unit}"
            );
        }
        assert!(
            !unit.is_empty() && help.ends_with('.'),
            "{name}: has a unit, and a sentence as its help"
        );
    }
}

//! What the processes tell about themselves.

use std::collections::BTreeSet;

use tidegate_tests::{Stack, StackOptions, repository, samples};

#[tokio::test(flavor = "multi_thread")]
async fn stages_show_what_the_catalogue_lists_and_end_cleanly() {
    let mut stack = Stack::start(StackOptions::default()).await;
    let mut decisions = stack.decisions();
    stack.send(&samples::comment("e-1", samples::SPAM)).await;
    decisions.next().await;

    let listed = catalogue();
    for (page, expected) in [
        (
            stack.classifier.metrics().await,
            "tidegate_classifier_events_total",
        ),
        (
            stack.enforcer.metrics().await,
            "tidegate_enforcer_decisions_total",
        ),
        (
            stack.control_plane.metrics().await,
            "tidegate_control_changes_total",
        ),
    ] {
        let shown = shown(&page);
        assert!(
            shown.iter().any(|name| name.starts_with(expected)),
            "{expected}: {shown:?}"
        );
        let unlisted = shown.difference(&listed).collect::<Vec<_>>();
        assert!(
            unlisted.is_empty(),
            "not in deploy/metrics.toml: {unlisted:?}"
        );
    }

    // In the direction of the flow; each drains into what still runs.
    for process in [
        &mut stack.classifier,
        &mut stack.enforcer,
        &mut stack.control_plane,
    ] {
        let status = process.terminate().await;
        assert!(status.success(), "{status}:\n{}", process.log());
    }
}

/// Returns the names of all metrics on a page.
fn shown(page: &str) -> BTreeSet<String> {
    page.lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

fn catalogue() -> BTreeSet<String> {
    let path = repository().join("deploy/metrics.toml");
    let document: toml::Table = std::fs::read_to_string(&path)
        .expect("the catalogue exists")
        .parse()
        .expect("the catalogue is TOML");
    let metrics = document["metric"]
        .as_array()
        .expect("the catalogue lists metrics");
    metrics
        .iter()
        .map(|metric| {
            metric["name"]
                .as_str()
                .expect("a metric has a name")
                .to_owned()
        })
        .collect()
}

//! The demo, as a newcomer runs it.

use tidegate_tests::tidegate;

#[test]
fn a_short_demo_loses_and_repeats_nothing() {
    let output = tidegate()
        .args([
            "demo",
            "--events",
            "5000",
            "--seed",
            "7",
            "--json",
            "--listen",
            "127.0.0.1:0",
            "--telemetry",
            "127.0.0.1:0",
        ])
        .output()
        .expect("tidegate runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let report: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("the report is JSON");
    assert_eq!(report["events_in"], 5000, "{report}");
    assert_eq!(report["lost"], 0, "{report}");
    assert_eq!(report["duplicates"], 0, "{report}");
    let (decisions, dead) = (
        report["decisions"].as_u64(),
        report["dead_letters"].as_u64(),
    );
    assert_eq!(
        decisions.zip(dead).map(|(decided, dead)| decided + dead),
        Some(5000),
        "{report}"
    );
    assert!(
        report["actions"]
            .as_object()
            .is_some_and(|actions| !actions.is_empty()),
        "{report}"
    );
}

//! Stages that end because of what they find.

use tidegate_tests::{Launch, Stage};

/// Checks that a stage ends with one line that says all of `expected`, and returns its log.
pub(crate) async fn check(launch: &Launch, stage: Stage, expected: &[&str]) -> String {
    let mut process = launch.start(stage, &format!("{stage:?}"));
    let status = process.ended().await;
    let log = process.log();
    assert_eq!(status.code(), Some(1), "{stage:?}: {log}");
    let errors: Vec<&str> = log
        .lines()
        .filter(|line| line.starts_with("error:"))
        .collect();
    assert_eq!(errors.len(), 1, "{stage:?} says one line: {log}");
    for words in expected {
        assert!(errors[0].contains(words), "{stage:?} says {words:?}: {log}");
    }
    log
}

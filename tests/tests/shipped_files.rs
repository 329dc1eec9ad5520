//! What ships in `deploy/` works as it stands.

use std::fmt::Debug;
use std::process::Command;

use service_runtime::{ServiceConfig, config};
use tidegate_tests::{repository, tidegate};

#[test]
fn sample_configurations_parse() {
    fn check<C: ServiceConfig + Debug>(name: &str) -> C {
        config::load(&repository().join("deploy/config").join(name)).expect("the sample is valid")
    }
    check::<classifier::Config>("classifier.toml");
    check::<enforcer::Config>("enforcer.toml");
    check::<control_plane::Config>("control-plane.toml");
}

#[test]
fn every_file_that_ships_would_be_taken() {
    for file in [
        "deploy/config/classifier.toml",
        "deploy/config/enforcer.toml",
        "deploy/config/control-plane.toml",
        "deploy/config/deployment.toml",
        "deploy/config/topics.toml",
        "deploy/policies/default.toml",
        "deploy/policies/examples/minors-strict.toml",
    ] {
        succeed(tidegate().args(["config", "check", file]));
    }
}

#[test]
fn comments_in_sample_configurations_show_the_defaults() {
    fn check<C: ServiceConfig + Debug>(name: &str) {
        let path = repository().join("deploy/config").join(name);
        let text = std::fs::read_to_string(&path).expect("the sample exists");
        let uncommented = text.lines().map(uncomment).collect::<Vec<_>>().join("\n");
        let with_defaults =
            config::parse::<C>(&path, &uncommented).expect("the commented keys are valid");
        let without = config::parse::<C>(&path, &text).expect("the sample is valid");
        assert_eq!(
            format!("{with_defaults:?}"),
            format!("{without:?}"),
            "{name}"
        );
    }
    check::<classifier::Config>("classifier.toml");
    check::<enforcer::Config>("enforcer.toml");
    check::<control_plane::Config>("control-plane.toml");
    // This file's type is the binary's own.
    let path = repository().join("deploy/config/topics.toml");
    let text = std::fs::read_to_string(&path).expect("the sample exists");
    let commented: Vec<&str> = text
        .lines()
        .filter(|line| uncomment(line) != *line)
        .collect();
    assert_eq!(commented, ["# topic_prefix = \"tidegate\""]);
}

/// Turns `# key = value` into `key = value`, except where the sample says that there is no default.
fn uncomment(line: &str) -> &str {
    const WITHOUT_DEFAULT: [&str; 4] = [
        "replica_id",
        "advertised_address",
        "runtime_library",
        "\"compression.type\"",
    ];
    match line.strip_prefix("# ") {
        Some(setting)
            if setting
                .split_once(" = ")
                .is_some_and(|(key, _)| !key.contains(' '))
                && !WITHOUT_DEFAULT.iter().any(|key| setting.starts_with(key)) =>
        {
            setting
        }
        _ => line,
    }
}

#[test]
fn shipped_policies_have_no_findings() {
    for policy in [
        "deploy/policies/default.toml",
        "deploy/policies/examples/minors-strict.toml",
    ] {
        succeed(tidegate().args(["policy", "lint", policy]));
    }
}

#[test]
fn shipped_bundles_verify() {
    for bundle in ["deploy/models/screen", "deploy/models/screen-lite"] {
        succeed(tidegate().args(["model", "verify", bundle]));
    }
}

#[test]
fn the_shipped_deployment_pins_the_shipped_bundle() {
    let text = std::fs::read_to_string(repository().join("deploy/config/deployment.toml"))
        .expect("it exists");
    let deployment: toml::Table = text.parse().expect("it is TOML");
    let pinned = deployment["bundle"][0]["digest"]
        .as_str()
        .expect("a digest is pinned")
        .to_owned();
    let shown = succeed(tidegate().args(["model", "inspect", "deploy/models/screen", "--json"]));
    assert!(
        shown.contains(&pinned),
        "{pinned} is not the digest in {shown}"
    );
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("tidegate runs");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

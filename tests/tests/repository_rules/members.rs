//! The members of the workspace, as cargo sees them.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde::Deserialize;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
}

/// Returns the workspace's members.
pub(crate) fn members() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(crate::tree::root().join("Cargo.toml"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Metadata = serde_json::from_slice(&output.stdout).expect("cargo's metadata");
    metadata.packages
}

/// Returns the names of each member's integration tests.
pub(crate) fn test_targets() -> BTreeMap<String, BTreeSet<String>> {
    let is_test = |target: &Target| target.kind.iter().any(|kind| kind == "test");
    let tests_of = |member: Package| {
        let tests = member
            .targets
            .into_iter()
            .filter(is_test)
            .map(|target| target.name)
            .collect();
        (member.name, tests)
    };
    members().into_iter().map(tests_of).collect()
}

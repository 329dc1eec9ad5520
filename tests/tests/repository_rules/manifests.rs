//! What every member's `Cargo.toml` must say.

use std::path::PathBuf;

use toml::{Table, Value};

use crate::tree;

/// Tables of dependencies in a manifest.
const DEPENDENCY_TABLES: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

fn member_manifests() -> Vec<PathBuf> {
    let root = tree::root();
    let crates = root.join("crates");
    let mut manifests: Vec<PathBuf> = tree::names_in(&crates)
        .iter()
        .map(|name| crates.join(name).join("Cargo.toml"))
        .collect();
    manifests.extend([
        root.join("tests/Cargo.toml"),
        root.join("benches/Cargo.toml"),
    ]);
    manifests
}

fn is_inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

#[test]
fn every_version_stands_in_the_root() {
    for path in member_manifests() {
        let manifest: Table = tree::read(&path).parse().expect("a manifest");
        let own_versions: Vec<&String> = DEPENDENCY_TABLES
            .iter()
            .filter_map(|table| manifest.get(*table)?.as_table())
            .flatten()
            .filter(|(_, dependency)| !is_inherited(dependency))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(own_versions, Vec::<&String>::new(), "{}", path.display());
    }
}

#[test]
fn every_member_keeps_the_workspace_lints() {
    for path in member_manifests() {
        let manifest: Table = tree::read(&path).parse().expect("a manifest");
        assert!(
            manifest.get("lints").is_some_and(is_inherited),
            "{}",
            path.display()
        );
    }
}

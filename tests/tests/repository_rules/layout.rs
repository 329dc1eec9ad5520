//! What lies where, how it is called, and how large it may grow.

use std::path::Path;

use crate::tree;

/// Everything that may lie in the root; whatever starts with a dot is a tool's, and not listed.
const TOP_LEVEL: &[&str] = &[
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "NOTICE",
    "README.md",
    "SECURITY.md",
    "benches",
    "buf.yaml",
    "clippy.toml",
    "crates",
    "deny.toml",
    "deploy",
    "proto",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "target",
    "tests",
];

/// File names that say nothing of what is inside.
const EMPTY_NAMES: &[&str] = &[
    "common", "core", "helper", "helpers", "manager", "misc", "mod", "util", "utils",
];

/// Over this a file holds more than one thing.
const MOST_PRODUCTION_LINES: usize = 600;

/// What must not be left in code, in pieces so that this file does not hold it.
const LEFT_OVERS: &[&str] = &[
    concat!("#[", "ignore"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
];

#[test]
fn the_root_holds_what_it_should() {
    let unexpected: Vec<String> = tree::names_in(tree::root())
        .into_iter()
        .filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()))
        .collect();
    assert_eq!(unexpected, Vec::<String>::new());
}

/// Collects what a rule finds wrong in any Rust file, and expects nothing.
#[track_caller]
fn check_files(find_violation: impl Fn(&Path, &str) -> Option<String>) {
    let violations: Vec<String> = tree::rust_files()
        .iter()
        .filter_map(|path| {
            let violation = find_violation(path, &tree::read(path))?;
            Some(format!("{}: {violation}", path.display()))
        })
        .collect();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn files_are_named_for_what_is_in_them() {
    check_files(|path, _| {
        let stem = path.file_stem()?.to_string_lossy();
        EMPTY_NAMES
            .contains(&stem.as_ref())
            .then(|| "the name says nothing".to_owned())
    });
}

#[test]
fn files_stay_readable() {
    check_files(|path, text| {
        let lines = tree::production_part(text).lines().count();
        (!tree::is_test_file(path) && lines > MOST_PRODUCTION_LINES)
            .then(|| format!("{lines} lines of production code, over {MOST_PRODUCTION_LINES}"))
    });
}

#[test]
fn nothing_is_left_for_later() {
    check_files(|_, text| {
        let found = LEFT_OVERS
            .iter()
            .find(|&&left_over| text.contains(left_over))?;
        Some(format!("holds {found}"))
    });
}

#[test]
fn every_crate_opens_with_its_contract() {
    check_files(|path, text| {
        let is_crate_root = path.ends_with("src/lib.rs") || path.ends_with("src/main.rs");
        (is_crate_root && !text.starts_with("//! "))
            .then(|| "does not start with its contract".to_owned())
    });
}

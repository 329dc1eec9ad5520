//! What the README tells people to type and to open.

use std::{collections::BTreeSet, process::Command};

use tidegate_tests::tidegate;

use crate::{members::test_targets, tree};

fn readme() -> String {
    tree::read(&tree::root().join("README.md"))
}

/// Returns what follows each `command` in the README's code: the words up to the end of its line or code span.
fn uses_of(command: &str) -> BTreeSet<Vec<String>> {
    let readme = readme();
    let uses: BTreeSet<Vec<String>> = readme
        .split(['\n', '`'])
        .filter_map(|code| code.trim_start().strip_prefix(command)?.strip_prefix(' '))
        .map(|arguments| arguments.split_whitespace().map(str::to_owned).collect())
        .collect();
    assert!(!uses.is_empty(), "the README does not show {command}");
    uses
}

/// Tells whether a word of a command line is a subcommand, and no option, placeholder or comment.
fn is_subcommand(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase())
        && word
            .chars()
            .all(|character| matches!(character, 'a'..='z' | '-' | '|'))
}

#[test]
fn files_that_it_names_exist() {
    let readme = readme();
    let is_path_character = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '/' | '.' | '-' | '_')
    };
    let missing: BTreeSet<&str> = readme
        .split(|character| !is_path_character(character))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| {
            let folders = [
                "benches/", "crates/", "deploy/", "proto/", "tests/", ".ci/", ".cargo/",
            ];
            folders.iter().any(|folder| word.starts_with(folder))
        })
        .filter(|path| !tree::root().join(path).exists())
        .collect();
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn xtask_knows_the_commands_that_it_shows() {
    let output = Command::new(env!("CARGO"))
        .args([
            "run",
            "--quiet",
            "--offline",
            "--package",
            "xtask",
            "--",
            "--help",
        ])
        .current_dir(tree::root())
        .output()
        .expect("cargo runs");
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    for arguments in uses_of("cargo xtask") {
        let is_known = help
            .lines()
            .any(|line| line.trim_start().split(' ').next() == Some(&arguments[0]));
        assert!(is_known, "cargo xtask {}", arguments[0]);
    }
}

#[test]
fn tests_that_it_names_exist() {
    let targets = test_targets();
    for arguments in uses_of("cargo test") {
        let value_of = |option: &str| {
            let at = arguments.iter().position(|argument| argument == option)?;
            arguments.get(at + 1)
        };
        let Some(package) = value_of("-p") else {
            continue;
        };
        let tests = targets
            .get(package)
            .unwrap_or_else(|| panic!("there is no package {package}"));
        if let Some(test) = value_of("--test") {
            assert!(tests.contains(test), "{package} has no test {test}");
        }
    }
}

#[test]
fn tidegate_knows_the_commands_that_it_shows() {
    for arguments in uses_of("tidegate") {
        let subcommands: Vec<&String> = arguments
            .iter()
            .take(2)
            .take_while(|word| is_subcommand(word))
            .collect();
        let Some((last, groups)) = subcommands.split_last() else {
            continue;
        };
        // `model inspect|verify` shows two commands.
        for command in last.split('|') {
            let output = tidegate()
                .args(groups)
                .args([command, "--help"])
                .output()
                .expect("tidegate runs");
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success(),
                "tidegate {groups:?} {command}: {stderr}"
            );
        }
    }
}

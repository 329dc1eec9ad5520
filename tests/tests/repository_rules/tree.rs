//! The files of the repository.

use std::{
    fs,
    path::{Path, PathBuf},
};

pub(crate) use tidegate_tests::repository as root;

/// Reads a file of the repository.
#[track_caller]
pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the names in a folder, in order.
#[track_caller]
pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

/// Returns every Rust file of the workspace's members.
pub(crate) fn rust_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for member_folder in ["crates", "tests", "benches"] {
        collect_rust_files(&root().join(member_folder), &mut files);
    }
    assert!(
        files.len() > 50,
        "the walk found {} files: it looks in the wrong place",
        files.len()
    );
    files
}

fn collect_rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for name in names_in(folder) {
        let path = folder.join(&name);
        if path.is_dir() && name != "target" {
            collect_rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Tells whether a file is a test or a benchmark as a whole.
pub(crate) fn is_test_file(path: &Path) -> bool {
    let path = path.strip_prefix(root()).expect("a path in the repository");
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts[0] != "crates"
        || parts[2] != "src"
        || path.file_stem().is_some_and(|stem| stem == "tests")
}

/// Returns the part of a source text that is compiled into a release.
pub(crate) fn production_part(text: &str) -> &str {
    text.find("#[cfg(test)]")
        .map_or(text, |start| &text[..start])
}

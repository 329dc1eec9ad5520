//! Where the binary under test comes from.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Returns the root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this package lies below the root")
}

/// Returns a command that runs the `tidegate` of this source tree in the root of the repository.
///
/// # Panics
/// If it does not build.
pub fn tidegate() -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let mut command = Command::new(BUILT.get_or_init(build));
    command.current_dir(repository());
    command
}

/// Cargo builds the binary of another package only when asked; with everything fresh this takes a moment. The whole
/// workspace is named so that features, and so the artefacts, are those of `cargo test --workspace`.
fn build() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--workspace",
            "--bin",
            "tidegate",
            "--message-format",
            "json",
        ])
        // What is optimised measures what is.
        .args((!cfg!(debug_assertions)).then_some("--release"))
        .current_dir(repository())
        .output()
        .expect("cargo runs");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    String::from_utf8_lossy(&built.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "tidegate")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo names the executable that it built")
}

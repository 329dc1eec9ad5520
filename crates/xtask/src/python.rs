//! What Python reads for this program: hashes and archives, which its standard library does and that of Rust does not.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Output},
};

use crate::program;

const SCRIPT: &str = include_str!("unpack.py");

/// Returns the SHA-256 of each file, in hexadecimal.
pub(crate) fn sha256<'a>(files: impl IntoIterator<Item = &'a Path>) -> Result<Vec<String>, String> {
    let output = python("sha256", files)?;
    let hashes = String::from_utf8_lossy(&output.stdout);
    Ok(hashes.lines().map(str::to_owned).collect())
}

/// Writes one member of a wheel to a file.
pub(crate) fn unpack(wheel: &Path, member: &str, destination: &Path) -> Result<(), String> {
    python("unpack", [wheel, Path::new(member), destination]).map(drop)
}

fn python<'a>(task: &str, arguments: impl IntoIterator<Item = &'a Path>) -> Result<Output, String> {
    let mut python = Command::new("python3");
    python
        .args(["-c", SCRIPT, task])
        .args(arguments.into_iter().map(OsStr::new));
    program::run(&mut python)
        .map_err(|reason| format!("python3 could not read what was fetched: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_script_hashes() {
        let empty = std::env::temp_dir().join(format!("xtask-empty-{}", std::process::id()));
        std::fs::write(&empty, "").unwrap();
        let hashes = sha256([empty.as_path(), empty.as_path()]);
        std::fs::remove_file(&empty).unwrap();
        let sha256_of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(
            hashes,
            Ok(vec![
                sha256_of_nothing.to_owned(),
                sha256_of_nothing.to_owned()
            ])
        );
    }
}

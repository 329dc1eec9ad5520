//! Where the project is, and the cargo that builds it.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// Tells a program where the ONNX Runtime library is. `.cargo/config.toml` sets it to [`Workspace::default_library`].
const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";

/// The project's folder.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the workspace that this program is a member of.
    pub(crate) fn locate() -> Self {
        // Cargo tells where the package is now; what was compiled in is where it was built.
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .unwrap_or_else(|| OsString::from(env!("CARGO_MANIFEST_DIR")));
        let package = Path::new(&package);
        // It may be another package: tests of this one run this program too.
        let root = package
            .ancestors()
            .find(|folder| folder.join("Cargo.lock").is_file())
            .unwrap_or(package);
        Self {
            root: root.to_owned(),
        }
    }

    /// Returns where set-up keeps the library: `.cargo/config.toml` names this place, whatever the target folder is.
    pub(crate) fn default_library(&self) -> PathBuf {
        self.root.join("target/onnxruntime/libonnxruntime.so")
    }

    /// Returns where set-up keeps the versions of Apache Kafka.
    pub(crate) fn kafka_folder(&self) -> PathBuf {
        self.root.join("target/kafka")
    }

    /// Returns the library that the user brings, if `ORT_DYLIB_PATH` names another than the default.
    pub(crate) fn user_library(&self) -> Option<PathBuf> {
        let named = PathBuf::from(std::env::var_os(LIBRARY_VARIABLE)?);
        (!named.as_os_str().is_empty() && named != self.default_library()).then_some(named)
    }

    /// Returns a command that runs cargo in the workspace, and tells what it runs where the library is.
    pub(crate) fn cargo(&self, subcommand: &str, library: &Path) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = Command::new(cargo);
        command
            .arg(subcommand)
            .arg("--manifest-path")
            .arg(self.root.join("Cargo.toml"))
            .env(LIBRARY_VARIABLE, library);
        command
    }
}

//! ONNX Runtime's shared library: found, loaded and set up once per process.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

use crate::native;

const VARIABLE: &str = "ORT_DYLIB_PATH";

/// The loaded ONNX Runtime. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Runtime {
    environment: Environment,
    version: Arc<str>,
    library: Arc<Path>,
}

/// Why ONNX Runtime is not available.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The library is nowhere.
    #[error(
        "ONNX Runtime's shared library is missing; looked for {tried}; `cargo xtask demo` fetches it, \
         or name its path in `runtime_library` or {VARIABLE}"
    )]
    Missing {
        /// Where it was looked for.
        tried: String,
    },
    /// The file is no usable ONNX Runtime.
    #[error(
        "{path} is no usable ONNX Runtime: {reason}; name another in `runtime_library` or {VARIABLE}"
    )]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the loader says.
        reason: String,
    },
}

/// ONNX Runtime allows one environment per process and never a second one, even after the first is gone.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

impl Runtime {
    /// Loads the library: the one that is configured, else the one of `ORT_DYLIB_PATH`, else one beside the executable
    /// or in `../onnxruntime` of its directory. Once loaded, it stays: later calls return the same runtime.
    ///
    /// # Errors
    /// Says where the library was looked for, or which file is no usable ONNX Runtime. A path that is configured or in
    /// the environment is never passed over for another.
    pub fn load(configured: Option<&Path>) -> Result<Self, RuntimeError> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = loaded.as_ref() {
            return Ok(runtime.clone());
        }
        let runtime = Self::open(&find(candidates(configured))?)?;
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    fn open(library: &Path) -> Result<Self, RuntimeError> {
        let unusable = |reason: String| RuntimeError::Unusable {
            path: library.to_owned(),
            reason,
        };
        let environment = ort::init_from(library)
            .map_err(|error| unusable(error.to_string()))?
            .with_name("tidegate")
            .with_telemetry(false)
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        // Its messages may quote tensors, and so users' words.
        environment.set_log_level(LogLevel::Fatal);
        let version = native::runtime_version(library)
            .ok_or_else(|| unusable("it does not state its version".to_owned()))?;
        Ok(Self {
            environment,
            version: version.into(),
            library: library.into(),
        })
    }

    /// Returns the version that the library states, such as `1.28.0`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the file that was loaded.
    pub fn library(&self) -> &Path {
        &self.library
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }
}

/// Lists where the library may be; only the first entry counts where somebody named it.
fn candidates(configured: Option<&Path>) -> Vec<PathBuf> {
    let from_environment = || {
        std::env::var_os(VARIABLE)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(named) = configured.map(Path::to_owned).or_else(from_environment) {
        return vec![named];
    }
    let name = format!(
        "{}onnxruntime{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    let directory = std::env::current_exe()
        .ok()
        .and_then(|executable| executable.parent().map(Path::to_owned));
    directory.map_or_else(Vec::new, |directory| {
        vec![
            directory.join(&name),
            directory.join("../onnxruntime").join(&name),
        ]
    })
}

fn find(candidates: Vec<PathBuf>) -> Result<PathBuf, RuntimeError> {
    let found = candidates.iter().find_map(|path| path.canonicalize().ok());
    found.ok_or_else(|| RuntimeError::Missing {
        tried: candidates
            .iter()
            .map(|path| path.display().to_string())
            .collect::<Vec<_>>()
            .join(" and "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_never_passed_over() {
        let named = Path::new("/nowhere/libonnxruntime.so");
        let error = find(candidates(Some(named))).unwrap_err().to_string();
        assert!(
            error.contains("looked for /nowhere/libonnxruntime.so;"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_library_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("libonnxruntime.so");
        std::fs::write(&path, "text").unwrap();
        let error = Runtime::open(&path).unwrap_err().to_string();
        assert!(
            error.contains("libonnxruntime.so is no usable ONNX Runtime"),
            "{error}"
        );
    }

    #[test]
    fn the_runtime_is_loaded_once() {
        let one = Runtime::load(None).unwrap();
        let other = Runtime::load(Some(Path::new("/nowhere"))).unwrap();
        assert_eq!(one.library(), other.library());
        assert_eq!(one.version(), "1.28.0");
    }
}

//! Why a bundle is refused.

use std::io;
use std::path::PathBuf;

use moderation::BundleDigest;

/// Why a bundle is refused. Every message names the file or directory at fault.
///
/// Messages hold their causes, and `source()` is none: a chain that is printed whole says nothing twice.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The path that a deployment names leaves the bundle directory or is no plain path.
    #[error("bundle path `{path}` {problem}; name a directory below the bundle directory")]
    Path {
        /// What the deployment says.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A file is missing or cannot be read.
    #[error(
        "cannot read {path}: {cause}; a bundle has model.toml, model.onnx and golden.jsonl, all plain files"
    )]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file is larger than any honest bundle's.
    #[error("{path} has {found} bytes, at most {allowed} are allowed")]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Its size.
        found: u64,
        /// The limit.
        allowed: u64,
    },
    /// The files are not the ones that were pinned.
    #[error(
        "{path} has digest {found}, but {pinned} is pinned; restore its files or deploy the digest it has"
    )]
    Digest {
        /// The bundle's directory.
        path: PathBuf,
        /// The digest of the files.
        found: BundleDigest,
        /// The digest of the deployment.
        pinned: BundleDigest,
    },
    /// The manifest does not describe a model that can be served.
    #[error("{path}: {problem}")]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong, with the key.
        problem: String,
    },
    /// A golden text is malformed.
    #[error("{path}, line {line}: {problem}")]
    Golden {
        /// The file of golden texts.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
}

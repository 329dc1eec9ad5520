//! The files of a bundle: where they may lie, how large they may be, and their digest.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use moderation::BundleDigest;

use super::BundleError;

pub(super) const GOLDEN: &str = "golden.jsonl";
pub(super) const MANIFEST: &str = "model.toml";
const MODEL: &str = "model.onnx";
const TOKENIZER: &str = "tokenizer.json";

const DIGEST_CONTEXT: &str = "tidegate model bundle v1";

const MAX_GOLDEN_BYTES: u64 = 16 << 20;
const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// Protobuf, and so ONNX, cannot hold more in one file.
const MAX_MODEL_BYTES: u64 = (2 << 30) - 1;
const MAX_TOKENIZER_BYTES: u64 = 64 << 20;

/// The contents of the files that a digest covers.
pub(super) struct BundleFiles {
    pub(super) golden: Vec<u8>,
    pub(super) manifest: Vec<u8>,
    pub(super) model: Vec<u8>,
    tokenizer: Option<Vec<u8>>,
}

impl BundleFiles {
    pub(super) fn read(directory: &Path) -> Result<Self, BundleError> {
        let required = |name, limit| read_file(directory, name, limit);
        Ok(Self {
            manifest: required(MANIFEST, MAX_MANIFEST_BYTES)?,
            model: required(MODEL, MAX_MODEL_BYTES)?,
            golden: required(GOLDEN, MAX_GOLDEN_BYTES)?,
            tokenizer: match required(TOKENIZER, MAX_TOKENIZER_BYTES) {
                Err(BundleError::Read { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
                    None
                }
                other => Some(other?),
            },
        })
    }

    /// Hashes names and contents, each after its length, in the order of the names.
    pub(super) fn digest(&self) -> BundleDigest {
        let mut hasher = blake3::Hasher::new_derive_key(DIGEST_CONTEXT);
        let mut update = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        let files = [
            (GOLDEN, Some(&self.golden)),
            (MODEL, Some(&self.model)),
            (MANIFEST, Some(&self.manifest)),
            (TOKENIZER, self.tokenizer.as_ref()),
        ];
        for (name, content) in files {
            if let Some(content) = content {
                update(name.as_bytes());
                update(content);
            }
        }
        BundleDigest::new(hasher.finalize().to_hex().as_str()).expect("64 hexadecimal characters")
    }
}

/// Finds a bundle's directory below `root`, following no link out of it.
///
/// # Errors
/// Refuses absolute paths, `..`, and links that lead out of `root`.
pub fn resolve(root: &Path, path: &str) -> Result<PathBuf, BundleError> {
    let refuse = |problem| BundleError::Path {
        path: path.to_owned(),
        problem,
    };
    let is_plain = Path::new(path)
        .components()
        .all(|component| matches!(component, Component::Normal(_)));
    if path.is_empty() || !is_plain {
        return Err(refuse("is not a plain relative path"));
    }
    let canonical = |path: &Path| {
        fs::canonicalize(path).map_err(|cause| BundleError::Read {
            path: path.to_owned(),
            cause,
        })
    };
    let found = canonical(&root.join(path))?;
    if !found.starts_with(canonical(root)?) {
        return Err(refuse("leads out of the bundle directory"));
    }
    Ok(found)
}

/// Reads a plain file. A link is refused even inside the bundle: what a digest covers lies in one place.
fn read_file(directory: &Path, name: &str, limit: u64) -> Result<Vec<u8>, BundleError> {
    let path = directory.join(name);
    match read_plain(&path, limit) {
        Ok(content) if content.len() as u64 <= limit => Ok(content),
        Ok(content) => Err(BundleError::TooLarge {
            found: fs::metadata(&path).map_or(content.len() as u64, |metadata| metadata.len()),
            path,
            allowed: limit,
        }),
        Err(cause) => Err(BundleError::Read { path, cause }),
    }
}

/// Reads one byte more than `limit` at most.
fn read_plain(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is a link or no plain file"));
    }
    let mut content = Vec::new();
    File::open(path)?
        .take(limit + 1)
        .read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_root() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("a/b")).unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("link")).unwrap();
        let check = |path: &str, expected: Result<(), &str>| {
            let found = resolve(root.path(), path).map(|_| ());
            match (found, expected) {
                (Ok(()), Ok(())) => {}
                (Err(error), Err(part)) => {
                    assert!(error.to_string().contains(part), "{path}: {error}")
                }
                (found, expected) => panic!("{path}: {found:?} instead of {expected:?}"),
            }
        };
        check("a", Ok(()));
        check("a/b", Ok(()));
        check("", Err("plain relative path"));
        check(".", Err("plain relative path"));
        check("../a", Err("plain relative path"));
        check("a/../../b", Err("plain relative path"));
        check("/etc", Err("plain relative path"));
        check("missing", Err("missing"));
        check("link", Err("leads out"));
    }

    #[test]
    fn files_are_plain_and_bounded() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("file"), b"12345").unwrap();
        std::os::unix::fs::symlink(directory.path().join("file"), directory.path().join("link"))
            .unwrap();
        let check = |name: &str, limit, expected: Result<usize, &str>| {
            let found = read_file(directory.path(), name, limit).map(|content| content.len());
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
                (found, expected) => panic!("{name}: {found:?} instead of {expected:?}"),
            }
        };
        check("file", 5, Ok(5));
        check("file", 4, Err("has 5 bytes, at most 4"));
        check("link", 5, Err("a link"));
        check("none", 5, Err("none"));
    }
}

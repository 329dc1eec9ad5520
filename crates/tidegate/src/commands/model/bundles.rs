//! Bundles on this machine, as a deployment names them.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use moderation_wire::v1;

/// Reads the bundles and names them: by digest, and by where they lie below `root`.
///
/// # Errors
/// One line that names the directory or file at fault.
pub(crate) fn named(
    root: &Path,
    serving: &[PathBuf],
    shadows: &[PathBuf],
) -> anyhow::Result<Vec<v1::DeployedBundle>> {
    let root = root
        .canonicalize()
        .with_context(|| format!("the bundle root {} (--bundle-root)", root.display()))?;
    let serving = serving
        .iter()
        .map(|directory| (directory, v1::BundleRole::Serving));
    let shadows = shadows
        .iter()
        .map(|directory| (directory, v1::BundleRole::Shadow));
    serving
        .chain(shadows)
        .map(|(directory, role)| name(&root, directory, role))
        .collect()
}

fn name(root: &Path, directory: &Path, role: v1::BundleRole) -> anyhow::Result<v1::DeployedBundle> {
    let path = path_below(root, directory)?;
    let inspection = inference::inspect::inspect(directory)?;
    Ok(v1::DeployedBundle {
        digest: inspection.digest.as_str().to_owned(),
        name: inspection.name,
        version: inspection.version,
        role: role as i32,
        path,
    })
}

fn path_below(root: &Path, directory: &Path) -> anyhow::Result<String> {
    let whole = directory
        .canonicalize()
        .with_context(|| format!("the bundle {}", directory.display()))?;
    let Ok(below) = whole.strip_prefix(root) else {
        bail!(
            "the bundle {} does not lie below {}; say with --bundle-root what the classifiers' bundle directory is",
            directory.display(),
            root.display()
        );
    };
    let below = below.to_str().filter(|below| !below.is_empty());
    below.map(str::to_owned).ok_or_else(|| {
        anyhow!(
            "the bundle {} is the bundle root itself, or has a name that is not UTF-8",
            directory.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_lie_below_the_root() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let nested = root.join("a/b");
        std::fs::create_dir_all(&nested).unwrap();
        assert_eq!(path_below(&root, &nested).unwrap(), "a/b");
        assert_eq!(path_below(&root, &root.join("a/../a/b")).unwrap(), "a/b");
        let check = |root: &Path, directory: &Path, words: &str| {
            let error = path_below(root, directory).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        check(&nested, &root, "does not lie below");
        check(&root, &root, "is the bundle root itself");
        check(&root, &root.join("nowhere"), "nowhere");
    }
}

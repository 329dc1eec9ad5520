//! Bundles on this machine, as a deployment names them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use moderation::policy::Policy;
use moderation_wire::v1;

/// Bundles of a deployment, and what those of them that decide speak of.
pub(crate) struct Named {
    pub(crate) bundles: Vec<v1::DeployedBundle>,
    pub(crate) serving_labels: BTreeSet<String>,
}

/// Reads the bundles and names them: by digest, and by where they lie below `root`. With `certify`, each has to show here
/// what a classifier will ask of it.
///
/// # Errors
/// One line that names the directory or file at fault.
pub(crate) fn named(
    root: &Path,
    serving: &[PathBuf],
    shadows: &[PathBuf],
    certify: bool,
) -> anyhow::Result<Named> {
    let root = root
        .canonicalize()
        .with_context(|| format!("the bundle root {} (--bundle-root)", root.display()))?;
    let serving = serving
        .iter()
        .map(|directory| (directory, v1::BundleRole::Serving));
    let shadows = shadows
        .iter()
        .map(|directory| (directory, v1::BundleRole::Shadow));
    let mut named = Named {
        bundles: Vec::new(),
        serving_labels: BTreeSet::new(),
    };
    for (directory, role) in serving.chain(shadows) {
        let path = path_below(&root, directory)?;
        let inspection = match certify {
            true => inference::inspect::verify(directory, None, None)?.inspection,
            false => inference::inspect::inspect(directory)?,
        };
        if role == v1::BundleRole::Serving {
            named.serving_labels.extend(inspection.labels);
        }
        named.bundles.push(v1::DeployedBundle {
            digest: inspection.digest.as_str().to_owned(),
            name: inspection.name,
            version: inspection.version,
            role: role as i32,
            path,
        });
    }
    Ok(named)
}

/// Says of which of a policy's labels no deciding bundle speaks. A rule about such a label alone never matches, and no score
/// is missing that could say so.
pub(crate) fn unspoken(policy: &Policy, serving_labels: &BTreeSet<String>) -> Vec<String> {
    let labels = policy.categories.iter().flat_map(|category| {
        let labels = category.labels.iter();
        labels.map(move |label| (label, &category.id))
    });
    labels
        .filter(|(label, _)| !serving_labels.contains(label.as_str()))
        .map(|(label, category)| {
            format!(
                "no serving bundle speaks of label {label}, which the policy counts as {category}"
            )
        })
        .collect()
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
    fn labels_that_no_bundle_speaks_of_are_named() {
        let shipped = include_str!("../../../../../deploy/policies/default.toml");
        let policy = Policy::parse(shipped).unwrap();
        let serving = ["hate", "spam"].map(str::to_owned).into();
        let warnings = unspoken(&policy, &serving);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("label harassment"), "{}", warnings[0]);
    }

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

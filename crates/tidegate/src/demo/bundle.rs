//! The bundle and the policy that the demo begins with.

use std::env;
#[cfg(test)]
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use control_plane::deployment_toml;
use inference::inspect::{self, Inspection};
use moderation::{BundleRole, DeployedBundle, Deployment, DirectMessageScope};

/// A bundle that was certified.
pub(crate) struct CertifiedBundle {
    /// Where bundles lie.
    pub(crate) directory: PathBuf,
    bundle: DeployedBundle,
}

impl CertifiedBundle {
    /// Certifies a bundle. A classifier that refuses the only deployment waits for another one, and the demo would wait
    /// with it.
    ///
    /// # Errors
    /// Names the file that is missing or wrong.
    pub(crate) fn open(bundle: &Path) -> anyhow::Result<Self> {
        let path = found(bundle, "--bundle")?;
        // These errors tell their causes themselves.
        let inspection = inspect::verify(&path, None, None)
            .map_err(|error| anyhow!("--bundle {} cannot be used: {error}", bundle.display()))?
            .inspection;
        let (directory, bundle) = deployed(&path, inspection)?;
        Ok(Self { directory, bundle })
    }

    /// Returns the deployment of this bundle alone, as a control plane reads it.
    pub(crate) fn deployment_toml(&self) -> String {
        deployment_toml(&Deployment {
            bundles: vec![self.bundle.clone()],
            direct_messages: DirectMessageScope::Reported,
        })
    }
}

/// Splits a bundle's path as deployments have it.
fn deployed(directory: &Path, bundle: Inspection) -> anyhow::Result<(PathBuf, DeployedBundle)> {
    let name = directory.file_name().and_then(|name| name.to_str());
    let (Some(parent), Some(name)) = (directory.parent(), name) else {
        bail!(
            "the bundle {} has no name of its own; give the path of its directory",
            directory.display()
        );
    };
    let deployed = DeployedBundle {
        digest: bundle.digest,
        name: bundle.name,
        version: bundle.version,
        role: BundleRole::Serving,
        path: name.to_owned(),
    };
    Ok((parent.to_owned(), deployed))
}

/// Finds a file of the repository: below the working directory, or below one that the program lies in.
pub(crate) fn found(path: &Path, option: &str) -> anyhow::Result<PathBuf> {
    let program = env::current_exe().unwrap_or_default();
    let directories = program
        .ancestors()
        .skip(1)
        .map(|directory| directory.join(path));
    std::iter::once(path.to_owned())
        .chain(directories)
        .find(|candidate| candidate.exists())
        .and_then(|candidate| candidate.canonicalize().ok())
        .with_context(|| {
            format!(
                "{} does not exist; run from the repository, or say where it is with {option}",
                path.display()
            )
        })
}

/// Returns the shipped bundle, where it lies, and the shipped policy's document.
#[cfg(test)]
pub(crate) fn shipped() -> (PathBuf, DeployedBundle, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let directory = root.join("deploy/models/screen");
    let inspection = inspect::inspect(&directory).expect("the shipped bundle");
    let (directory, bundle) = deployed(&directory, inspection).expect("it has a name");
    let policy =
        fs::read_to_string(root.join("deploy/policies/default.toml")).expect("the shipped policy");
    (directory, bundle, policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes two bytes of the model's graph in a copy of the shipped bundle.
    fn damaged(directory: &Path) -> std::io::Result<()> {
        let (parent, shipped, _) = shipped();
        for file in fs::read_dir(parent.join(shipped.path))? {
            let file = file?;
            fs::copy(file.path(), directory.join(file.file_name()))?;
        }
        let model = directory.join("model.onnx");
        let mut bytes = fs::read(&model)?;
        bytes[200..202].iter_mut().for_each(|byte| *byte ^= 0xff);
        fs::write(model, bytes)
    }

    #[test]
    fn a_damaged_bundle_is_refused_before_anything_starts() {
        let directory = tempfile::tempdir().unwrap();
        damaged(directory.path()).unwrap();
        let error = CertifiedBundle::open(directory.path())
            .err()
            .expect("it is refused");
        let message = format!("{error:#}");
        let name = directory.path().display().to_string();
        assert!(
            message.contains(&name) && message.contains("model.onnx"),
            "{message}"
        );
        assert!(!message.contains('\n'), "{message}");
    }

    #[test]
    fn shipped_files_are_found_from_anywhere_in_the_build() {
        // Tests run in the crate's directory, and their program lies below the repository.
        assert!(found(Path::new("deploy/policies/default.toml"), "--policy").is_ok());
        let error = found(Path::new("deploy/nothing.toml"), "--policy")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("deploy/nothing.toml") && error.contains("--policy"),
            "{error}"
        );
    }
}

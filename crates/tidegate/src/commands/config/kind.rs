//! What a configuration file is.

use std::path::Path;

use anyhow::anyhow;
use clap::ValueEnum;

/// A kind of configuration file; a sample of each lies in `deploy/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// A classifier's.
    Classifier,
    /// An enforcer's.
    Enforcer,
    /// A control plane's, with the files that it names.
    ControlPlane,
    /// The bundles that classifiers run.
    Deployment,
    /// The topics of an installation.
    Topics,
    /// What is done about what.
    Policy,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Classifier,
        Self::Enforcer,
        Self::ControlPlane,
        Self::Deployment,
        Self::Topics,
        Self::Policy,
    ];

    /// Tells a file by its name.
    ///
    /// # Errors
    /// If the name does not tell.
    pub(super) fn of_name(file: &Path) -> anyhow::Result<Self> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let by_name = Self::ALL
            .into_iter()
            .find(|kind| name.starts_with(kind.as_str()));
        let is_among_policies = file
            .ancestors()
            .skip(1)
            .any(|directory| directory.ends_with("policies"));
        by_name
            .or(is_among_policies.then_some(Self::Policy))
            .ok_or_else(|| {
                let kinds = Self::ALL.map(Self::as_str).join("|");
                anyhow!(
                    "the name of {} does not tell what it is; say so with --as {kinds}",
                    file.display()
                )
            })
    }

    /// Returns the word of the command line.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Classifier => "classifier",
            Self::Enforcer => "enforcer",
            Self::ControlPlane => "control-plane",
            Self::Deployment => "deployment",
            Self::Topics => "topics",
            Self::Policy => "policy",
        }
    }

    /// Returns what a sentence calls it.
    pub(super) fn with_article(self) -> &'static str {
        match self {
            Self::Classifier => "a classifier's file",
            Self::Enforcer => "an enforcer's file",
            Self::ControlPlane => "a control plane's file",
            Self::Deployment => "a deployment",
            Self::Topics => "a file of topics",
            Self::Policy => "a policy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(file: &str, expected: Option<Kind>) {
        let told = Kind::of_name(Path::new(file));
        assert_eq!(told.as_ref().ok().copied(), expected, "{file}");
        if let Err(error) = told {
            assert!(error.to_string().contains("--as classifier|"), "{error}");
        }
    }

    #[test]
    fn names_tell_what_files_are() {
        check("deploy/config/classifier.toml", Some(Kind::Classifier));
        check("/etc/control-plane-eu.toml", Some(Kind::ControlPlane));
        check("topics.toml", Some(Kind::Topics));
        check("deploy/policies/examples/strict.toml", Some(Kind::Policy));
        check("policies.toml", None);
        check("stage.toml", None);
    }
}

//! What the engine refuses, and why.

use moderation::DeploymentVersion;

use super::config::InvalidSetting;
use crate::bundle::BundleError;
use crate::certify::CertificationError;
use crate::runtime::RuntimeError;

/// Why the engine cannot start. Messages hold their causes, and `source()` is none.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// ONNX Runtime is not available.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The system gives no more threads.
    #[error("cannot start an inference thread: {0}")]
    Thread(std::io::Error),
}

/// Why a deployment is refused. What serves stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// A bundle's files are at fault.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A bundle does not show what it must.
    #[error("bundle {bundle} is not certified: {reason}")]
    NotCertified {
        /// Its name and version.
        bundle: String,
        /// What it fails to show.
        reason: CertificationError,
    },
    /// The files are of another model than the deployment says.
    #[error("the deployment names bundle {deployed}, but its files are {found}")]
    Misnamed {
        /// Name and version in the deployment.
        deployed: String,
        /// Name and version in the manifest.
        found: String,
    },
    /// Two serving bundles answer the same question.
    #[error(
        "label `{label}` is served by both {one} and {other}; give one of them the role shadow"
    )]
    SharedLabel {
        /// The label.
        label: String,
        /// One bundle.
        one: String,
        /// Another.
        other: String,
    },
    /// No bundle has the role serving.
    #[error("no bundle of the deployment has the role serving")]
    NothingServes,
    /// A bundle has the role canary, which needs a rollout.
    #[error(
        "the role canary needs a rollout, which this version does not have; use serving or shadow"
    )]
    Canary,
    /// More bundles than one event can carry.
    #[error("the deployment has {found} bundles, at most {allowed} are allowed")]
    TooMany {
        /// Bundles of the deployment.
        found: usize,
        /// The limit.
        allowed: usize,
    },
    /// A newer deployment serves already.
    #[error("deployment {given} is older than {serving}, which serves")]
    Outdated {
        /// The refused version.
        given: DeploymentVersion,
        /// The version that serves.
        serving: DeploymentVersion,
    },
}

/// Why an event is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// There is nothing to score with yet.
    #[error("no deployment serves yet")]
    NoDeployment,
    /// The engine was stopped.
    #[error("the engine was stopped")]
    Stopped,
}

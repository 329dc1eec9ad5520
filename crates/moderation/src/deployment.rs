//! What the classifiers run.

use crate::{BundleDigest, BundleRole, DirectMessageScope};

/// A set of bundles and how they are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// What runs.
    pub bundles: Vec<DeployedBundle>,
    /// Which direct messages are scored.
    pub direct_messages: DirectMessageScope,
}

/// A bundle's place in a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployedBundle {
    /// Which files; nothing else is loaded under this name.
    pub digest: BundleDigest,
    /// Its name.
    pub name: String,
    /// Its semantic version.
    pub version: String,
    /// What it does.
    pub role: BundleRole,
    /// Where it lies below the bundle directory: a relative path without `..`.
    pub path: String,
}

//! What stands under a version number, and who put it there.

use std::sync::Arc;

use moderation::{Deployment, DeploymentVersion, PolicyVersion, Timestamp};
use moderation_wire::v1;

/// Something immutable under a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<V, T> {
    /// The number, from 1.
    pub version: V,
    /// What stands under it.
    pub content: T,
    /// Who made it the next version, when and why.
    pub change: Change,
}

/// A policy document under its version.
pub type VersionedPolicy = Versioned<PolicyVersion, PolicyDocument>;

/// A deployment under its version.
pub type VersionedDeployment = Versioned<DeploymentVersion, Deployment>;

/// A policy as its author wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDocument {
    text: Arc<str>,
    digest: Arc<str>,
}

impl PolicyDocument {
    /// Wraps a document, which need not be a valid policy, and computes its digest.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let digest = blake3::hash(text.as_bytes()).to_hex().as_str().into();
        Self { text, digest }
    }

    /// Returns the TOML.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns BLAKE3 of the text as 64 lower-case hexadecimal characters.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// Who changed something, when and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When, by the control plane's clock.
    pub at: Timestamp,
    /// The version that this one brings back, where it is a rollback.
    pub rollback_of: Option<u64>,
}

impl From<&Change> for v1::Change {
    fn from(change: &Change) -> Self {
        Self {
            author: change.author.clone(),
            reason: change.reason.clone(),
            at: Some(moderation_wire::timestamp_to_wire(change.at)),
            rollback_of: change.rollback_of,
        }
    }
}

impl From<v1::Change> for Change {
    /// Reads what is there: a change without an author must not make a version unreadable.
    fn from(change: v1::Change) -> Self {
        let at = change.at.as_ref();
        Self {
            author: change.author,
            reason: change.reason,
            at: at
                .and_then(moderation_wire::timestamp_from_wire)
                .unwrap_or_default(),
            rollback_of: change.rollback_of,
        }
    }
}

impl From<&VersionedPolicy> for v1::PolicyVersion {
    fn from(policy: &VersionedPolicy) -> Self {
        Self {
            version: policy.version.0,
            document: policy.content.text().to_owned(),
            digest: policy.content.digest().to_owned(),
            change: Some((&policy.change).into()),
        }
    }
}

impl From<&VersionedDeployment> for v1::DeploymentVersion {
    fn from(deployment: &VersionedDeployment) -> Self {
        Self {
            version: deployment.version.0,
            deployment: Some((&deployment.content).into()),
            change: Some((&deployment.change).into()),
        }
    }
}

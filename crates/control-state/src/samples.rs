//! Small versions for this crate's tests.

use moderation::{
    BundleDigest, BundleRole, DeployedBundle, Deployment, DeploymentVersion, DirectMessageScope,
    PolicyVersion, Timestamp,
};

use crate::versioned::{Change, PolicyDocument, VersionedDeployment, VersionedPolicy};

pub(crate) fn policy(version: u64, text: &str) -> VersionedPolicy {
    VersionedPolicy {
        version: PolicyVersion(version),
        content: PolicyDocument::new(text),
        change: change(),
    }
}

pub(crate) fn deployment(version: u64, path: &str) -> VersionedDeployment {
    VersionedDeployment {
        version: DeploymentVersion(version),
        content: Deployment {
            bundles: vec![DeployedBundle {
                digest: BundleDigest::new("ab".repeat(32)).unwrap(),
                name: "screen".to_owned(),
                version: "1.0.0".to_owned(),
                role: BundleRole::Serving,
                path: path.to_owned(),
            }],
            direct_messages: DirectMessageScope::Reported,
        },
        change: change(),
    }
}

fn change() -> Change {
    Change {
        author: "ann".to_owned(),
        reason: "why not".to_owned(),
        at: Timestamp::from_millis(1_700_000_000_123),
        rollback_of: None,
    }
}

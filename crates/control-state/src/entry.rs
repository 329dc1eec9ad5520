//! Control records, decoded and checked.

use moderation::{DeploymentVersion, PolicyVersion};
use moderation_wire::v1;
use moderation_wire::v1::control_record::Record;
use prost::Message;

use crate::key::ControlKey;
use crate::versioned::{Change, PolicyDocument, VersionedDeployment, VersionedPolicy};

/// A control record that this release understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlEntry {
    /// A policy, immutable under its number.
    PolicyVersion(VersionedPolicy),
    /// The policy that serves.
    PolicyHead(VersionedPolicy),
    /// A deployment, immutable under its number.
    DeploymentVersion(VersionedDeployment),
    /// The deployment that serves.
    DeploymentHead(VersionedDeployment),
}

/// Why a control record has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipReason {
    /// Its key is none of this release's, or it has none.
    UnknownKey,
    /// It has no value. Versions and heads are never deleted.
    Tombstone,
    /// Its value cannot be read.
    Malformed,
    /// Its key and its value speak of different things.
    KeyMismatch,
    /// Its document is not the one that was digested.
    DigestMismatch,
    /// It would move a head back; a rollback is a new version.
    WentBack,
    /// Something else already stands under its number.
    Conflict,
    /// Its offset lies before what was applied.
    OldOffset,
}

impl SkipReason {
    /// Returns the reason's word in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownKey => "unknown_key",
            Self::Tombstone => "tombstone",
            Self::Malformed => "malformed",
            Self::KeyMismatch => "key_mismatch",
            Self::DigestMismatch => "digest_mismatch",
            Self::WentBack => "went_back",
            Self::Conflict => "conflict",
            Self::OldOffset => "old_offset",
        }
    }
}

impl ControlEntry {
    /// Returns the key under which the record stands.
    pub fn key(&self) -> ControlKey {
        match self {
            Self::PolicyVersion(policy) => ControlKey::PolicyVersion(policy.version),
            Self::PolicyHead(_) => ControlKey::PolicyHead,
            Self::DeploymentVersion(deployment) => {
                ControlKey::DeploymentVersion(deployment.version)
            }
            Self::DeploymentHead(_) => ControlKey::DeploymentHead,
        }
    }

    /// Returns the record's value.
    pub fn encode(&self) -> Vec<u8> {
        let record = match self {
            Self::PolicyVersion(policy) => Record::PolicyVersion(policy.into()),
            Self::PolicyHead(policy) => Record::PolicyHead(policy.into()),
            Self::DeploymentVersion(deployment) => Record::DeploymentVersion(deployment.into()),
            Self::DeploymentHead(deployment) => Record::DeploymentHead(deployment.into()),
        };
        let record = Some(record);
        v1::ControlRecord { record }.encode_to_vec()
    }

    /// Reads a record and checks it against its key.
    ///
    /// # Errors
    /// Says why the record is to be skipped.
    pub fn decode(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Self, SkipReason> {
        let key = key
            .and_then(ControlKey::parse)
            .ok_or(SkipReason::UnknownKey)?;
        let value = value.ok_or(SkipReason::Tombstone)?;
        let record = v1::ControlRecord::decode(value).map_err(|_| SkipReason::Malformed)?;
        let entry = match record.record.ok_or(SkipReason::Malformed)? {
            Record::PolicyVersion(policy) => Self::PolicyVersion(policy_from_wire(policy)?),
            Record::PolicyHead(policy) => Self::PolicyHead(policy_from_wire(policy)?),
            Record::DeploymentVersion(deployment) => {
                Self::DeploymentVersion(deployment_from_wire(deployment)?)
            }
            Record::DeploymentHead(deployment) => {
                Self::DeploymentHead(deployment_from_wire(deployment)?)
            }
        };
        if entry.key() == key {
            Ok(entry)
        } else {
            Err(SkipReason::KeyMismatch)
        }
    }
}

fn policy_from_wire(policy: v1::PolicyVersion) -> Result<VersionedPolicy, SkipReason> {
    let content = PolicyDocument::new(policy.document);
    if content.digest() != policy.digest {
        return Err(SkipReason::DigestMismatch);
    }
    Ok(VersionedPolicy {
        version: PolicyVersion(numbered(policy.version)?),
        content,
        change: policy.change.map(Change::from).unwrap_or_default(),
    })
}

fn deployment_from_wire(
    deployment: v1::DeploymentVersion,
) -> Result<VersionedDeployment, SkipReason> {
    let content = deployment.deployment.ok_or(SkipReason::Malformed)?;
    Ok(VersionedDeployment {
        version: DeploymentVersion(numbered(deployment.version)?),
        content: content.try_into().map_err(|_| SkipReason::Malformed)?,
        change: deployment.change.map(Change::from).unwrap_or_default(),
    })
}

/// Versions count from 1: 0 means "none" wherever a version stands on the wire.
fn numbered(version: u64) -> Result<u64, SkipReason> {
    (version > 0)
        .then_some(version)
        .ok_or(SkipReason::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::samples::{deployment, policy};

    #[track_caller]
    fn check(key: Option<&str>, value: Option<&[u8]>, expected: SkipReason) {
        let actual = ControlEntry::decode(key.map(str::as_bytes), value);
        assert_eq!(actual, Err(expected), "{key:?}");
    }

    #[test]
    fn entries_survive_the_wire() {
        for entry in [
            ControlEntry::PolicyVersion(policy(3, "a")),
            ControlEntry::PolicyHead(policy(3, "a")),
            ControlEntry::DeploymentVersion(deployment(2, "screen")),
            ControlEntry::DeploymentHead(deployment(2, "screen")),
        ] {
            let key = entry.key().to_string();
            let decoded = ControlEntry::decode(Some(key.as_bytes()), Some(&entry.encode()));
            assert_eq!(decoded, Ok(entry));
        }
    }

    #[test]
    fn what_does_not_fit_is_skipped_with_its_reason() {
        let version = ControlEntry::PolicyVersion(policy(3, "a")).encode();
        check(None, Some(&version), SkipReason::UnknownKey);
        check(Some("brakes"), Some(&version), SkipReason::UnknownKey);
        check(Some("policy/head"), None, SkipReason::Tombstone);
        check(
            Some("policy/head"),
            Some(b"\xff\xff"),
            SkipReason::Malformed,
        );
        check(Some("policy/head"), Some(b""), SkipReason::Malformed);
        check(Some("policy/head"), Some(&version), SkipReason::KeyMismatch);
        check(
            Some("policy/version/4"),
            Some(&version),
            SkipReason::KeyMismatch,
        );
    }

    #[test]
    fn documents_are_held_against_their_digest() {
        let mut wire = v1::PolicyVersion::from(&policy(3, "a"));
        wire.document.push(' ');
        let record = Some(Record::PolicyHead(wire));
        let value = v1::ControlRecord { record }.encode_to_vec();
        check(
            Some("policy/head"),
            Some(&value),
            SkipReason::DigestMismatch,
        );
    }

    #[test]
    fn version_zero_is_none() {
        let record = Some(Record::PolicyHead((&policy(0, "a")).into()));
        let value = v1::ControlRecord { record }.encode_to_vec();
        check(Some("policy/head"), Some(&value), SkipReason::Malformed);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            for key in ["policy/head", "deployment/head", "policy/version/1", "deployment/version/1"] {
                if let Ok(entry) = ControlEntry::decode(Some(key.as_bytes()), Some(&value)) {
                    prop_assert_eq!(entry.key().to_string(), key);
                }
            }
        }
    }
}

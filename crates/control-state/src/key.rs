//! Keys of the control topic.

use std::fmt;

use moderation::{DeploymentVersion, PolicyVersion};

/// The key of a control record that this release understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlKey {
    /// `policy/version/<n>`.
    PolicyVersion(PolicyVersion),
    /// `policy/head`.
    PolicyHead,
    /// `deployment/version/<n>`.
    DeploymentVersion(DeploymentVersion),
    /// `deployment/head`.
    DeploymentHead,
}

impl ControlKey {
    /// Reads a key; `None` for every other one, such as those of later releases.
    ///
    /// Numbers count from 1 and are written without sign or leading zeros, so that no version has two keys.
    pub fn parse(key: &[u8]) -> Option<Self> {
        let key = std::str::from_utf8(key).ok()?;
        match key {
            "policy/head" => return Some(Self::PolicyHead),
            "deployment/head" => return Some(Self::DeploymentHead),
            _ => {}
        }
        let (object, digits) = key.split_once("/version/")?;
        let number: u64 = digits.parse().ok()?;
        if number == 0 || digits.starts_with(['0', '+']) {
            return None;
        }
        match object {
            "policy" => Some(Self::PolicyVersion(PolicyVersion(number))),
            "deployment" => Some(Self::DeploymentVersion(DeploymentVersion(number))),
            _ => None,
        }
    }
}

impl fmt::Display for ControlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PolicyVersion(version) => write!(f, "policy/version/{version}"),
            Self::PolicyHead => f.write_str("policy/head"),
            Self::DeploymentVersion(version) => write!(f, "deployment/version/{version}"),
            Self::DeploymentHead => f.write_str("deployment/head"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(key: &str, expected: Option<ControlKey>) {
        assert_eq!(ControlKey::parse(key.as_bytes()), expected, "{key}");
        if let Some(parsed) = expected {
            assert_eq!(parsed.to_string(), key);
        }
    }

    #[test]
    fn keys_are_read_and_written() {
        check("policy/head", Some(ControlKey::PolicyHead));
        check("deployment/head", Some(ControlKey::DeploymentHead));
        check(
            "policy/version/7",
            Some(ControlKey::PolicyVersion(PolicyVersion(7))),
        );
        check(
            "deployment/version/18446744073709551615",
            Some(ControlKey::DeploymentVersion(DeploymentVersion(u64::MAX))),
        );
    }

    #[test]
    fn other_keys_are_not_ours() {
        for key in [
            "",
            "brakes",
            "policy",
            "policy/head/",
            "policy/version/",
            "policy/version/0",
            "policy/version/07",
            "policy/version/+7",
            "policy/version/-7",
            "policy/version/18446744073709551616",
            "model/version/1",
        ] {
            check(key, None);
        }
        assert_eq!(ControlKey::parse(b"policy/\xff"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(key in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(parsed) = ControlKey::parse(&key) {
                prop_assert_eq!(parsed.to_string().into_bytes(), key);
            }
        }
    }
}

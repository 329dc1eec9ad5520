//! Where a policy comes from.

use std::convert::Infallible;
use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, bail};
use moderation::policy::Policy;
use moderation_wire::v1::policy_service_client::PolicyServiceClient;
use tonic::transport::Channel;

/// A file, or standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Standard,
    File(PathBuf),
}

/// A version of the control plane, or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// 0 is the one that serves.
    Version(u64),
    File(Input),
}

impl Input {
    /// Reads all of it.
    ///
    /// # Errors
    /// Names the file.
    pub(crate) fn read(&self) -> anyhow::Result<String> {
        match self {
            Self::File(path) => std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display())),
            Self::Standard => {
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .context("cannot read standard input")?;
                Ok(text)
            }
        }
    }
}

impl Source {
    /// Reads and parses the policy; `client` is needed for versions alone.
    ///
    /// # Errors
    /// It cannot be read, or is no policy.
    pub(crate) async fn parse(
        &self,
        client: Option<&mut PolicyServiceClient<Channel>>,
    ) -> anyhow::Result<Policy> {
        let document = match (self, client) {
            (Self::File(file), _) => file.read()?,
            (Self::Version(version), Some(client)) => {
                super::fetch(client, *version).await?.document
            }
            (Self::Version(_), None) => bail!("versions are known to a control plane alone"),
        };
        Policy::parse(&document).map_err(|findings| {
            let first = findings
                .first()
                .map(ToString::to_string)
                .unwrap_or_default();
            anyhow::anyhow!("{self} is no policy: {first}")
        })
    }
}

impl FromStr for Input {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "-" => Self::Standard,
            path => Self::File(path.into()),
        })
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse::<u64>() {
            Ok(0) => Err("versions count from 1".to_owned()),
            Ok(version) => Ok(Self::Version(version)),
            Err(_) if is_number => Err("no version has so large a number".to_owned()),
            Err(_) => text.parse().map(Self::File).map_err(|never| match never {}),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("standard input"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(0) => f.write_str("the policy that serves"),
            Self::Version(version) => write!(f, "policy {version}"),
            Self::File(file) => file.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_versions_and_all_else_is_a_file() {
        let file = |path: &str| Ok(Source::File(Input::File(path.into())));
        assert_eq!("3".parse(), Ok(Source::Version(3)));
        assert_eq!("3.toml".parse(), file("3.toml"));
        assert_eq!("./3".parse(), file("./3"));
        assert_eq!("-".parse(), Ok(Source::File(Input::Standard)));
        assert!("0".parse::<Source>().is_err());
        assert!("99999999999999999999".parse::<Source>().is_err());
    }
}

//! Deployments: what the classifiers run.

use std::path::{Component, Path as FilePath};

use moderation::{BundleDigest, DeployedBundle, Deployment, DirectMessageScope};

use crate::decision::each;
use crate::invalid::{Invalid, Path, Problem};
use crate::reading::{known, required};
use crate::v1;
use crate::words::Word;

/// Characters of a BLAKE3 hash in hexadecimal.
const DIGEST_LENGTH: usize = 64;

impl TryFrom<v1::Deployment> for Deployment {
    type Error = Invalid;

    fn try_from(wire: v1::Deployment) -> Result<Self, Invalid> {
        let at = Path::ROOT;
        Ok(Self {
            bundles: each(&at, "bundles", wire.bundles, bundle)?,
            direct_messages: match wire.direct_messages {
                0 => DirectMessageScope::Reported,
                number => known(&at.field("direct_messages"), number)?,
            },
        })
    }
}

impl TryFrom<v1::DeployedBundle> for DeployedBundle {
    type Error = Invalid;

    fn try_from(wire: v1::DeployedBundle) -> Result<Self, Invalid> {
        bundle(&Path::ROOT, wire)
    }
}

fn bundle(at: &Path<'_>, wire: v1::DeployedBundle) -> Result<DeployedBundle, Invalid> {
    let role_at = at.field("role");
    Ok(DeployedBundle {
        digest: digest(&at.field("digest"), wire.digest)?,
        name: stated(&at.field("name"), wire.name)?,
        version: stated(&at.field("version"), wire.version)?,
        role: known(&role_at, wire.role)?,
        path: inside(&at.field("path"), wire.path)?,
    })
}

fn digest(at: &Path<'_>, value: String) -> Result<BundleDigest, Invalid> {
    let is_digest = value.len() == DIGEST_LENGTH
        && value
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_digest && !value.is_empty() {
        return Err(at.invalid(Problem::OutOfRange));
    }
    required(at, value, BundleDigest::new)
}

fn stated(at: &Path<'_>, value: String) -> Result<String, Invalid> {
    match value.as_str() {
        "" => Err(at.missing()),
        _ => Ok(value),
    }
}

/// Accepts a relative path that stays below where it starts.
fn inside(at: &Path<'_>, value: String) -> Result<String, Invalid> {
    let value = stated(at, value)?;
    let stays = FilePath::new(&value)
        .components()
        .all(|component| matches!(component, Component::Normal(_)));
    if stays {
        Ok(value)
    } else {
        Err(at.invalid(Problem::OutOfRange))
    }
}

impl From<&Deployment> for v1::Deployment {
    fn from(deployment: &Deployment) -> Self {
        Self {
            bundles: deployment.bundles.iter().map(Into::into).collect(),
            direct_messages: deployment.direct_messages.number(),
        }
    }
}

impl From<&DeployedBundle> for v1::DeployedBundle {
    fn from(bundle: &DeployedBundle) -> Self {
        Self {
            digest: bundle.digest.as_str().to_owned(),
            name: bundle.name.clone(),
            version: bundle.version.clone(),
            role: bundle.role.number(),
            path: bundle.path.clone(),
        }
    }
}

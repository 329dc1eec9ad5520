//! Deployments as files that people write.

use moderation::{Deployment, DirectMessageScope};
use moderation_wire::v1;
use serde::{Deserialize, Serialize};

/// A deployment as TOML.
///
/// The digest is required: a control plane never opens a bundle, and what classifiers load must be what was meant.
/// `tidegate model inspect DIR` shows it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeploymentFile {
    #[serde(default = "only_reported")]
    direct_messages: DirectMessageScope,
    #[serde(rename = "bundle", default)]
    bundles: Vec<BundleEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BundleEntry {
    /// Below the classifiers' bundle directory.
    path: String,
    digest: String,
    name: String,
    version: String,
    #[serde(default = "serving")]
    role: moderation::BundleRole,
}

fn only_reported() -> DirectMessageScope {
    DirectMessageScope::Reported
}

fn serving() -> moderation::BundleRole {
    moderation::BundleRole::Serving
}

/// Reads a deployment from TOML.
///
/// # Errors
/// One line that names the key and what is wrong with it.
pub fn parse_deployment(text: &str) -> Result<Deployment, String> {
    let file: DeploymentFile = toml::from_str(text).map_err(|error| one_line(text, error))?;
    let wire = v1::Deployment {
        bundles: file.bundles.into_iter().map(to_wire).collect(),
        direct_messages: v1::DirectMessageScope::from(file.direct_messages) as i32,
    };
    let deployment = Deployment::try_from(wire).map_err(|error| error.to_string())?;
    crate::deployment_check::check_deployment(&deployment)?;
    Ok(deployment)
}

/// Writes a deployment as TOML that [`parse_deployment`] reads.
pub fn deployment_toml(deployment: &Deployment) -> String {
    let bundles = deployment.bundles.iter().map(|bundle| BundleEntry {
        path: bundle.path.clone(),
        digest: bundle.digest.as_str().to_owned(),
        name: bundle.name.clone(),
        version: bundle.version.clone(),
        role: bundle.role,
    });
    let file = DeploymentFile {
        direct_messages: deployment.direct_messages,
        bundles: bundles.collect(),
    };
    toml::to_string(&file).expect("strings and words are always TOML")
}

fn to_wire(entry: BundleEntry) -> v1::DeployedBundle {
    v1::DeployedBundle {
        digest: entry.digest,
        name: entry.name,
        version: entry.version,
        role: v1::BundleRole::from(entry.role) as i32,
        path: entry.path,
    }
}

fn one_line(text: &str, mut error: toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.get(..start).unwrap_or(text).matches('\n').count() + 1;
    // Without its input, the error draws no excerpt over several lines.
    error.set_input(None);
    let message = error.to_string();
    let words: Vec<&str> = message.split_whitespace().collect();
    format!("line {line}: {}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(path: &str, digest: &str) -> String {
        format!(
            "[[bundle]]\npath = \"{path}\"\ndigest = \"{digest}\"\nname = \"screen\"\nversion = \"1.0.0\"\n"
        )
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let error = parse_deployment(text).unwrap_err();
        assert!(error.contains(expected), "{error}");
        assert_eq!(error.lines().count(), 1);
    }

    #[test]
    fn files_are_read_and_written() {
        let text = bundle("screen", &"ab".repeat(32));
        let deployment = parse_deployment(&text).unwrap();
        assert_eq!(deployment.bundles[0].path, "screen");
        assert_eq!(deployment.direct_messages, DirectMessageScope::Reported);
        let again = parse_deployment(&deployment_toml(&deployment));
        assert_eq!(again, Ok(deployment));
    }

    #[test]
    fn wrong_files_are_explained() {
        let digest = "ab".repeat(32);
        check("", "role serving");
        check("bundle = 1", "line 1");
        check("bundles = []", "unknown field `bundles`");
        check("direct_messages = \"some\"", "line 1");
        check("[[bundle]]\npath = \"a\"", "missing field `digest`");
        check(&bundle("screen", "auto"), "bundles[0].digest");
        check(&bundle("../screen", &digest), "bundles[0].path");
        check(&bundle("/screen", &digest), "bundles[0].path");
        check(&bundle("", &digest), "bundles[0].path");
    }
}

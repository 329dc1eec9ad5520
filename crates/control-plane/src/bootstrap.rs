//! The first versions, read and checked before anything starts.

use std::path::Path;

use anyhow::{Context, bail};

use crate::config::Config;
use crate::deployment_file::parse_deployment;
use crate::plan::{Proposal, Terms};
use crate::policy_check::check_policy;

/// Reads the bootstrap files into the changes that make version 1.
///
/// # Errors
/// One line that names the file and the first thing that is wrong with it.
pub(crate) fn read_first_changes(config: &Config) -> anyhow::Result<Vec<(Proposal, Terms)>> {
    let mut changes = Vec::new();
    if let Some(path) = &config.bootstrap_policy {
        let document = read(path, config.max_policy_bytes()).context("bootstrap_policy")?;
        if let Err(findings) = check_policy(&document, config.max_policy_bytes()) {
            let errors = findings.iter().filter(|finding| finding.error);
            let (count, first) = (
                errors.clone().count(),
                errors.map(ToString::to_string).next(),
            );
            let first = first.unwrap_or_default();
            bail!(
                "bootstrap_policy {}: {first} ({count} errors; `tidegate policy lint` lists them)",
                path.display()
            );
        }
        changes.push((Proposal::ApplyPolicy(document), terms(path)));
    }
    if let Some(path) = &config.bootstrap_deployment {
        let text = read(path, MAX_DEPLOYMENT_BYTES).context("bootstrap_deployment")?;
        let deployment = parse_deployment(&text).map_err(|problem| {
            anyhow::anyhow!("bootstrap_deployment {}: {problem}", path.display())
        })?;
        changes.push((Proposal::Deploy(deployment), terms(path)));
    }
    Ok(changes)
}

fn read(path: &Path, max_bytes: usize) -> anyhow::Result<String> {
    let cannot_read = || format!("cannot read {}", path.display());
    let bytes = std::fs::metadata(path).with_context(cannot_read)?.len();
    if bytes > max_bytes as u64 {
        bail!(
            "{} has {bytes} bytes; at most {max_bytes} are accepted",
            path.display()
        );
    }
    std::fs::read_to_string(path).with_context(cannot_read)
}

fn terms(path: &Path) -> Terms {
    Terms {
        author: "bootstrap".to_owned(),
        reason: format!("the first version, from {}", path.display()),
        expected_version: 0,
    }
}

const MAX_DEPLOYMENT_BYTES: usize = 64 * 1024;

//! Whether a document may become a policy version.

use moderation::PolicyVersion;
use moderation::policy::{CompiledPolicy, Finding, Policy, lint};

/// A document that may become a version.
#[derive(Debug)]
pub(crate) struct CheckedPolicy {
    pub(crate) policy: Policy,
    pub(crate) warnings: Vec<Finding>,
}

/// Reads, lints and compiles a document, so that no enforcer is the first to find out.
///
/// # Errors
/// All findings, at least one of which is an error.
pub(crate) fn check_policy(
    document: &str,
    max_bytes: usize,
) -> Result<CheckedPolicy, Vec<Finding>> {
    let policy = compilable(document, max_bytes)?;
    let findings = lint(&policy);
    if findings.iter().any(|finding| finding.error) {
        return Err(findings);
    }
    Ok(CheckedPolicy {
        policy,
        warnings: findings,
    })
}

/// Checks only that enforcers can serve a document. What served before may serve again even where lint has become
/// stricter since: taking back must never be harder than going on.
///
/// # Errors
/// All findings, at least one of which is an error.
pub(crate) fn compilable(document: &str, max_bytes: usize) -> Result<Policy, Vec<Finding>> {
    if document.len() > max_bytes {
        return Err(vec![too_large(document.len(), max_bytes)]);
    }
    let policy = Policy::parse(document)?;
    CompiledPolicy::compile(&policy, PolicyVersion(1))?;
    Ok(policy)
}

fn too_large(bytes: usize, max_bytes: usize) -> Finding {
    Finding {
        code: "T001",
        error: true,
        line: 0,
        column: 0,
        message: format!("the document has {bytes} bytes; at most {max_bytes} are accepted"),
        fix: "shorten it, or raise max_policy_bytes of the control plane".to_owned(),
    }
}

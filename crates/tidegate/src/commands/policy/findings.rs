//! What is wrong with a policy, for people and for programs.

use moderation::policy::Finding;
use moderation_wire::v1;
use serde_json::{Value, json};

use crate::commands::output::printable;

/// Returns one finding a line, as compilers do, and their number.
pub(crate) fn as_text(file: &str, findings: &[v1::LintFinding]) -> String {
    let mut text: String = findings
        .iter()
        .map(|finding| line(file, finding) + "\n")
        .collect();
    let errors = findings.iter().filter(|finding| finding.error).count();
    let warnings = findings.len() - errors;
    text.push_str(&format!("{file}: {errors} errors, {warnings} warnings"));
    text
}

/// Returns the findings as a list.
pub(crate) fn as_json(findings: &[v1::LintFinding]) -> Value {
    let findings = findings.iter().map(|finding| {
        json!({
            "code": finding.code,
            "error": finding.error,
            "line": finding.line,
            "column": finding.column,
            "message": finding.message,
            "fix": finding.fix,
        })
    });
    findings.collect()
}

/// Prints the warnings of a policy that serves all the same, aside from the outcome.
pub(crate) fn warn(file: &str, findings: &[v1::LintFinding]) {
    for finding in findings {
        eprintln!("{}", line(file, finding));
    }
}

/// Brings a finding of this process into the form of those that come over the wire.
pub(crate) fn to_wire(finding: &Finding) -> v1::LintFinding {
    v1::LintFinding {
        code: finding.code.to_owned(),
        error: finding.error,
        line: finding.line,
        column: finding.column,
        message: finding.message.clone(),
        fix: finding.fix.clone(),
    }
}

fn line(file: &str, finding: &v1::LintFinding) -> String {
    let place = match finding.line {
        0 => file.to_owned(),
        line => format!("{file}:{line}:{}", finding.column),
    };
    let kind = if finding.error { "error" } else { "warning" };
    let (message, fix) = (printable(&finding.message), printable(&finding.fix));
    format!("{place}: {kind} {}: {message}; {fix}", finding.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_say_where_and_what_to_do() {
        let finding = v1::LintFinding {
            code: "T101".to_owned(),
            error: true,
            line: 3,
            column: 5,
            message: "no reason".to_owned(),
            fix: "write one".to_owned(),
        };
        let whole = v1::LintFinding {
            error: false,
            line: 0,
            ..finding.clone()
        };
        assert_eq!(
            as_text("p.toml", &[finding, whole]),
            "p.toml:3:5: error T101: no reason; write one\np.toml: warning T101: no reason; write one\n\
             p.toml: 1 errors, 1 warnings"
        );
    }
}

//! Why a change was not made.

use moderation::policy::Finding;
use tonic::{Code, Status};

use crate::object::Object;

/// Why a change was not made. Nothing was written but an audit record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{field}: {problem}")]
    Request {
        field: &'static str,
        problem: String,
    },
    #[error(
        "{object} {current} serves, not {expected}; read it, base the change on it and try again"
    )]
    Conflict {
        object: Object,
        expected: u64,
        current: u64,
    },
    #[error("there is no {object} {version}")]
    UnknownVersion { object: Object, version: u64 },
    #[error("no {0} serves yet; apply one first")]
    NothingServes(Object),
    #[error("{}", listed(.0))]
    Policy(Vec<Finding>),
    #[error("{0}")]
    Deployment(String),
    #[error("{0}")]
    Threshold(String),
    #[error("no live {0} to wait for; start one, or write without waiting")]
    NobodyLives(&'static str),
    #[error("{}", standing_by(.0.as_deref()))]
    StandsBy(Option<String>),
}

impl Refusal {
    pub(crate) fn request(field: &'static str, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self::Request { field, problem }
    }

    fn code(&self) -> Code {
        match self {
            Self::Conflict { .. } => Code::Aborted,
            Self::UnknownVersion { .. } => Code::NotFound,
            Self::NothingServes(_) | Self::NobodyLives(_) | Self::StandsBy(Some(_)) => {
                Code::FailedPrecondition
            }
            Self::StandsBy(None) => Code::Unavailable,
            Self::Request { .. } | Self::Policy(_) | Self::Deployment(_) | Self::Threshold(_) => {
                Code::InvalidArgument
            }
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code(), refusal.to_string())
    }
}

fn standing_by(leader: Option<&str>) -> String {
    match leader {
        Some(address) => {
            format!("this control plane stands by; make the change at {address}, which leads")
        }
        None => "no control plane leads yet; try again in a moment".to_owned(),
    }
}

/// Writes one finding a line. A status travels in headers, which clients bound at 16 KiB.
fn listed(findings: &[Finding]) -> String {
    let errors = findings.iter().filter(|finding| finding.error).count();
    let mut text = match errors {
        1 => "the policy has an error".to_owned(),
        _ => format!("the policy has {errors} errors"),
    };
    for (shown, finding) in findings.iter().enumerate() {
        let line = format!("\n{finding}");
        if text.len() + line.len() > MAX_LISTED_BYTES {
            text.push_str(&format!("\n… and {} more", findings.len() - shown));
            break;
        }
        text.push_str(&line);
    }
    text
}

/// Percent-encoded for the header, a character may take nine bytes; findings are mostly ASCII.
const MAX_LISTED_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(message: &str) -> Finding {
        Finding {
            code: "T101",
            error: true,
            line: 3,
            column: 5,
            message: message.to_owned(),
            fix: "write one".to_owned(),
        }
    }

    #[test]
    fn findings_are_listed_up_to_a_bound() {
        let one = Refusal::Policy(vec![finding("no reason")]).to_string();
        assert!(one.starts_with("the policy has an error\n"), "{one}");
        assert!(
            one.contains("T101") && one.contains("line 3") && one.contains("no reason"),
            "{one}"
        );
        let many = Refusal::Policy(vec![finding(&"x".repeat(100)); 1000]).to_string();
        assert!(many.starts_with("the policy has 1000 errors\n"), "{many}");
        assert!(many.len() < 5000 && many.contains("… and "), "{many}");
    }

    #[test]
    fn every_refusal_has_its_code() {
        let check = |refusal: Refusal, code| assert_eq!(Status::from(refusal).code(), code);
        let object = Object::Policy;
        check(
            Refusal::request("author", "is empty"),
            Code::InvalidArgument,
        );
        check(
            Refusal::Conflict {
                object,
                expected: 1,
                current: 2,
            },
            Code::Aborted,
        );
        check(
            Refusal::UnknownVersion { object, version: 9 },
            Code::NotFound,
        );
        check(Refusal::NobodyLives("enforcer"), Code::FailedPrecondition);
        let elsewhere = Refusal::StandsBy(Some("127.0.0.1:7301".to_owned()));
        assert!(elsewhere.to_string().contains("127.0.0.1:7301"));
        check(elsewhere, Code::FailedPrecondition);
        check(Refusal::StandsBy(None), Code::Unavailable);
    }
}

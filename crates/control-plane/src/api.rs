//! What the three services share: reading, writing, and waiting for replicas.

use std::sync::Arc;
use std::time::{Duration, Instant};

use control_state::{ControlState, ControlView, Phase};
use moderation::policy::Finding;
use moderation_wire::v1;
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::acknowledgement::{Acknowledgements, Awaited};
use crate::command::{WriterHandle, Written};
use crate::metrics;
use crate::object::Object;
use crate::plan::{Proposal, Terms};
use crate::refusal::Refusal;
use crate::replica_watch::Replicas;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    pub(crate) view: ControlView,
    pub(crate) replicas: Replicas,
    pub(crate) writer: WriterHandle,
    /// Whether this control plane takes changes.
    pub(crate) leads: watch::Receiver<bool>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) max_policy_bytes: usize,
}

impl Api {
    /// Returns a state that contains all records below `min_offset`; 0 is whatever is known now.
    ///
    /// # Errors
    /// `UNAVAILABLE` before the topic was read to its end, `DEADLINE_EXCEEDED` where the offset does not come.
    pub(crate) async fn read(&self, min_offset: u64) -> Result<Arc<ControlState>, Status> {
        let standing = self.view.standing().borrow().clone();
        if standing.phase == Phase::CatchingUp {
            return Err(Status::unavailable(
                "the control topic is not read to its end yet; try again",
            ));
        }
        // What is stale can still be looked at; only a caller who asks for more has to wait for it.
        if standing.control_offset >= min_offset {
            return Ok(self.view.state().borrow().clone());
        }
        match timeout(READ_PATIENCE, self.view.reach(min_offset)).await {
            Ok(Ok(state)) => Ok(state),
            Ok(Err(error)) => Err(Status::unavailable(error.to_string())),
            Err(_) => {
                let known = self.view.standing().borrow().control_offset;
                let message =
                    format!("the control topic is known up to offset {known}, not {min_offset}");
                Err(Status::deadline_exceeded(message))
            }
        }
    }

    /// Makes a change, and waits for replicas where that is asked for.
    ///
    /// The change is durable when this waits, so replicas that lag are named in the outcome and are no error.
    pub(crate) async fn change(
        &self,
        proposal: Proposal,
        request: WriteRequest,
    ) -> Result<Outcome, Status> {
        let object = proposal.object();
        let awaited = match request.wait {
            false => None,
            true => Some(self.awaited(object).await?),
        };
        let written = self.writer.write(proposal, request.terms).await?;
        let acknowledgements = match awaited {
            None => Acknowledgements::default(),
            Some(awaited) => {
                self.acknowledged(object, &awaited, written.version, request.patience)
                    .await
            }
        };
        Ok(Outcome {
            written,
            acknowledgements,
        })
    }

    async fn awaited(&self, object: Object) -> Result<Awaited, Status> {
        let caught_up = timeout(READ_PATIENCE, self.replicas.caught_up()).await;
        match caught_up {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(Status::unavailable(error.to_string())),
            Err(_) => {
                return Err(Status::unavailable(
                    "the replicas topic is not read to its end yet; try again",
                ));
            }
        }
        let heard = self.replicas.subscribe();
        let live = Awaited::live(object, &heard.borrow().table, Instant::now());
        live.ok_or_else(|| Refusal::NobodyLives(object.stage()).into())
    }

    async fn acknowledged(
        &self,
        object: Object,
        awaited: &Awaited,
        version: u64,
        patience: Duration,
    ) -> Acknowledgements {
        let started = Instant::now();
        let deadline = started + patience;
        let mut heard = self.replicas.subscribe();
        loop {
            let now = Instant::now();
            let progress = awaited.progress(version, &heard.borrow_and_update().table, now);
            if progress.are_complete() {
                metrics::time_acknowledgement(object, started.elapsed());
                return progress;
            }
            if now >= deadline {
                return progress;
            }
            // Nothing is heard of a replica that dies, so the clock is looked at as well.
            let next_look = deadline.min(now + SILENCE_LOOK_INTERVAL);
            tokio::select! {
                changed = heard.changed() => if changed.is_err() {
                    return progress;
                },
                () = sleep_until(next_look.into()) => {}
                () = self.shutdown.cancelled() => return progress,
            }
        }
    }
}

/// What became of a change.
#[derive(Debug)]
pub(crate) struct Outcome {
    written: Written,
    acknowledgements: Acknowledgements,
}

impl Outcome {
    /// Returns the outcome on the wire, and the warnings.
    pub(crate) fn into_wire(self) -> (v1::WriteOutcome, Vec<v1::LintFinding>) {
        let findings = self.written.warnings.iter().map(finding_to_wire).collect();
        let outcome = v1::WriteOutcome {
            version: self.written.version,
            control_offset: self.written.control_offset,
            differences: self.written.differences,
            acknowledged_by: self.acknowledgements.by.clone(),
            silent: self.acknowledgements.silent.clone(),
            lagging: self.acknowledgements.lagging(),
        };
        (outcome, findings)
    }
}

/// What every write carries, checked.
#[derive(Debug)]
pub(crate) struct WriteRequest {
    terms: Terms,
    wait: bool,
    patience: Duration,
}

impl WriteRequest {
    /// Checks what a client sent.
    ///
    /// # Errors
    /// Names the field.
    pub(crate) fn check(options: Option<v1::WriteOptions>) -> Result<Self, Refusal> {
        let options = options.ok_or_else(|| Refusal::request("options", "is missing"))?;
        let wait = match options.wait() {
            v1::Wait::Unspecified if options.wait != 0 => {
                return Err(Refusal::request(
                    "options.wait",
                    "has a value that this version does not know",
                ));
            }
            v1::Wait::Unspecified | v1::Wait::None => false,
            v1::Wait::All => true,
        };
        let patience = match options.wait_timeout_ms {
            0 => DEFAULT_PATIENCE,
            millis => Duration::from_millis(millis.into()),
        };
        if patience > MAX_PATIENCE {
            return Err(Refusal::request(
                "options.wait_timeout_ms",
                "is above 600000",
            ));
        }
        Ok(Self {
            terms: Terms {
                author: stated("options.author", options.author, MAX_AUTHOR_BYTES)?,
                reason: stated("options.reason", options.reason, MAX_REASON_BYTES)?,
                expected_version: options.expected_version,
            },
            wait,
            patience,
        })
    }
}

fn stated(field: &'static str, value: String, max_bytes: usize) -> Result<String, Refusal> {
    let value = value.trim();
    if value.is_empty() {
        return Err(Refusal::request(
            field,
            "is missing; every change says who makes it and why",
        ));
    }
    let is_control = |character: char| character.is_control() && character != '\n';
    if value.len() > max_bytes || value.chars().any(is_control) {
        let problem = format!("has more than {max_bytes} bytes, or control characters");
        return Err(Refusal::request(field, problem));
    }
    Ok(value.to_owned())
}

/// Returns how many items a page has.
pub(crate) fn page_size(asked: u32) -> usize {
    match asked {
        0 => DEFAULT_PAGE,
        asked => usize::try_from(asked).unwrap_or(MAX_PAGE).min(MAX_PAGE),
    }
}

pub(crate) fn finding_to_wire(finding: &Finding) -> v1::LintFinding {
    v1::LintFinding {
        code: finding.code.to_owned(),
        error: finding.error,
        line: finding.line,
        column: finding.column,
        message: finding.message.clone(),
        fix: finding.fix.clone(),
    }
}

const DEFAULT_PAGE: usize = 50;
const MAX_PAGE: usize = 500;
const MAX_AUTHOR_BYTES: usize = 256;
const MAX_REASON_BYTES: usize = 2048;
const DEFAULT_PATIENCE: Duration = Duration::from_secs(10);
const MAX_PATIENCE: Duration = Duration::from_secs(600);
/// How long a read waits for an offset.
const READ_PATIENCE: Duration = Duration::from_secs(5);
/// How often silence is measured while waiting.
const SILENCE_LOOK_INTERVAL: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> v1::WriteOptions {
        v1::WriteOptions {
            expected_version: 3,
            author: " ann ".to_owned(),
            reason: "why not\nindeed".to_owned(),
            wait: 0,
            wait_timeout_ms: 0,
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut v1::WriteOptions), expected: &str) {
        let mut options = options();
        change(&mut options);
        let refusal = WriteRequest::check(Some(options)).unwrap_err().to_string();
        assert!(refusal.starts_with(expected), "{refusal}");
    }

    #[test]
    fn defaults_are_filled_in() {
        let request = WriteRequest::check(Some(options())).unwrap();
        assert_eq!(request.terms.author, "ann");
        assert_eq!(request.terms.expected_version, 3);
        assert!(!request.wait);
        assert_eq!(request.patience, Duration::from_secs(10));
    }

    #[test]
    fn who_and_why_are_required() {
        check(|o| o.author.clear(), "options.author: is missing");
        check(
            |o| o.reason = "  \n".to_owned(),
            "options.reason: is missing",
        );
        check(
            |o| o.author = "a\u{1b}[31m".to_owned(),
            "options.author: has more than 256 bytes, or control",
        );
        check(
            |o| o.reason = "x".repeat(2049),
            "options.reason: has more than 2048 bytes",
        );
        check(|o| o.wait = 9, "options.wait: has a value");
        check(
            |o| o.wait_timeout_ms = 600_001,
            "options.wait_timeout_ms: is above",
        );
        let missing = WriteRequest::check(None).unwrap_err().to_string();
        assert_eq!(missing, "options: is missing");
    }

    #[test]
    fn pages_are_bounded() {
        assert_eq!(
            (page_size(0), page_size(7), page_size(u32::MAX)),
            (50, 7, 500)
        );
    }
}

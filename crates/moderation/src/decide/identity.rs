//! Names for what is decided, made of what it is about.
//!
//! Each id is the first 16 bytes, in lower-case hexadecimal, of BLAKE3 in key-derivation mode (the context strings below)
//! over its fields in order. A field is its length in bytes as 8 bytes, little-endian, and then its bytes; a number is a
//! field of 8 bytes, little-endian; words are those of the vocabulary; an absent field is the length 2^64 - 1 alone.
//!
//! - Action: cause kind, cause id, subject kind, subject id, subject revision, beneficiary or absent, action kind,
//!   operation, reversed action or absent. Not the rule: it is provenance, not identity.
//! - Decision: cause kind, cause id, subject kind, subject id, subject revision, source, policy version, deployment
//!   version, number of bundles, digest of each.
//! - Review task: cause kind, cause id, subject kind, subject id, subject revision, operation.
//!
//! A canary's share is drawn with the same encoding over rule id and unit: the first 8 bytes of the hash, little-endian,
//! modulo 1000.
//!
//! These definitions are frozen: a change would enforce again what a replay finds enforced.

use std::sync::LazyLock;

use blake3::Hasher;

use super::addressing::Address;
use crate::{
    ActionId, ActionKind, Cause, DecisionId, Operation, PolicyVersion, ReviewOperation, RuleId,
    ScoredEvent, Subject, TaskId,
};

static ACTION: LazyLock<Hasher> = LazyLock::new(|| context("tidegate.dev action id v1"));
static DECISION: LazyLock<Hasher> = LazyLock::new(|| context("tidegate.dev decision id v1"));
static TASK: LazyLock<Hasher> = LazyLock::new(|| context("tidegate.dev review task id v1"));
static SHARE: LazyLock<Hasher> = LazyLock::new(|| context("tidegate.dev canary share v1"));

/// Deriving the key of a context costs as much as hashing an id, so it is done once.
fn context(name: &str) -> Hasher {
    Hasher::new_derive_key(name)
}

/// The fields of one id, encoded.
struct Fields(Vec<u8>);

impl Fields {
    fn new() -> Self {
        Self(Vec::with_capacity(512))
    }

    fn text(mut self, text: &str) -> Self {
        self.0.extend_from_slice(&(text.len() as u64).to_le_bytes());
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&8_u64.to_le_bytes());
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn optional(mut self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(text),
            None => {
                self.0.extend_from_slice(&u64::MAX.to_le_bytes());
                self
            }
        }
    }

    fn cause(self, cause: &Cause) -> Self {
        self.text(cause.kind.as_str()).text(cause.id.as_str())
    }

    fn subject(self, subject: &Subject) -> Self {
        self.text(subject.kind.as_str())
            .text(subject.id.as_str())
            .number(subject.revision)
    }

    fn hash(self, context: &Hasher) -> blake3::Hash {
        context.clone().update(&self.0).finalize()
    }
}

pub(super) fn action_id(
    cause: &Cause,
    address: &Address,
    kind: ActionKind,
    operation: Operation,
    reverses: Option<&ActionId>,
) -> ActionId {
    let hash = Fields::new()
        .cause(cause)
        .subject(&address.subject)
        .optional(address.beneficiary.as_ref().map(|account| account.as_str()))
        .text(kind.as_str())
        .text(operation.as_str())
        .optional(reverses.map(|action| action.as_str()))
        .hash(&ACTION);
    ActionId::from_hash(&hash)
}

pub(super) fn decision_id(scored: &ScoredEvent, policy: PolicyVersion) -> DecisionId {
    let fields = Fields::new()
        .cause(&scored.cause)
        .subject(&scored.event.subject)
        .text(&scored.source)
        .number(policy.0)
        .number(scored.deployment_version.0)
        .number(scored.bundles.len() as u64);
    let hash = scored
        .bundles
        .iter()
        .fold(fields, |fields, bundle| fields.text(bundle.digest.as_str()))
        .hash(&DECISION);
    DecisionId::from_hash(&hash)
}

pub(super) fn task_id(cause: &Cause, subject: &Subject, operation: ReviewOperation) -> TaskId {
    let hash = Fields::new()
        .cause(cause)
        .subject(subject)
        .text(operation.as_str())
        .hash(&TASK);
    TaskId::from_hash(&hash)
}

/// Draws a number from 0 to 999 for a unit of a rule's canary.
pub(super) fn draw(rule: &RuleId, unit: &str) -> u16 {
    let hash = Fields::new().text(rule.as_str()).text(unit).hash(&SHARE);
    let (head, _) = hash.as_bytes().split_at(8);
    let number = head
        .iter()
        .rev()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    (number % 1000) as u16
}

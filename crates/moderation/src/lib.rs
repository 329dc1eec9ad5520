//! The vocabulary of content moderation, and the decisions made with it.
//!
//! - [`ContentEvent`] is what somebody said or did; [`ScoredEvent`] is the same without its text, with scores.
//! - [`policy`] reads, checks and compiles a policy document.
//! - [`decide`] says what a policy does with a scored event: a [`Decision`], its [`EnforcementAction`]s and at most one
//!   [`ReviewRequest`].
//!
//! Everything here is pure: no I/O, no threads, no clock and no randomness of its own. The same scored event under the
//! same policy version gives the same decision, to the byte, on every machine. Users' text exists only in
//! [`PartContent::Text`], whose `Debug` shows its length.

mod action;
mod decide;
mod decision;
mod deployment;
mod event;
mod identifiers;
mod limits;
pub mod policy;
mod review;
mod score;
mod time;
mod vocabulary;

pub use action::{ActionParameters, EnforcementAction, OverturnedAction};
pub use decide::{Decided, decide};
pub use decision::{Decision, EffectiveAge, MatchedRule, Trigger};
pub use deployment::{DeployedBundle, Deployment};
pub use event::{
    Account, AgeFacts, ContentEvent, Context, Event, Fact, FactValue, Part, PartContent, Report,
    Subject, Target, UserText,
};
pub use identifiers::{
    AccountId, ActionId, BundleDigest, CauseId, DecisionId, DeploymentVersion, EventId, FactName,
    InvalidIdentifier, Label, Language, PartId, PolicyVersion, Region, RuleId, SubjectId, TaskId,
};
pub use limits::{LimitOutOfRange, Limits};
pub use review::{ReviewRequest, Sample};
pub use score::{BundleIdentity, Cause, LabelOutcome, LabelScore, Score, ScoredEvent, ScoredPart};
pub use time::Timestamp;
pub use vocabulary::{
    ActionKind, ActionOrigin, AgeState, Audience, BundleRole, CauseKind, ContentType,
    ContextRelation, DecidedBy, DetectionSource, DirectMessageScope, EventKind, Flag, OnMissing,
    Operation, PartCondition, PartOrigin, PublicationState, Relationship, ReportChannel,
    ReviewOperation, RuleMode, Sensitivity, Severity, SubjectKind, Support, Surface, TargetRole,
    UnknownWord,
};

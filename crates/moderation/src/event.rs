//! What somebody said or did.

use std::collections::BTreeMap;
use std::fmt;

use crate::{
    AccountId, AgeState, Audience, Cause, CauseId, CauseKind, ContentType, ContextRelation,
    DetectionSource, EventId, EventKind, FactName, Flag, Language, PartCondition, PartId,
    PartOrigin, PublicationState, Region, Relationship, ReportChannel, SubjectId, SubjectKind,
    Surface, TargetRole, Timestamp,
};

/// An event with the text that the models read.
#[derive(Clone, Debug, PartialEq)]
pub struct ContentEvent {
    /// Who did what, where, to whom.
    pub event: Event,
    /// What was said, piece by piece.
    pub parts: Vec<Part>,
    /// What was unusual about the record.
    pub flags: Vec<Flag>,
}

/// Who did what, where, to whom. Holds no text of a user's.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The platform's id of this event.
    pub event_id: EventId,
    /// What is judged.
    pub subject: Subject,
    /// The verb.
    pub kind: EventKind,
    /// The place.
    pub surface: Surface,
    /// When, by the producer's clock.
    pub occurred_at: Option<Timestamp>,
    /// Who.
    pub author: Option<Account>,
    /// To whom.
    pub targets: Vec<Target>,
    /// Kinds of content in it.
    pub content_types: Vec<ContentType>,
    /// What it answers or belongs to.
    pub context: Context,
    /// Who can see it.
    pub audience: Audience,
    /// Whether it is visible already.
    pub publication_state: PublicationState,
    /// What drew attention to it.
    pub detection_source: DetectionSource,
    /// Present on reports.
    pub report: Option<Report>,
    /// Where the data may be processed.
    pub data_region: Option<Region>,
    /// What the platform or an earlier stage knows.
    pub facts: BTreeMap<FactName, Fact>,
}

impl Event {
    /// Makes an event of which only its id and subject are known.
    pub fn identified(event_id: EventId, subject: Subject) -> Self {
        Self {
            event_id,
            subject,
            kind: EventKind::default(),
            surface: Surface::default(),
            occurred_at: None,
            author: None,
            targets: Vec::new(),
            content_types: Vec::new(),
            context: Context::default(),
            audience: Audience::default(),
            publication_state: PublicationState::default(),
            detection_source: DetectionSource::default(),
            report: None,
            data_region: None,
            facts: BTreeMap::new(),
        }
    }

    /// Returns what makes the pipeline decide when this event arrives: a report, or the event itself.
    pub fn cause(&self) -> Cause {
        Cause {
            kind: match self.kind {
                EventKind::Report => CauseKind::Report,
                _ => CauseKind::Ingest,
            },
            id: CauseId::from(&self.event_id),
        }
    }
}

/// What is judged, or acted on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// What kind of thing.
    pub kind: SubjectKind,
    /// Which.
    pub id: SubjectId,
    /// Counts edits from 0.
    pub revision: u64,
}

/// An account and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Which.
    pub account_id: AccountId,
    /// Where.
    pub region: Option<Region>,
    /// Since when.
    pub created_at: Option<Timestamp>,
    /// What is known of its holder's age.
    pub age: AgeFacts,
}

/// What is known of an account holder's age, in whole years.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AgeFacts {
    /// What the holder says.
    pub declared_years: Option<u32>,
    /// What a model says.
    pub inferred_years: Option<u32>,
    /// How sure the model is, 0 to 1.
    pub inferred_confidence: Option<f64>,
    /// What a check found.
    pub assured_years: Option<u32>,
    /// How far the check is.
    pub state: AgeState,
}

/// An account that the event is aimed at.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Which.
    pub account: Account,
    /// Why.
    pub role: TargetRole,
    /// What the author is to it.
    pub relationship: Relationship,
}

/// What the content answers or belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// What it answers.
    pub parent: Option<SubjectId>,
    /// Where the thread begins.
    pub root: Option<SubjectId>,
    /// How it relates to its parent.
    pub relation: ContextRelation,
    /// The conversation it belongs to.
    pub conversation_id: Option<SubjectId>,
    /// The community it belongs to.
    pub community_id: Option<SubjectId>,
}

/// Who reported, why, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Who.
    pub reporter: Option<AccountId>,
    /// The platform's code for the reason; never the reporter's words.
    pub reason: String,
    /// How it arrived.
    pub channel: ReportChannel,
}

/// Something that the platform or an earlier stage knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What.
    pub value: FactValue,
    /// Who says so.
    pub source: String,
    /// Since when.
    pub as_of: Option<Timestamp>,
}

/// The value of a fact.
#[derive(Clone, Debug, PartialEq)]
pub enum FactValue {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A word of the platform's, never a user's.
    Text(String),
}

/// A piece of content.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Which.
    pub part_id: PartId,
    /// Where in the content it comes from.
    pub origin: PartOrigin,
    /// What it says.
    pub content: PartContent,
    /// What the author or client says its language is.
    pub declared_language: Option<Language>,
}

/// What a part holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartContent {
    /// Text to score.
    Text(UserText),
    /// Media that a text stage does not open.
    Reference(String),
    /// Something that could not be read, and why. Never `Readable` or `Reference`.
    Broken(PartCondition),
}

impl PartContent {
    /// Returns whether it could be read.
    pub fn condition(&self) -> PartCondition {
        match self {
            Self::Text(_) => PartCondition::Readable,
            Self::Reference(_) => PartCondition::Reference,
            Self::Broken(condition) => *condition,
        }
    }
}

/// A user's words. `Debug` shows their length, so that no log ever shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct UserText(String);

impl UserText {
    /// Wraps a user's words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the words. What takes them must not log them.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the words. What takes them must not log them.
    pub fn into_exposed(self) -> String {
        self.0
    }
}

impl fmt::Debug for UserText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes of text>", self.0.len())
    }
}

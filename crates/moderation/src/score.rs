//! What models say about an event.

use crate::{
    BundleDigest, BundleRole, CauseId, CauseKind, DeploymentVersion, Event, Flag, Label, Language,
    OverturnedAction, PartCondition, PartId, PartOrigin, Support, Timestamp,
};

/// A calibrated probability in thousandths, 0 to 1000: the one grid on which scores and thresholds meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u16);

impl Score {
    /// Certainly not.
    pub const MIN: Self = Self(0);
    /// Certainly.
    pub const MAX: Self = Self(1000);

    /// Makes a score from thousandths.
    pub fn from_thousandths(value: u32) -> Option<Self> {
        (value <= 1000).then_some(Self(value as u16))
    }

    /// Rounds a probability to the grid, halves up. `None` unless it lies in 0 to 1.
    pub fn from_probability(value: f64) -> Option<Self> {
        (0.0..=1.0)
            .contains(&value)
            .then(|| Self((value * 1000.0).round() as u16))
    }

    /// Returns thousandths.
    pub const fn thousandths(self) -> u16 {
        self.0
    }
}

impl std::fmt::Display for Score {
    /// Writes three decimals, such as `0.920`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// An event without its text, and what is known of it. Whoever decides needs nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredEvent {
    /// Who did what, where, to whom.
    pub event: Event,
    /// What made the pipeline decide.
    pub cause: Cause,
    /// The stage or system that speaks.
    pub source: String,
    /// What was looked at.
    pub parts: Vec<ScoredPart>,
    /// What was found, by part and label.
    pub scores: Vec<LabelScore>,
    /// The broker's timestamp of the content record.
    pub evaluation_time: Timestamp,
    /// The deployment under which every score here was computed.
    pub deployment_version: DeploymentVersion,
    /// The bundles that spoke.
    pub bundles: Vec<BundleIdentity>,
    /// What was unusual.
    pub flags: Vec<Flag>,
    /// Earlier actions that a person overturned.
    pub overturned: Vec<OverturnedAction>,
    /// The class of processor that computed the scores; empty where nothing was computed.
    pub cpu_class: String,
}

/// What made the pipeline decide, and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What kind.
    pub kind: CauseKind,
    /// Which.
    pub id: CauseId,
}

/// A part without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoredPart {
    /// Which.
    pub part_id: PartId,
    /// Where in the content it comes from.
    pub origin: PartOrigin,
    /// Whether it could be read.
    pub condition: PartCondition,
    /// What the author or client says its language is.
    pub declared_language: Option<Language>,
    /// What its text says its language is; absent where there is no text.
    pub detected_language: Option<Language>,
    /// Unicode characters of its text.
    pub characters: u32,
    /// Overlapping windows that were scored.
    pub windows: u32,
}

/// What one bundle says of one label of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelScore {
    /// Index into [`ScoredEvent::parts`].
    pub part: u32,
    /// What is claimed.
    pub label: Label,
    /// How sure, or why nothing is known.
    pub outcome: LabelOutcome,
    /// Index into [`ScoredEvent::bundles`]; absent where no bundle was asked.
    pub bundle: Option<u32>,
    /// What the bundle promises for this label in the part's language.
    pub support: Support,
}

/// A score, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelOutcome {
    /// The model answered.
    Scored(Score),
    /// There is nothing to score, such as a like's text.
    NotApplicable,
    /// The model does not know the language.
    UnsupportedLanguage,
    /// The part or the model is broken.
    Failed,
    /// The model did not answer in time.
    TimedOut,
    /// A cheaper model said that this one need not be asked.
    SkippedByCascade,
}

impl LabelOutcome {
    /// Returns the score, if there is one.
    pub const fn score(self) -> Option<Score> {
        match self {
            Self::Scored(score) => Some(score),
            _ => None,
        }
    }
}

/// A bundle, as decisions record it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleIdentity {
    /// Which files.
    pub digest: BundleDigest,
    /// Its name.
    pub name: String,
    /// Its semantic version.
    pub version: String,
    /// What it does in the deployment.
    pub role: BundleRole,
}

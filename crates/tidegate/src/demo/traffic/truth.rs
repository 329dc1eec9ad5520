//! What is so, whatever the pipeline makes of it.

use moderation::Severity;

pub(crate) use super::people::AgeBand;

/// Whose concern a violation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Issue {
    /// Aimed at a person.
    BullyingHarassment,
    /// Aimed at a group.
    HateSpeech,
    /// Unwanted offers.
    Spam,
    /// Harms minors.
    MinorSafety,
}

impl Issue {
    /// Returns the word that policies use.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::BullyingHarassment => "bullying-harassment",
            Self::HateSpeech => "hate-speech",
            Self::Spam => "spam",
            Self::MinorSafety => "minor-safety",
        }
    }
}

/// How a violation violates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Whose concern it is.
    pub(crate) issue: Issue,
    /// How bad it is.
    pub(crate) severity: Severity,
}

impl Violation {
    pub(super) const fn new(issue: Issue, severity: Severity) -> Option<Self> {
        Some(Self { issue, severity })
    }
}

/// What is so of one event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Truth {
    /// A word for what goes on, such as `pile_on`.
    pub(crate) scenario: &'static str,
    /// Present where the content breaks a rule.
    pub(crate) violation: Option<Violation>,
    /// Who did it: the number of an account.
    pub(crate) actor: Option<u32>,
    /// To whom: the number of an account.
    pub(crate) target: Option<u32>,
    /// The true age of the target, or of the actor where nobody is aimed at.
    pub(crate) age_band: AgeBand,
}

//! What can be wrong with a record.

use std::fmt;

use moderation::{Flag, InvalidIdentifier};

/// A field of a record and what is wrong with it. Never shows the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Invalid {
    /// Where in the record, such as `event.targets[3].account.account_id`.
    pub field: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is absent or empty.
    #[error("is missing")]
    Missing,
    /// It is no name of its kind.
    #[error("{0}")]
    Identifier(#[from] InvalidIdentifier),
    /// Its number stands for nothing that this version knows.
    #[error("has a value that this version does not know")]
    UnknownValue,
    /// Its value or length is not allowed.
    #[error("is out of range")]
    OutOfRange,
    /// It should be unique and is not.
    #[error("repeats another one")]
    Repeated,
    /// There are too many of it.
    #[error("exceeds the limit")]
    LimitExceeded,
    /// It lies ahead of the broker's clock.
    #[error("is in the future")]
    InFuture,
    /// It could not be read.
    #[error("could not be read")]
    Unreadable,
}

impl Problem {
    /// Returns the flag of an event that is decided in spite of the problem.
    pub(crate) fn flag(&self) -> Flag {
        match self {
            Self::Missing => Flag::MissingField,
            Self::UnknownValue => Flag::UnknownEnumValue,
            Self::LimitExceeded => Flag::LimitExceeded,
            Self::InFuture => Flag::ClockInFuture,
            Self::Identifier(_) | Self::OutOfRange | Self::Repeated | Self::Unreadable => {
                Flag::Salvaged
            }
        }
    }
}

/// Why a record cannot be decided: it tells neither its event nor its subject. Never shows a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {}", .reason.as_str())]
pub struct Unreadable {
    /// What kind of failure, for dead letters and metrics.
    pub reason: UnreadableReason,
    /// The field that is needed; `record` where no field can be told apart.
    pub field: String,
}

/// Kinds of unreadable records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnreadableReason {
    /// A needed field is absent, empty or beyond recognition.
    MissingField,
    /// A needed field holds what is no identifier.
    InvalidField,
    /// The record says that it is JSON and is not.
    NotJson,
}

impl UnreadableReason {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::MissingField, Self::InvalidField, Self::NotJson];

    /// Returns the word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingField => "missing_field",
            Self::InvalidField => "invalid_field",
            Self::NotJson => "not_json",
        }
    }
}

impl From<Invalid> for Unreadable {
    fn from(invalid: Invalid) -> Self {
        Self {
            reason: match invalid.problem {
                Problem::Missing => UnreadableReason::MissingField,
                _ => UnreadableReason::InvalidField,
            },
            field: invalid.field,
        }
    }
}

/// Why a record that only stages write cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are no such record.
    #[error("not a readable record")]
    Malformed,
    /// A field is not what it must be.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

/// A place in a record, kept on the stack: it becomes text only when something is wrong there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    name: &'static str,
    index: Option<usize>,
}

impl<'a> Path<'a> {
    /// The record itself.
    pub(crate) const ROOT: Path<'static> = Path {
        parent: None,
        name: "",
        index: None,
    };

    pub(crate) fn field(&'a self, name: &'static str) -> Self {
        Self {
            parent: Some(self),
            name,
            index: None,
        }
    }

    pub(crate) fn item(&'a self, name: &'static str, index: usize) -> Self {
        Self {
            parent: Some(self),
            name,
            index: Some(index),
        }
    }

    pub(crate) fn invalid(&self, problem: impl Into<Problem>) -> Invalid {
        Invalid {
            field: self.to_string(),
            problem: problem.into(),
        }
    }

    pub(crate) fn missing(&self) -> Invalid {
        self.invalid(Problem::Missing)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
            if parent.parent.is_some() {
                f.write_str(".")?;
            }
        }
        f.write_str(self.name)?;
        match self.index {
            Some(index) => write!(f, "[{index}]"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_the_field() {
        let event = Path::ROOT.field("event");
        let target = event.item("targets", 3);
        let account = target.field("account");
        let invalid = account.field("account_id").missing();
        assert_eq!(
            invalid.to_string(),
            "event.targets[3].account.account_id: is missing"
        );
    }
}

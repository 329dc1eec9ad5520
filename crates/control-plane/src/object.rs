//! The two things that are versioned here.

use std::fmt;

/// A thing that is versioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Policy,
    Deployment,
}

impl Object {
    /// Returns its word in audit records, metrics and messages.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Deployment => "deployment",
        }
    }

    /// Returns the stage whose replicas serve it.
    pub(crate) const fn stage(self) -> &'static str {
        match self {
            Self::Policy => "enforcer",
            Self::Deployment => "classifier",
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

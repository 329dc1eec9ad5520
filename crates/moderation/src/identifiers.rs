//! Names of things: validated where they enter, cheap to compare and to copy.

use std::fmt;
use std::sync::Arc;

/// Longest identifier in bytes.
const MAX_BYTES: usize = 128;

/// Why a name was refused. Never shows the name, which may be a user's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentifier {
    /// It has no characters.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// It is too long.
    #[error("{0} has {1} bytes; at most {MAX_BYTES} are allowed")]
    TooLong(&'static str, usize),
    /// It has control characters.
    #[error("{0} has control characters")]
    ControlCharacter(&'static str),
    /// It is no code of its kind.
    #[error("{0} is not a valid code")]
    NotACode(&'static str),
}

fn check(what: &'static str, value: &str) -> Result<(), InvalidIdentifier> {
    match value {
        "" => Err(InvalidIdentifier::Empty(what)),
        long if long.len() > MAX_BYTES => Err(InvalidIdentifier::TooLong(what, long.len())),
        odd if odd.chars().any(char::is_control) => Err(InvalidIdentifier::ControlCharacter(what)),
        _ => Ok(()),
    }
}

macro_rules! identifiers {
    ($($(#[$meta:meta])* $name:ident($storage:ty) = $what:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($storage);

        impl $name {
            /// Checks and wraps a name: 1 to 128 bytes, no control characters.
            ///
            /// # Errors
            /// Says what is wrong, without showing the name.
            pub fn new(value: impl Into<String>) -> Result<Self, InvalidIdentifier> {
                let value = value.into();
                check($what, &value)?;
                Ok(Self(value.into()))
            }

            /// Returns the name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )+};
}

identifiers! {
    /// An event of the platform.
    EventId(Box<str>) = "event id";
    /// A content, account, conversation, community or live session.
    SubjectId(Box<str>) = "subject id";
    /// An account.
    AccountId(Box<str>) = "account id";
    /// A part of a content.
    PartId(Box<str>) = "part id";
    /// What made the pipeline decide.
    CauseId(Box<str>) = "cause id";
    /// A fact that the platform knows.
    FactName(Box<str>) = "fact name";
    /// An enforcement action.
    ActionId(Box<str>) = "action id";
    /// A decision.
    DecisionId(Box<str>) = "decision id";
    /// A review task.
    TaskId(Box<str>) = "task id";
    /// What a model says about a text, such as `harassment`. Shared, since a model says it of millions.
    Label(Arc<str>) = "label";
    /// A rule of a policy.
    RuleId(Arc<str>) = "rule id";
    /// BLAKE3 over a bundle's files, 64 lower-case hexadecimal characters.
    BundleDigest(Arc<str>) = "bundle digest";
}

impl From<&EventId> for CauseId {
    fn from(event: &EventId) -> Self {
        Self(event.0.clone())
    }
}

impl From<&AccountId> for SubjectId {
    fn from(account: &AccountId) -> Self {
        Self(account.0.clone())
    }
}

macro_rules! hashed {
    ($($name:ident),+) => {$(
        impl $name {
            /// Writes the first 16 bytes of a hash in lower-case hexadecimal.
            pub(crate) fn from_hash(hash: &blake3::Hash) -> Self {
                Self(hash.to_hex()[..32].into())
            }
        }
    )+};
}

hashed!(ActionId, DecisionId, TaskId);

macro_rules! versions {
    ($($(#[$meta:meta])* $name:ident;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

versions! {
    /// Number of an applied policy, from 1.
    PolicyVersion;
    /// Number of an applied deployment, from 1.
    DeploymentVersion;
}

/// A short ASCII code, kept in place so that events copy without allocating.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Code {
    bytes: [u8; Code::MAX],
    length: u8,
}

impl Code {
    const MAX: usize = 15;

    /// Copies a code in the case that `normalised` gives each of its bytes.
    fn new(value: &str, normalised: impl Fn(&u8) -> u8) -> Option<Self> {
        let is_code = !value.is_empty()
            && value.len() <= Self::MAX
            && value
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_code.then(|| {
            let mut bytes = [0; Self::MAX];
            for (place, byte) in bytes.iter_mut().zip(value.as_bytes()) {
                *place = normalised(byte);
            }
            Self {
                bytes,
                length: value.len() as u8,
            }
        })
    }

    fn as_str(&self) -> &str {
        // ASCII by construction.
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

/// An ISO 3166-1 alpha-2 or 3166-2 code in upper case, such as `DE` or `US-CA`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Code);

impl Region {
    /// Reads a code in either case.
    ///
    /// # Errors
    /// Refuses what has not the form of a region code.
    pub fn new(value: &str) -> Result<Self, InvalidIdentifier> {
        let country = value.split('-').next().unwrap_or_default();
        let has_form = value.len() <= 6
            && country.len() == 2
            && country.bytes().all(|byte| byte.is_ascii_alphabetic());
        Code::new(value, u8::to_ascii_uppercase)
            .filter(|_| has_form)
            .map(Self)
            .ok_or(InvalidIdentifier::NotACode("region"))
    }

    /// Returns the code.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the country's two letters.
    pub fn country(&self) -> &str {
        &self.as_str()[..2]
    }
}

/// A BCP 47 language tag in lower case, such as `de` or `zh-hant`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language(Code);

impl Language {
    /// Reads a tag in any case; of a tag over 15 bytes it keeps the language alone.
    ///
    /// # Errors
    /// Refuses what has not the form of a language tag.
    pub fn new(value: &str) -> Result<Self, InvalidIdentifier> {
        let primary = value.split('-').next().unwrap_or_default();
        let has_form = (2..=8).contains(&primary.len())
            && primary.bytes().all(|byte| byte.is_ascii_alphabetic());
        let kept = if value.len() > Code::MAX {
            primary
        } else {
            value
        };
        Code::new(kept, u8::to_ascii_lowercase)
            .filter(|_| has_form)
            .map(Self)
            .ok_or(InvalidIdentifier::NotACode("language"))
    }

    /// Returns `und`: the language cannot be told.
    pub fn undetermined() -> Self {
        Self(Code {
            bytes: *b"und\0\0\0\0\0\0\0\0\0\0\0\0",
            length: 3,
        })
    }

    /// Returns the tag.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the language without script, region and variants.
    pub fn primary(&self) -> &str {
        self.as_str().split('-').next().unwrap_or_default()
    }
}

macro_rules! shown_as_code {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}

shown_as_code!(Region, Language);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_checked() {
        let check = |value: &str, expected: Result<(), InvalidIdentifier>| {
            assert_eq!(EventId::new(value).map(|_| ()), expected, "{value:?}");
        };
        check("e-1", Ok(()));
        check("", Err(InvalidIdentifier::Empty("event id")));
        check("a\nb", Err(InvalidIdentifier::ControlCharacter("event id")));
        check(
            &"x".repeat(129),
            Err(InvalidIdentifier::TooLong("event id", 129)),
        );
    }

    #[test]
    fn regions_and_languages_are_normalised() {
        assert_eq!(Region::new("us-ca").unwrap().as_str(), "US-CA");
        assert_eq!(Region::new("us-ca").unwrap().country(), "US");
        assert!(Region::new("Germany").is_err());
        assert!(Region::new("D").is_err());
        assert_eq!(Language::new("zh-Hant").unwrap().primary(), "zh");
        assert_eq!(
            Language::new("de-Latn-DE-1996-x-long").unwrap().as_str(),
            "de"
        );
        assert!(Language::new("not a tag").is_err());
        assert_eq!(Language::undetermined().as_str(), "und");
    }
}

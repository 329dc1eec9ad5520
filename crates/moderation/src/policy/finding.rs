//! What is wrong with a document, and where.

use std::fmt;
use std::ops::Range;

/// A place in a document, counted from 1 in lines and characters; 0, 0 is the document as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The character in it.
    pub column: u32,
}

/// Something wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A stable code, such as `T104`.
    pub code: &'static str,
    /// Whether it refuses the policy.
    pub error: bool,
    /// Where, from 1; 0 is the document as a whole.
    pub line: u32,
    /// Where in the line, in characters from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl Finding {
    pub(super) fn error(
        code: &'static str,
        at: Position,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            code,
            error: true,
            line: at.line,
            column: at.column,
            message: message.into(),
            fix: fix.into(),
        }
    }

    pub(super) fn warning(
        code: &'static str,
        at: Position,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            error: false,
            ..Self::error(code, at, message, fix)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.error { "error" } else { "warning" };
        write!(f, "{kind} {}", self.code)?;
        if self.line > 0 {
            write!(f, " at line {}, column {}", self.line, self.column)?;
        }
        write!(f, ": {}; {}", self.message, self.fix)
    }
}

/// Turns byte ranges of a document into lines and columns.
pub(super) struct Source<'a> {
    text: &'a str,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text }
    }

    pub(super) fn position(&self, span: Range<usize>) -> Position {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.matches('\n').count() as u32 + 1,
            column: before[line_start..].chars().count() as u32 + 1,
        }
    }
}

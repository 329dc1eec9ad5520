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
///
/// A document has a place to be told for each of its numbers, so none of them may cost a walk through all of it.
pub(super) struct Source<'a> {
    text: &'a str,
    /// Where each line begins, in bytes.
    line_starts: Vec<usize>,
    /// How many characters lie before each block of [`BLOCK_BYTES`].
    characters_before: Vec<usize>,
}

const BLOCK_BYTES: usize = 256;

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let blocks = text.as_bytes().chunks(BLOCK_BYTES);
        let mut characters = 0;
        Self {
            text,
            line_starts: std::iter::once(0)
                .chain(newlines.map(|(place, _)| place + 1))
                .collect(),
            characters_before: blocks
                .map(|block| {
                    let before = characters;
                    characters += begun_in(block);
                    before
                })
                .collect(),
        }
    }

    pub(super) fn position(&self, span: Range<usize>) -> Position {
        let start = span.start.min(self.text.len());
        let line = self.line_starts.partition_point(|begin| *begin <= start);
        let line_start = self.line_starts[line - 1];
        let column = self.characters_until(start) - self.characters_until(line_start) + 1;
        Position {
            line: line as u32,
            column: column as u32,
        }
    }

    fn characters_until(&self, place: usize) -> usize {
        let block = place / BLOCK_BYTES;
        let Some(before) = self.characters_before.get(block) else {
            return begun_in(self.text.as_bytes());
        };
        before + begun_in(&self.text.as_bytes()[block * BLOCK_BYTES..place])
    }
}

/// Counts the characters whose first byte is among these.
fn begun_in(bytes: &[u8]) -> usize {
    let is_continuation = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
    bytes.iter().filter(|byte| !is_continuation(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        let text = format!("a\n\u{e4}b = 1\n{}c", "\u{20ac}".repeat(400));
        let check = |found: char, line: u32, column: u32| {
            let start = text.find(found).expect("is there");
            let position = Source::new(&text).position(start..start + 1);
            assert_eq!(position, Position { line, column }, "{found}");
        };
        check('a', 1, 1);
        check('b', 2, 2);
        check('1', 2, 6);
        check('c', 3, 401);
        let end = Source::new(&text).position(text.len()..text.len());
        assert_eq!((end.line, end.column), (3, 402));
        assert_eq!(Source::new("").position(0..0).line, 1);
        assert_eq!(Source::new(&"x".repeat(256)).position(256..256).column, 257);
    }
}

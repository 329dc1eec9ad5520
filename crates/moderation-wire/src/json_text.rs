//! Text to JSON values, with the two faults repaired that a user can cause: their words are not always Unicode, and not
//! every producer escapes them well.

use std::borrow::Cow;

use serde_json::Value;

/// What stands for a code unit that is no character.
const REPLACEMENT_ESCAPE: &str = "\\ufffd";
const ESCAPE_LENGTH: usize = 6;

/// A parsed payload.
pub(crate) struct Parsed {
    pub(crate) value: Value,
    /// Whether something was replaced to make it parse.
    pub(crate) was_repaired: bool,
}

/// Parses a payload. Bytes that are no UTF-8, escaped halves of characters and bare control characters are replaced;
/// anything else that is no JSON gives `None`.
pub(crate) fn parse(payload: &[u8]) -> Option<Parsed> {
    let text = String::from_utf8_lossy(payload);
    if let Ok(value) = serde_json::from_str(&text) {
        let was_repaired = matches!(text, Cow::Owned(_));
        return Some(Parsed {
            value,
            was_repaired,
        });
    }
    let value = serde_json::from_str(&repair(&text)).ok()?;
    Some(Parsed {
        value,
        was_repaired: true,
    })
}

fn repair(text: &str) -> String {
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_in_string = false;
    while let Some(character) = rest.chars().next() {
        let length = match character {
            '\\' if is_in_string => push_escape(&mut repaired, rest),
            '\0'..='\x1f' if is_in_string => {
                repaired.push_str(&format!("\\u{:04x}", u32::from(character)));
                1
            }
            _ => {
                is_in_string ^= character == '"';
                repaired.push(character);
                character.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    repaired
}

/// Copies the escape at the start of `rest`, or what replaces it, and returns its length.
fn push_escape(repaired: &mut String, rest: &str) -> usize {
    let copied = match (
        code_unit(rest),
        code_unit(rest.get(ESCAPE_LENGTH..).unwrap_or_default()),
    ) {
        (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 2 * ESCAPE_LENGTH,
        (Some(0xd800..=0xdfff), _) => {
            repaired.push_str(REPLACEMENT_ESCAPE);
            return ESCAPE_LENGTH;
        }
        (Some(_), _) => ESCAPE_LENGTH,
        // The backslash and what it escapes; alone at the end of the text.
        (None, _) => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
    };
    repaired.push_str(&rest[..copied]);
    copied
}

/// Reads `\uXXXX`.
fn code_unit(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairable_text_is_repaired() {
        let check = |payload: &[u8], expected: Option<(&str, bool)>| {
            let parsed = parse(payload).map(|parsed| (parsed.value, parsed.was_repaired));
            let expected = expected.map(|(text, repaired)| (Value::from(text), repaired));
            assert_eq!(parsed, expected, "{payload:?}");
        };
        check(br#""plain""#, Some(("plain", false)));
        check(br#""\ud83d\ude00""#, Some(("\u{1f600}", false)));
        check(br#""a\ud83d""#, Some(("a\u{fffd}", true)));
        check(br#""\ude00b""#, Some(("\u{fffd}b", true)));
        check(
            br#""\ud83dx\ud83d\ude00""#,
            Some(("\u{fffd}x\u{1f600}", true)),
        );
        check(br#""\\ud83d \ud83d""#, Some(("\\ud83d \u{fffd}", true)));
        check(b"\"a\nb\"", Some(("a\nb", true)));
        check(b"\"a\xffb\"", Some(("a\u{fffd}b", true)));
        check(b"\"cut off", None);
        check(b"\"cut off\\", None);
        check(b"\"cut off\\u12", None);
        check(b"", None);
        check("\"\\u\u{e4}\u{e4}\u{e4}\"".as_bytes(), None);
    }
}

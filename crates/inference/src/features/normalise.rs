//! Step 1: characters that look or mean the same become the same.

use unicode_normalization::UnicodeNormalization;

/// Replaces `out` by the normalised characters of `text`: single spaces between chunks, none at either end.
pub(super) fn normalise(text: &str, out: &mut Vec<char>) {
    out.clear();
    if text.is_ascii() {
        // NFKC changes no ASCII, and most texts are ASCII.
        for byte in text.bytes() {
            push(out, char::from(byte.to_ascii_lowercase()));
        }
    } else {
        for folded in text.nfkc().flat_map(char::to_lowercase) {
            push_folded(out, folded);
        }
    }
    if out.last() == Some(&' ') {
        out.pop();
    }
}

fn push_folded(out: &mut Vec<char>, c: char) {
    match c {
        c if is_invisible(c) => {}
        'ß' => {
            push(out, 's');
            push(out, 's');
        }
        'ς' => push(out, 'σ'),
        'ı' => push(out, 'i'),
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '`' | '´' => push(out, '\''),
        '\u{201c}'..='\u{201f}' | '«' | '»' => push(out, '"'),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => push(out, '-'),
        _ => push(out, c),
    }
}

/// Appends one character; collapses white space and squeezes three or more repeats to two (digits count, so they stay).
fn push(out: &mut Vec<char>, c: char) {
    if c.is_whitespace() {
        if !out.is_empty() && out.last() != Some(&' ') {
            out.push(' ');
        }
        return;
    }
    let is_third_repeat =
        matches!(out.as_slice(), [.., before, last] if *before == c && *last == c);
    if !c.is_control() && (!is_third_repeat || c.is_ascii_digit()) {
        out.push(c);
    }
}

/// True for characters that show nothing and are therefore used to split words: zero-width and format characters,
/// variation selectors, tags, stacked diacritics that no composed letter took up, and the Arabic tatweel.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{300}'..='\u{36f}'
            | '\u{61c}'
            | '\u{640}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_becomes_the_same() {
        let check = |text: &str, expected: &str| {
            let mut out = Vec::new();
            normalise(text, &mut out);
            assert_eq!(out.iter().collect::<String>(), expected, "{text:?}");
        };
        check("  A\t\r\nb ", "a b");
        check("sooooo", "soo");
        check("10000", "10000");
        check("Z\u{301}\u{302}\u{303}a", "źa");
        check("İstanbul", "istanbul");
        check("don’t “go”", "don't \"go\"");
        check("x\u{202e}y\u{200d}z", "xyz");
        check("ﬁne ①", "fine 1");
        check("\u{1112}\u{1161}\u{11ab}", "한");
        check("❤\u{fe0f}❤❤❤", "❤❤");
        check("Ὀδός ΟΔΟΣ", "ὀδόσ οδοσ");
        check("\u{3000}é\u{a0}", "é");
    }
}

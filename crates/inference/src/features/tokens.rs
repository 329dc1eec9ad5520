//! Step 2: tokens, with disguised letters folded back.

/// The longest token in characters; longer runs are cut, which bounds what one token adds to a window.
pub(super) const MAX_TOKEN_CHARS: usize = 32;

/// How a token is turned into character n-grams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// Letters and digits of scripts that spell words with several characters per syllable.
    Alphabetic,
    /// Han, Kana and Hangul, where one character carries a syllable or a word.
    Dense,
    /// One sign: punctuation or emoji.
    Symbol,
}

/// A run of characters of one script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) script: Script,
}

/// Replaces `tokens` by the tokens of `chars` and folds disguised letters and long numbers in place.
pub(super) fn split(chars: &mut [char], tokens: &mut Vec<Token>) {
    tokens.clear();
    let mut at = 0;
    while at < chars.len() {
        let at_chunk_start = at == 0 || chars[at - 1] == ' ';
        if at_chunk_start && let Some(length) = link_prefix(&chars[at..]) {
            // Where a link leads says more about a data set than about its writer.
            push_run(tokens, at, at + length, Script::Alphabetic);
            at += run_length(&chars[at..], |c| c != ' ');
            continue;
        }
        at = match script_of(chars[at]) {
            None => at + 1,
            Some(Script::Symbol) => push_symbol(chars, tokens, at),
            Some(Script::Dense) => {
                let end = at + run_length(&chars[at..], |c| script_of(c) == Some(Script::Dense));
                push_run(tokens, at, end, Script::Dense);
                end
            }
            Some(Script::Alphabetic) => {
                let end = word_end(chars, at);
                fold_word(&mut chars[at..end]);
                push_run(tokens, at, end, Script::Alphabetic);
                end
            }
        };
    }
}

fn script_of(c: char) -> Option<Script> {
    match c {
        ' ' => None,
        'a'..='z' | '0'..='9' | '_' => Some(Script::Alphabetic),
        '\0'..='\x7f' => Some(Script::Symbol),
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' => {
            Some(Script::Dense)
        }
        '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7ff}' => {
            Some(Script::Dense)
        }
        '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => Some(Script::Dense),
        // Vowel signs and viramas of Indic scripts are no letters to `is_alphanumeric`, but belong to the word.
        '\u{900}'..='\u{dff}' if !matches!(c, '\u{964}' | '\u{965}') => Some(Script::Alphabetic),
        c if c.is_alphanumeric() => Some(Script::Alphabetic),
        _ => Some(Script::Symbol),
    }
}

fn run_length(chars: &[char], belongs: impl Fn(char) -> bool) -> usize {
    chars
        .iter()
        .position(|&c| !belongs(c))
        .unwrap_or(chars.len())
}

/// Returns the length of the part of a link that is kept as its token.
fn link_prefix(chars: &[char]) -> Option<usize> {
    let starts_with = |prefix: &str| {
        chars.len() > prefix.len() && prefix.chars().eq(chars[..prefix.len()].iter().copied())
    };
    match chars.first() {
        Some('h') if starts_with("http://") || starts_with("https://") => Some(4),
        Some('w') if starts_with("www.") => Some(3),
        _ => None,
    }
}

/// Pushes one sign and returns where to go on; the name behind an `@` is skipped, because who is addressed must not
/// move a score.
fn push_symbol(chars: &[char], tokens: &mut Vec<Token>, at: usize) -> usize {
    tokens.push(Token {
        start: at as u32,
        end: at as u32 + 1,
        script: Script::Symbol,
    });
    let name = if chars[at] == '@' {
        run_length(&chars[at + 1..], is_word)
    } else {
        0
    };
    at + 1 + name
}

fn is_word(c: char) -> bool {
    script_of(c) == Some(Script::Alphabetic)
}

/// A word goes on over an apostrophe or a sign that stands for a letter, if a letter follows.
fn word_end(chars: &[char], start: usize) -> usize {
    let mut end = start;
    loop {
        end += run_length(&chars[end..], is_word);
        let joins = matches!(chars.get(end), Some('\'' | '*' | '@' | '$' | '!'))
            && chars[end - 1].is_alphabetic()
            && chars
                .get(end + 1)
                .is_some_and(|c| is_word(*c) && c.is_alphabetic());
        if !joins {
            return end;
        }
        end += 1;
    }
}

fn push_run(tokens: &mut Vec<Token>, start: usize, end: usize, script: Script) {
    for piece in (start..end).step_by(MAX_TOKEN_CHARS) {
        let piece_end = end.min(piece + MAX_TOKEN_CHARS);
        tokens.push(Token {
            start: piece as u32,
            end: piece_end as u32,
            script,
        });
    }
}

fn fold_word(word: &mut [char]) {
    fold_leetspeak(word);
    fold_homoglyphs(word);
    fold_numbers(word);
}

/// Digits and signs between two letters stand for letters: `h3llo` is hello, but `mp3` and `4u` stay.
fn fold_leetspeak(word: &mut [char]) {
    for at in 1..word.len().saturating_sub(1) {
        if word[at - 1].is_ascii_lowercase() && word[at + 1].is_ascii_lowercase() {
            word[at] = match word[at] {
                '0' => 'o',
                '1' | '!' => 'i',
                '3' => 'e',
                '4' | '@' => 'a',
                '5' | '$' => 's',
                '7' => 't',
                other => other,
            };
        }
    }
}

/// Cyrillic and Greek look-alikes become Latin, but only in words that also have Latin letters: Russian stays Russian.
fn fold_homoglyphs(word: &mut [char]) {
    let is_mixed = word.iter().any(char::is_ascii_lowercase) && !word.iter().all(char::is_ascii);
    if !is_mixed {
        return;
    }
    for c in word {
        *c = match *c {
            'а' | 'α' => 'a',
            'в' | 'β' => 'b',
            'с' => 'c',
            'ԁ' => 'd',
            'е' | 'ε' => 'e',
            'һ' => 'h',
            'і' | 'ι' => 'i',
            'ј' => 'j',
            'к' | 'κ' => 'k',
            'м' => 'm',
            'п' | 'η' => 'n',
            'о' | 'ο' | 'σ' => 'o',
            'р' | 'ρ' => 'p',
            'ѕ' => 's',
            'т' | 'τ' => 't',
            'υ' => 'u',
            'ν' => 'v',
            'ԝ' | 'ω' => 'w',
            'х' | 'χ' => 'x',
            'у' | 'γ' => 'y',
            other => other,
        };
    }
}

/// Numbers of four or more digits keep their length only: telephone numbers are features of messages, not people.
fn fold_numbers(word: &mut [char]) {
    let mut at = 0;
    while at < word.len() {
        let digits = run_length(&word[at..], |c| c.is_ascii_digit());
        if digits >= 4 {
            word[at..at + digits].fill('0');
        }
        at += digits.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_split_into_tokens() {
        let check = |text: &str, expected: &[&str]| {
            let mut chars: Vec<char> = text.chars().collect();
            let mut tokens = Vec::new();
            split(&mut chars, &mut tokens);
            let found: Vec<String> = tokens
                .iter()
                .map(|token| {
                    chars[token.start as usize..token.end as usize]
                        .iter()
                        .collect()
                })
                .collect();
            assert_eq!(found, expected, "{text:?}");
        };
        check("don't stop!", &["don't", "stop", "!"]);
        check("w0rd mp3 4u b4", &["word", "mp3", "4u", "b4"]);
        check("sh!p c@t a$$ f*n", &["ship", "cat", "a", "$", "$", "f*n"]);
        check("@name: hi", &["@", ":", "hi"]);
        check("go www.a.example/b now", &["go", "www", "now"]);
        check("http://", &["http", ":", "/", "/"]);
        check("12345 ab1999c 123", &["00000", "ab0000c", "123"]);
        check("我爱tide水", &["我爱", "tide", "水"]);
        check("한국어 말", &["한국어", "말"]);
        check("हिन्दी।", &["हिन्दी", "।"]);
        check("привет pоst", &["привет", "post"]);
        check("👍👍 ok", &["👍", "👍", "ok"]);
        check(&"ab".repeat(20), &[&"ab".repeat(16), &"ab".repeat(4)]);
    }
}

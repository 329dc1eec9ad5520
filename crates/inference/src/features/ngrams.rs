//! Step 4: n-grams hashed into rows.
//!
//! The hash of a sequence starts from a constant that says what is hashed; each code point `c` then makes
//! `h = (rotate_left(h, 5) ^ c) * MULTIPLIER` modulo 2^64. The row is the top bits of `(h ^ h >> 32) * FINALISER`.
//! It mixes well enough for tables of some 10^5 rows and costs one multiplication for each further character, so that
//! all n-grams that start at one character are found in one pass. It is no defence against chosen collisions.

use super::FeatureConfig;
use super::tokens::{MAX_TOKEN_CHARS, Script, Token};

const WORD: u64 = 0x243f_6a88_85a3_08d3;
const WORD_PAIR: u64 = 0x1319_8a2e_0370_7344;
const CHARACTERS: u64 = 0xa409_3822_299f_31d0;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
const FINALISER: u64 = 0xd6e8_feb8_6659_fd93;

/// Runs of dense scripts up to this length count as words; longer ones are sentences.
const MAX_DENSE_WORD_CHARS: usize = 6;

#[derive(Debug, Clone)]
pub(super) struct Hasher {
    shift: u32,
    pairs: bool,
    char_orders: [usize; 2],
    dense_orders: [usize; 2],
}

fn mix(hash: u64, value: u64) -> u64 {
    (hash.rotate_left(5) ^ value).wrapping_mul(MULTIPLIER)
}

impl Hasher {
    pub(super) fn new(config: &FeatureConfig) -> Self {
        Self {
            shift: 64 - config.rows.trailing_zeros(),
            pairs: config.word_max > 1,
            char_orders: config.char_orders.map(usize::from),
            dense_orders: config.dense_orders.map(usize::from),
        }
    }

    fn row(&self, hash: u64) -> i32 {
        ((hash ^ (hash >> 32)).wrapping_mul(FINALISER) >> self.shift) as i32
    }

    /// Appends the rows of one window, at least one for each word of an alphabetic script and each symbol.
    pub(super) fn hash_window(&self, chars: &[char], tokens: &[Token], rows: &mut Vec<i32>) {
        let mut previous = None;
        for token in tokens {
            let token_chars = &chars[token.start as usize..token.end as usize];
            if token.script != Script::Dense || token_chars.len() <= MAX_DENSE_WORD_CHARS {
                let word = token_chars
                    .iter()
                    .fold(WORD, |hash, &c| mix(hash, u64::from(c)));
                rows.push(self.row(word));
                if let Some(before) = previous.filter(|_| self.pairs) {
                    rows.push(self.row(mix(mix(WORD_PAIR, before), word)));
                }
                previous = Some(word);
            } else {
                previous = None;
            }
            match token.script {
                Script::Alphabetic => self.hash_characters(token_chars, self.char_orders, rows),
                Script::Dense => self.hash_characters(token_chars, self.dense_orders, rows),
                Script::Symbol => {}
            }
        }
    }

    /// Appends the character n-grams of a token between two spaces, n-grams of a lone space left out.
    fn hash_characters(
        &self,
        token: &[char],
        [shortest, longest]: [usize; 2],
        rows: &mut Vec<i32>,
    ) {
        let mut padded = [' '; MAX_TOKEN_CHARS + 2];
        padded[1..=token.len()].copy_from_slice(token);
        let padded = &padded[..token.len() + 2];
        for start in 0..padded.len() {
            let longest_here = longest.min(padded.len() - start);
            let mut hash = CHARACTERS;
            for (index, &c) in padded[start..start + longest_here].iter().enumerate() {
                hash = mix(hash, u64::from(c));
                if index + 1 >= shortest && (index > 0 || c != ' ') {
                    rows.push(self.row(hash));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn hasher() -> Hasher {
        Hasher {
            shift: 64 - 17,
            pairs: true,
            char_orders: [2, 5],
            dense_orders: [1, 3],
        }
    }

    #[test]
    fn windows_have_the_expected_number_of_ngrams() {
        let check = |text: &str, script, expected: usize| {
            let chars: Vec<char> = text.chars().collect();
            let token = Token {
                start: 0,
                end: chars.len() as u32,
                script,
            };
            let mut rows = Vec::new();
            hasher().hash_window(&chars, &[token], &mut rows);
            assert_eq!(rows.len(), expected, "{text}");
        };
        check("!", Script::Symbol, 1);
        check("a", Script::Alphabetic, 1 + 2 + 1);
        check("tide", Script::Alphabetic, 1 + 5 + 4 + 3 + 2);
        check("你好", Script::Dense, 1 + 2 + 3 + 2);
        check("你好你好你好你", Script::Dense, 7 + 8 + 7);
    }

    #[test]
    fn rows_are_spread_evenly() {
        let hasher = hasher();
        let mut rows = HashSet::new();
        let words = 20_000_u32;
        for number in 0..words {
            let digits = number.to_string();
            rows.insert(hasher.row(digits.chars().fold(WORD, |hash, c| mix(hash, u64::from(c)))));
        }
        // Ideal hashing of 20,000 words into 2^17 rows hits 18,551 rows on average, with a deviation of about 35.
        assert!((18_300..=18_800).contains(&rows.len()), "{}", rows.len());
    }
}

//! Step 3: overlapping windows over long texts, so that a harmful sentence is not diluted by what surrounds it.

use std::ops::Range;

use super::FeatureConfig;
use super::tokens::{Script, Token};

/// A run of neighbouring tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    first: u32,
    end: u32,
}

impl Window {
    pub(super) fn tokens(self) -> Range<usize> {
        self.first as usize..self.end as usize
    }
}

/// Replaces `windows` by the windows over `tokens`; returns true when `max_windows` left some out.
pub(super) fn cut(config: &FeatureConfig, tokens: &[Token], windows: &mut Vec<Window>) -> bool {
    windows.clear();
    let mut first = 0;
    while first < tokens.len() {
        let fitting = count_within(tokens[first..].iter(), config.window_chars);
        let end = first + fitting.max(1);
        windows.push(Window {
            first: first as u32,
            end: end as u32,
        });
        if end == tokens.len() {
            break;
        }
        let shared = count_within(tokens[first..end].iter().rev(), config.overlap_chars);
        first = (end - shared).max(first + 1);
    }
    sample(windows, config.max_windows as usize)
}

/// Returns how many of the next tokens fit into `limit`.
fn count_within<'tokens>(tokens: impl Iterator<Item = &'tokens Token>, limit: u32) -> usize {
    let mut total = 0;
    tokens
        .take_while(|token| {
            total += weight(token);
            total <= limit
        })
        .count()
}

/// A token's share of a window in characters, the space after it included. A dense character weighs as much as its
/// n-grams, so that windows of all languages have about as many features as the texts that models learn from.
fn weight(token: &Token) -> u32 {
    let chars = token.end - token.start;
    match token.script {
        Script::Dense => 3 * chars,
        Script::Alphabetic | Script::Symbol => chars + 1,
    }
}

/// Keeps `most` windows spread evenly over the text: padding at one end must not hide the other.
fn sample(windows: &mut Vec<Window>, most: usize) -> bool {
    let found = windows.len();
    if found <= most {
        return false;
    }
    for kept in 0..most {
        let source = if most == 1 {
            0
        } else {
            kept * (found - 1) / (most - 1)
        };
        windows[kept] = windows[source];
    }
    windows.truncate(most);
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config(max_windows: u32) -> FeatureConfig {
        FeatureConfig {
            preprocessing: super::super::PREPROCESSING,
            rows: 1 << 17,
            word_max: 2,
            char_orders: [2, 5],
            dense_orders: [1, 3],
            window_chars: 64,
            overlap_chars: 16,
            max_windows,
        }
    }

    fn tokens_of(lengths: &[u32]) -> Vec<Token> {
        let mut start = 0;
        let token = |&length: &u32| {
            let token = Token {
                start,
                end: start + length,
                script: Script::Alphabetic,
            };
            start = token.end + 1;
            token
        };
        lengths.iter().map(token).collect()
    }

    #[test]
    fn windows_overlap_and_are_sampled_evenly() {
        let check = |lengths: &[u32], max_windows, expected: &[(u32, u32)], expected_sampled| {
            let mut windows = Vec::new();
            let sampled = cut(&config(max_windows), &tokens_of(lengths), &mut windows);
            let found: Vec<_> = windows
                .iter()
                .map(|window| (window.first, window.end))
                .collect();
            assert_eq!((found.as_slice(), sampled), (expected, expected_sampled));
        };
        check(&[], 4, &[], false);
        check(&[5; 10], 4, &[(0, 10)], false);
        check(&[7; 16], 4, &[(0, 8), (6, 14), (12, 16)], false);
        check(&[7; 16], 2, &[(0, 8), (12, 16)], true);
        check(&[7; 16], 1, &[(0, 8)], true);
        check(&[32, 32, 32], 4, &[(0, 1), (1, 2), (2, 3)], false);
    }

    proptest! {
        #[test]
        fn unsampled_windows_cover_every_token_and_keep_to_their_length(lengths in prop::collection::vec(1_u32..=32, 0..200)) {
            let tokens = tokens_of(&lengths);
            let mut windows = Vec::new();
            prop_assert!(!cut(&config(4096), &tokens, &mut windows));
            let mut covered = 0;
            for window in &windows {
                prop_assert!(window.first <= covered && window.end > covered);
                prop_assert!(tokens[window.end as usize - 1].end - tokens[window.first as usize].start <= 64);
                covered = window.end;
            }
            prop_assert_eq!(covered as usize, tokens.len());
        }
    }
}

//! Step 3: overlapping windows over long texts, so that a harmful sentence is not diluted by what surrounds it.

use std::ops::Range;

use super::FeatureConfig;
use super::tokens::Token;

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
        let limit = tokens[first].start + config.window_chars;
        let fitting = tokens[first..].partition_point(|token| token.end <= limit);
        let end = first + fitting.max(1);
        windows.push(Window {
            first: first as u32,
            end: end as u32,
        });
        if end == tokens.len() {
            break;
        }
        let shared_from = tokens[end - 1].end.saturating_sub(config.overlap_chars);
        let next = first + tokens[first..end].partition_point(|token| token.start < shared_from);
        first = next.max(first + 1);
    }
    sample(windows, config.max_windows as usize)
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

    use super::super::tokens::Script;
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

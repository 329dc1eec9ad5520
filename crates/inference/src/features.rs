//! The one definition of the features of `text-hashed-ngrams` bundles, used by training and by serving.
//!
//! A text becomes row numbers of an embedding table in five steps, each in its own file:
//!
//! 1. `normalise`: NFKC, case folding, invisible characters dropped, repeats squeezed;
//! 2. `tokens`: words, runs of dense scripts, single symbols; disguised letters folded back;
//! 3. `windows`: long texts cut into overlapping windows;
//! 4. `ngrams`: word and character n-grams of each window, hashed into rows;
//! 5. `distinct`: each row once a window.
//!
//! The result depends on the text and the [`FeatureConfig`] alone. Whatever changes an id for any text must raise
//! [`PREPROCESSING`], because bundles are trained for exactly one version of these steps.

mod distinct;
mod ngrams;
mod normalise;
mod tokens;
mod windows;

use serde::{Deserialize, Serialize};

use self::distinct::SeenRows;
use self::ngrams::Hasher;
use self::tokens::Token;
use self::windows::Window;

/// The version of the five steps that this build carries out.
pub const PREPROCESSING: u32 = 1;

/// The parameters of feature extraction, as the `[features]` table of a bundle's manifest states them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureConfig {
    /// Version of the steps that the bundle was trained with; must equal [`PREPROCESSING`].
    pub preprocessing: u32,
    /// Rows of the embedding table: a power of two from 2^8 to 2^24.
    pub rows: u32,
    /// Longest word n-gram: 1 or 2.
    pub word_max: u8,
    /// Shortest and longest character n-gram of words in alphabetic scripts, within 1..=8.
    pub char_orders: [u8; 2],
    /// Shortest and longest character n-gram of Han, Kana and Hangul, within 1..=8.
    pub dense_orders: [u8; 2],
    /// Length of a window in normalised characters, from 64 to 65,536. A Han, Kana or Hangul character counts as three.
    pub window_chars: u32,
    /// Characters that neighbouring windows share; at most half a window.
    pub overlap_chars: u32,
    /// Most windows of one text, at least 1; a longer text is sampled evenly, first and last window included.
    pub max_windows: u32,
}

/// Why a [`FeatureConfig`] cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeatureConfigError {
    /// The bundle was trained for another version of the steps.
    #[error("features.preprocessing is {found}, this build carries out version {PREPROCESSING}")]
    Preprocessing {
        /// What the manifest says.
        found: u32,
    },
    /// A parameter is out of its range.
    #[error("features.{key} is {found}, allowed is {allowed}")]
    OutOfRange {
        /// The manifest's key.
        key: &'static str,
        /// What the manifest says.
        found: u32,
        /// What it may say.
        allowed: &'static str,
    },
}

impl FeatureConfig {
    fn validate(&self) -> Result<(), FeatureConfigError> {
        if self.preprocessing != PREPROCESSING {
            return Err(FeatureConfigError::Preprocessing {
                found: self.preprocessing,
            });
        }
        let rows_fit = self.rows.is_power_of_two() && (1 << 8..=1 << 24).contains(&self.rows);
        in_range(
            "rows",
            self.rows,
            rows_fit,
            "a power of two from 256 to 16777216",
        )?;
        in_range(
            "word_max",
            self.word_max.into(),
            (1..=2).contains(&self.word_max),
            "1 or 2",
        )?;
        check_orders("char_orders", self.char_orders)?;
        check_orders("dense_orders", self.dense_orders)?;
        let window_fits = (64..=65_536).contains(&self.window_chars);
        in_range(
            "window_chars",
            self.window_chars,
            window_fits,
            "64 to 65536",
        )?;
        let overlap_fits = self.overlap_chars <= self.window_chars / 2;
        in_range(
            "overlap_chars",
            self.overlap_chars,
            overlap_fits,
            "at most half of window_chars",
        )?;
        in_range(
            "max_windows",
            self.max_windows,
            (1..=4096).contains(&self.max_windows),
            "1 to 4096",
        )
    }
}

fn check_orders(key: &'static str, [shortest, longest]: [u8; 2]) -> Result<(), FeatureConfigError> {
    let allowed = "two lengths from 1 to 8, the shorter first";
    in_range(
        key,
        shortest.into(),
        (1..=longest).contains(&shortest),
        allowed,
    )?;
    in_range(key, longest.into(), longest <= 8, allowed)
}

fn in_range(
    key: &'static str,
    found: u32,
    fits: bool,
    allowed: &'static str,
) -> Result<(), FeatureConfigError> {
    if fits {
        Ok(())
    } else {
        Err(FeatureConfigError::OutOfRange {
            key,
            found,
            allowed,
        })
    }
}

/// Turns texts into feature ids. Cheap to clone; keeps no text.
#[derive(Debug, Clone)]
pub struct FeatureExtractor {
    config: FeatureConfig,
    hasher: Hasher,
}

/// Buffers that a worker reuses between texts. They hold the last text, so `Debug` shows lengths only.
#[derive(Default)]
pub struct Scratch {
    chars: Vec<char>,
    tokens: Vec<Token>,
    windows: Vec<Window>,
    seen: SeenRows,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch")
            .field("chars", &self.chars.len())
            .field("tokens", &self.tokens.len())
            .finish()
    }
}

/// The features of one text: the ids of all windows, one window after the other.
///
/// Scores depend on nothing else, so a keyed hash of ids and window ends can stand for the text in a cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    /// Rows of the embedding table, from 0 to `rows - 1`, each once a window.
    pub ids: Vec<i32>,
    /// For each window, where its ids end in `ids`; windows are never empty.
    pub window_ends: Vec<u32>,
    /// True when `max_windows` left parts of the text out.
    pub sampled: bool,
}

impl Features {
    /// Returns the ids of each window. A text without a letter, digit or symbol has no window and so no score.
    pub fn windows(&self) -> impl ExactSizeIterator<Item = &[i32]> {
        (0..self.window_ends.len()).map(|index| {
            let start = if index == 0 {
                0
            } else {
                self.window_ends[index - 1] as usize
            };
            &self.ids[start..self.window_ends[index] as usize]
        })
    }

    fn clear(&mut self) {
        self.ids.clear();
        self.window_ends.clear();
        self.sampled = false;
    }
}

impl FeatureExtractor {
    /// Checks the parameters and builds an extractor.
    ///
    /// # Errors
    ///
    /// Names the first parameter that is out of range or of another preprocessing version.
    pub fn new(config: &FeatureConfig) -> Result<Self, FeatureConfigError> {
        config.validate()?;
        Ok(Self {
            hasher: Hasher::new(config),
            config: config.clone(),
        })
    }

    /// Replaces `out` by the features of `text`. Time and memory are linear in the length of the text.
    pub fn extract_into(&self, text: &str, scratch: &mut Scratch, out: &mut Features) {
        out.clear();
        normalise::normalise(text, &mut scratch.chars);
        tokens::split(&mut scratch.chars, &mut scratch.tokens);
        out.sampled = windows::cut(&self.config, &scratch.tokens, &mut scratch.windows);
        for window in &scratch.windows {
            let start = out.ids.len();
            let tokens = &scratch.tokens[window.tokens()];
            self.hasher
                .hash_window(&scratch.chars, tokens, &mut out.ids);
            scratch
                .seen
                .keep_first(self.config.rows as usize, &mut out.ids, start);
            out.window_ends.push(out.ids.len() as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config() -> FeatureConfig {
        FeatureConfig {
            preprocessing: PREPROCESSING,
            rows: 1 << 17,
            word_max: 2,
            char_orders: [2, 5],
            dense_orders: [1, 3],
            window_chars: 64,
            overlap_chars: 16,
            max_windows: 8,
        }
    }

    fn extract(text: &str) -> Features {
        let extractor = FeatureExtractor::new(&config()).expect("a valid configuration");
        let mut features = Features::default();
        extractor.extract_into(text, &mut Scratch::default(), &mut features);
        features
    }

    #[test]
    fn disguises_share_the_features_of_the_plain_text() {
        let check = |disguised: &str, plain: &str| {
            assert_eq!(extract(disguised), extract(plain), "{disguised}")
        };
        check("HELLO  World", "hello world");
        check("he\u{200b}llo wor\u{ad}ld", "hello world");
        check("hellooooooo", "helloo");
        check("h3llo w0rld", "hello world");
        check("ｈｅｌｌｏ", "hello");
        check("h\u{435}llo", "hello");
        check("STRASSE", "straße");
        check("@someone hi", "@other hi");
        check("see https://a.example/x", "see http://b.example");
        check("call 5551234", "call 5559876");
        check("tide tide tide tide", "tide tide tide");
    }

    #[test]
    fn different_texts_differ() {
        let check = |one: &str, other: &str| assert_ne!(extract(one), extract(other), "{one}");
        check("hello world", "world hello");
        check("good", "god");
        check("你好", "好你");
        check("привет", "приват");
        check("👍", "👎");
    }

    #[test]
    fn texts_without_content_have_no_window() {
        for text in ["", " \n\t ", "\u{200b}\u{feff}", "\u{0}\u{1}"] {
            assert_eq!(extract(text), Features::default());
        }
    }

    #[test]
    fn ids_of_version_1_stay_as_they_are() {
        // The trained tables are addressed by these numbers: a change here needs a new preprocessing version.
        let expected = [
            92589, 41346, 119665, 35502, 18823, 17614, 18560, 51106, 112909, 125559, 50255, 91298,
            96097, 84129, 42994, 22882, 45176, 111175, 120385, 113842, 84636, 105680, 25457, 22938,
            19082, 25393,
        ];
        assert_eq!(extract("Tide, 你好").ids, expected);
    }

    #[test]
    fn bad_parameters_are_named() {
        let check = |change: fn(&mut FeatureConfig), named: &str| {
            let mut config = config();
            change(&mut config);
            let error = FeatureExtractor::new(&config).expect_err(named).to_string();
            assert!(error.contains(named), "{error}");
        };
        check(|config| config.preprocessing = 2, "preprocessing");
        check(|config| config.rows = 1000, "rows");
        check(|config| config.word_max = 3, "word_max");
        check(|config| config.char_orders = [5, 2], "char_orders");
        check(|config| config.dense_orders = [0, 2], "dense_orders");
        check(|config| config.window_chars = 10, "window_chars");
        check(|config| config.overlap_chars = 40, "overlap_chars");
        check(|config| config.max_windows = 0, "max_windows");
    }

    proptest! {
        #[test]
        fn any_text_gives_ids_in_range_and_whole_windows(text in "\\PC*|.*|(ab |é|你|👍|\u{301}|@a|1){0,400}") {
            let features = extract(&text);
            prop_assert!(features.ids.iter().all(|&id| (0..1 << 17).contains(&id)));
            prop_assert!(features.window_ends.len() <= 8);
            prop_assert!(features.windows().all(|ids| !ids.is_empty()));
            prop_assert_eq!(features.windows().map(<[i32]>::len).sum::<usize>(), features.ids.len());
        }

        #[test]
        fn reused_buffers_change_nothing(first in ".*", second in ".*") {
            let extractor = FeatureExtractor::new(&config()).expect("a valid configuration");
            let (mut scratch, mut features) = (Scratch::default(), Features::default());
            extractor.extract_into(&first, &mut scratch, &mut features);
            extractor.extract_into(&second, &mut scratch, &mut features);
            prop_assert_eq!(features, extract(&second));
        }
    }
}

//! The language of a text, which the support matrix and the policy look at.
//!
//! The script decides where one script means one language. For the rest the `whichlang` classifier decides among the
//! 16 languages that it knows. It always answers, so this module says when not to ask: too little text, or a script
//! of none of its languages.

use moderation::Language;

/// The languages in Latin letters that can be told apart, and so the only ones a declaration can name.
const LATIN: [&str; 10] = ["de", "en", "es", "fr", "it", "nl", "pt", "sv", "tr", "vi"];

/// With fewer Latin letters than this, no guess is made: on two-word texts the classifier is right in 6 to 9 of 10.
const LETTERS_TO_GUESS: usize = 6;

/// With fewer Latin letters than this, a declared language is worth more than the guess.
const LETTERS_TO_OVERRULE: usize = 20;

/// Longest part of a text that is looked at, in bytes: the accuracy no longer rises, the cost does.
const SAMPLE_BYTES: usize = 1024;

/// Detects the language of a text.
///
/// `declared` is the BCP 47 tag that came with the text. It counts only for Latin text that is too short to tell:
/// writers choose it freely, so for longer texts it could be used to pick an unsupported language on purpose.
#[must_use]
pub fn detect(text: &str, declared: Option<Language>) -> Language {
    let sample = sample(text);
    let letters = Letters::count(sample);
    match letters.main_script() {
        None => Language::undetermined(),
        Some(Script::Hangul) => language("ko"),
        Some(Script::Kana) => language("ja"),
        Some(Script::Han) => language("zh"),
        Some(Script::Latin) => detect_latin(sample, letters.latin, declared),
        Some(Script::Shared) => classify(sample, |code| !LATIN.contains(&code)),
        Some(Script::Other) => Language::undetermined(),
    }
}

fn detect_latin(sample: &str, letters: usize, declared: Option<Language>) -> Language {
    let hint = declared.filter(|_| letters < LETTERS_TO_OVERRULE);
    match hint.and_then(|tag| LATIN.into_iter().find(|code| *code == tag.primary())) {
        Some(code) => language(code),
        None if letters < LETTERS_TO_GUESS => Language::undetermined(),
        None => classify(sample, |code| LATIN.contains(&code)),
    }
}

fn language(code: &'static str) -> Language {
    Language::new(code).expect("two lower-case letters")
}

/// Asks the classifier; an answer that the script rules out is no answer.
fn classify(sample: &str, fits_script: impl Fn(&str) -> bool) -> Language {
    let code = code_of(whichlang::detect_language(sample));
    if fits_script(code) {
        language(code)
    } else {
        Language::undetermined()
    }
}

fn code_of(found: whichlang::Lang) -> &'static str {
    match found {
        whichlang::Lang::Ara => "ar",
        whichlang::Lang::Cmn => "zh",
        whichlang::Lang::Deu => "de",
        whichlang::Lang::Eng => "en",
        whichlang::Lang::Fra => "fr",
        whichlang::Lang::Hin => "hi",
        whichlang::Lang::Ita => "it",
        whichlang::Lang::Jpn => "ja",
        whichlang::Lang::Kor => "ko",
        whichlang::Lang::Nld => "nl",
        whichlang::Lang::Por => "pt",
        whichlang::Lang::Rus => "ru",
        whichlang::Lang::Spa => "es",
        whichlang::Lang::Swe => "sv",
        whichlang::Lang::Tur => "tr",
        whichlang::Lang::Vie => "vi",
    }
}

fn sample(text: &str) -> &str {
    &text[..text.floor_char_boundary(SAMPLE_BYTES)]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Hangul,
    Kana,
    Han,
    /// Arabic, Cyrillic, Devanagari: one of several languages, of which the classifier knows the largest.
    Shared,
    Other,
}

/// Letters by script, names and links left out: they are mostly Latin whatever the language of the text.
#[derive(Debug, Default)]
struct Letters {
    latin: usize,
    hangul: usize,
    kana: usize,
    han: usize,
    shared: usize,
    other: usize,
}

impl Letters {
    fn count(sample: &str) -> Self {
        let mut letters = Self::default();
        for word in sample.split_whitespace().filter(|word| !is_address(word)) {
            for c in word.chars().filter(|c| c.is_alphabetic()) {
                *letters.of(script_of(c)) += 1;
            }
        }
        letters
    }

    fn of(&mut self, script: Script) -> &mut usize {
        match script {
            Script::Latin => &mut self.latin,
            Script::Hangul => &mut self.hangul,
            Script::Kana => &mut self.kana,
            Script::Han => &mut self.han,
            Script::Shared => &mut self.shared,
            Script::Other => &mut self.other,
        }
    }

    /// Returns the script of most of the text. A dense character says about as much as three letters, and Japanese is
    /// known by its Kana, however many Han characters stand between them.
    fn main_script(&self) -> Option<Script> {
        let japanese = if self.kana > 0 && self.kana * 4 >= self.han {
            self.han
        } else {
            0
        };
        let weights = [
            (self.latin, Script::Latin),
            (self.shared, Script::Shared),
            (self.other, Script::Other),
            (3 * self.hangul, Script::Hangul),
            (3 * (self.kana + japanese), Script::Kana),
            (3 * (self.han - japanese), Script::Han),
        ];
        weights
            .into_iter()
            .filter(|(weight, _)| *weight > 0)
            .max_by_key(|(weight, _)| *weight)
            .map(|(_, script)| script)
    }
}

fn is_address(word: &str) -> bool {
    word.starts_with('@')
        || word.starts_with("http://")
        || word.starts_with("https://")
        || word.starts_with("www.")
}

fn script_of(c: char) -> Script {
    match c {
        'a'..='z'
        | 'A'..='Z'
        | '\u{aa}'..='\u{24f}'
        | '\u{1e00}'..='\u{1eff}'
        | '\u{ff21}'..='\u{ff5a}' => Script::Latin,
        '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7ff}' => {
            Script::Hangul
        }
        '\u{3040}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9d}' => Script::Kana,
        '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => Script::Han,
        '\u{400}'..='\u{52f}' | '\u{600}'..='\u{6ff}' | '\u{900}'..='\u{97f}' => Script::Shared,
        _ => Script::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, declared: Option<&str>, expected: &str) {
        let declared = declared.map(|tag| Language::new(tag).expect("a language tag"));
        assert_eq!(
            detect(text, declared).as_str(),
            expected,
            "{text:?} declared {declared:?}"
        );
    }

    #[test]
    fn sentences_are_recognised() {
        check(
            "The tide comes in twice a day and nobody can hold it back.",
            None,
            "en",
        );
        check(
            "Heute scheint die Sonne und wir gehen an den Strand.",
            None,
            "de",
        );
        check(
            "Hoje o sol brilha e nós vamos à praia com as crianças.",
            None,
            "pt",
        );
        check(
            "Hoy brilla el sol y vamos a la playa con los niños.",
            None,
            "es",
        );
        check(
            "Aujourd'hui le soleil brille et nous allons à la plage.",
            None,
            "fr",
        );
        check("오늘은 날씨가 좋아서 바다에 갑니다", None, "ko");
        check("今天天气很好，我们去海边", None, "zh");
        check("今日は天気がいいので海に行きます", None, "ja");
        check("Сегодня хорошая погода, и мы идём на море", None, "ru");
    }

    #[test]
    fn what_cannot_be_told_is_undetermined() {
        for text in [
            "",
            "   ",
            "👍👍👍",
            "12345 !!",
            "lol",
            "ok :)",
            "@someone https://a.example/path",
        ] {
            check(text, None, "und");
        }
        check("Σήμερα ο ήλιος λάμπει", None, "und");
        check("วันนี้อากาศดี", None, "und");
    }

    #[test]
    fn a_declaration_counts_for_short_latin_text_only() {
        check("lol", Some("en"), "en");
        check("que lindo", Some("pt-BR"), "pt");
        check("que lindo", Some("PT"), "pt");
        check("lol", Some("xx"), "und");
        check("", Some("en"), "und");
        check("你好", Some("en"), "zh");
        check(
            "The tide comes in twice a day and nobody can hold it back.",
            Some("sv"),
            "en",
        );
    }

    #[test]
    fn mixed_scripts_follow_the_larger_part() {
        check(
            "ㅋㅋㅋ this is the best video I have seen in a long time",
            None,
            "en",
        );
        check("이 영상 진짜 good 너무 좋아요", None, "ko");
        check("@some_long_latin_name 你好", None, "zh");
    }

    proptest! {
        #[test]
        fn any_text_gives_a_code(text in ".*", declared in proptest::option::of("[a-z]{2,8}")) {
            let declared = declared.map(|tag| Language::new(&tag).expect("a language tag"));
            prop_assert!((2..=3).contains(&detect(&text, declared).as_str().len()));
        }

        #[test]
        fn long_texts_are_cut_between_characters(character in any::<char>(), length in 300_usize..2000) {
            let text: String = std::iter::repeat_n(character, length).collect();
            prop_assert!((2..=3).contains(&detect(&text, None).as_str().len()));
        }
    }
}

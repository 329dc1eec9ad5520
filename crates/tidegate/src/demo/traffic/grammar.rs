//! Texts, composed sentence by sentence.

use super::dice::Dice;
use super::phrases::{ALL, ENGLISH, Phrases, REPEATED};

/// Half of all chatter is shorter, in bytes.
const MEDIAN_BYTES: f64 = 52.0;
const LONGEST_BYTES: f64 = 4_000.0;
/// What someone says in a video or a live stream is longer.
const MEDIAN_SPEECH_BYTES: f64 = 220.0;

const SYLLABLES: [&str; 40] = [
    "ba", "be", "bo", "da", "del", "do", "fa", "fen", "ga", "go", "ha", "ka", "kel", "ko", "la",
    "lin", "lo", "ma", "mer", "mi", "na", "nor", "nu", "pa", "pel", "ra", "rin", "ro", "sa", "sel",
    "su", "ta", "tin", "to", "va", "vel", "vo", "wen", "ya", "zo",
];

/// What a text does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Chatter,
    Speech,
    Praise,
    Insult,
    Threat,
    Hate,
    CounterSpeech,
    Spam,
    Banter,
    /// A step of eight.
    Ladder(usize),
}

/// Composes a text in the language of index `language`.
pub(super) fn text(dice: &mut Dice, language: usize, tone: Tone) -> String {
    let phrases = ALL[language % ALL.len()];
    match tone {
        Tone::Chatter => chatter(dice, phrases, MEDIAN_BYTES),
        Tone::Speech => chatter(dice, phrases, MEDIAN_SPEECH_BYTES),
        Tone::Praise => decorated(dice, phrases.praise),
        Tone::Insult => insult(dice, phrases),
        Tone::Threat => decorated(dice, phrases.threats),
        Tone::Hate => about_a_group(dice, phrases, phrases.hate),
        Tone::CounterSpeech => about_a_group(dice, phrases, phrases.counter),
        Tone::Spam => decorated(dice, phrases.spam),
        Tone::Banter => decorated(dice, phrases.banter),
        Tone::Ladder(step) => phrases.ladder[step % phrases.ladder.len()].to_owned(),
    }
}

/// Composes a text of two languages; `hurts` says whether one half is an insult.
pub(super) fn code_switched(dice: &mut Dice, language: usize, hurts: bool) -> String {
    let (first, second) = if ALL[language].language == ENGLISH.language {
        (&ENGLISH, ALL[1 + dice.below(ALL.len() as u32 - 1) as usize])
    } else {
        (ALL[language], &ENGLISH)
    };
    let last = if hurts {
        dice.pick(second.insults)
    } else {
        dice.pick(second.praise)
    };
    format!("{} {last}", chatter(dice, first, MEDIAN_BYTES))
}

/// Draws one of the texts that come again and again, the first ones most.
pub(super) fn repeated(dice: &mut Dice) -> &'static str {
    let most = dice.below(REPEATED.len() as u32) + 1;
    REPEATED[dice.below(most) as usize]
}

/// Invents a name that nobody has.
pub(super) fn name(dice: &mut Dice) -> String {
    (0..3).map(|_| dice.pick(&SYLLABLES)).collect()
}

/// Returns the BCP 47 tag of a language.
pub(super) fn tag(language: usize) -> &'static str {
    ALL[language].language
}

fn chatter(dice: &mut Dice, phrases: &Phrases, median: f64) -> String {
    let length = dice.length(median, LONGEST_BYTES);
    let mut text = String::with_capacity(length + 96);
    while text.len() < length {
        if !text.is_empty() {
            text.push_str(phrases.space);
        }
        let (sentence, topic) = (dice.pick(phrases.chatter), dice.pick(phrases.topics));
        fill(&mut text, sentence, topic);
        if dice.chance(400) {
            text.push_str(" #");
            text.push_str(&name(dice));
        }
    }
    shorten(&mut text, length, phrases.space);
    text
}

fn insult(dice: &mut Dice, phrases: &Phrases) -> String {
    let mut text = decorated(dice, phrases.insults);
    if dice.chance(300) {
        text.push_str(phrases.space);
        text.push_str(dice.pick(phrases.insults));
    }
    if dice.chance(80) {
        text = text.to_uppercase();
    }
    text
}

fn about_a_group(dice: &mut Dice, phrases: &Phrases, sentences: &[&str]) -> String {
    let (sentence, group) = (dice.pick(sentences), dice.pick(phrases.groups));
    let mut text = String::with_capacity(sentence.len() + group.len());
    fill(&mut text, sentence, group);
    text
}

/// Draws a sentence, at times with a name before it or a tag behind it, so that few are the same to the letter.
fn decorated(dice: &mut Dice, sentences: &[&str]) -> String {
    let sentence = dice.pick(sentences);
    match dice.below(4) {
        0 => format!("@{} {sentence}", name(dice)),
        1 => format!("{sentence} #{}", name(dice)),
        2 => format!("{}, {sentence}", name(dice)),
        _ => sentence.to_owned(),
    }
}

fn fill(text: &mut String, sentence: &str, slot: &str) {
    let (before, after) = sentence.split_once("{}").unwrap_or((sentence, ""));
    text.push_str(before);
    text.push_str(slot);
    text.push_str(after);
}

/// Cuts a text to a length, between words where the language has spaces.
fn shorten(text: &mut String, length: usize, space: &str) {
    let mut end = length.min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    if end < text.len() && !space.is_empty() {
        end = text[..end]
            .rfind(space)
            .filter(|place| *place > 0)
            .unwrap_or(end);
    }
    text.truncate(end);
}

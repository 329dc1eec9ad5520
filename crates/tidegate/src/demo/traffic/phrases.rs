//! What people in the demo say: our own sentences, in nine languages, from which the grammar composes texts.
//!
//! Groups that somebody is hateful about are invented, insults are mild, and links lead to `.example`.

mod east_asian;
mod germanic;
mod romance;

pub(super) use east_asian::{CHINESE, JAPANESE, KOREAN};
pub(super) use germanic::{ENGLISH, GERMAN};
pub(super) use romance::{FRENCH, ITALIAN, PORTUGUESE, SPANISH};

/// The sentences of one language. `{}` is a slot: a topic in chatter, a group in hate and counter-speech.
#[derive(Debug)]
pub(super) struct Phrases {
    /// BCP 47.
    pub(super) language: &'static str,
    /// What stands between sentences.
    pub(super) space: &'static str,
    /// Things that people talk about.
    pub(super) topics: &'static [&'static str],
    /// Sentences about a topic.
    pub(super) chatter: &'static [&'static str],
    /// What fans write.
    pub(super) praise: &'static [&'static str],
    /// What is said to a person to hurt.
    pub(super) insults: &'static [&'static str],
    /// What is said to a person to frighten.
    pub(super) threats: &'static [&'static str],
    /// Invented groups.
    pub(super) groups: &'static [&'static str],
    /// What is said against a group.
    pub(super) hate: &'static [&'static str],
    /// What is said against those who say it.
    pub(super) counter: &'static [&'static str],
    /// Offers that nobody asked for.
    pub(super) spam: &'static [&'static str],
    /// Rough words between friends.
    pub(super) banter: &'static [&'static str],
    /// An adult's messages to a minor, step by step.
    pub(super) ladder: &'static [&'static str; 8],
}

/// Every language, the commonest first.
pub(super) const ALL: [&Phrases; 9] = [
    &ENGLISH,
    &SPANISH,
    &GERMAN,
    &PORTUGUESE,
    &FRENCH,
    &KOREAN,
    &CHINESE,
    &JAPANESE,
    &ITALIAN,
];

/// What is said over and over, word for word.
pub(super) const REPEATED: [&str; 36] = [
    "first!",
    "lol",
    "😂😂😂",
    "🔥🔥🔥",
    "❤️",
    "same",
    "W",
    "who is watching this in November?",
    "part 2 please",
    "this made my day",
    "so true",
    "no way 😭",
    "wait for it",
    "link?",
    "what song is this",
    "goals",
    "I needed this today, thank you",
    "tag a friend who would do this",
    "haha genau",
    "wie schön",
    "jajaja",
    "qué bonito",
    "kkkkk",
    "que lindo",
    "trop bien",
    "mdr",
    "ㅋㅋㅋㅋ",
    "너무 좋아요",
    "哈哈哈",
    "太好看了",
    "かわいい",
    "bellissimo",
    "👏👏",
    "notification squad where you at",
    "came here from the other video",
    "if you read this, have a wonderful day",
];

//! Texts that cost what users' texts cost: their languages, their words and their lengths, and no sense.

use rand::Rng;
use rand_distr::{Distribution, LogNormal};
use rand_pcg::Pcg64Mcg;

/// Half of the texts have fewer characters.
const MEDIAN_CHARACTERS: f64 = 60.0;
/// Of the logarithm of the lengths: one text in a hundred has over 380 characters.
const SPREAD: f64 = 0.8;
const SHORTEST: f64 = 3.0;
const LONGEST: f64 = 4000.0;

/// Common words of the languages of the shipped bundle, most texts being English.
const LANGUAGES: [(&str, u32); 4] = [
    (
        "the you and that this what with have not your just like know they about when people \
         think really today friend never good want because video time would only right where \
         tomorrow game music please thanks everyone should again watching beautiful",
        6,
    ),
    (
        "der die und das nicht ich mit auf ein wir haben auch aber wenn heute schon immer noch \
         einfach wirklich morgen bitte danke Leute Video gut keine warum machen können gestern \
         zusammen schön Freunde niemals vielleicht",
        2,
    ),
    (
        "que los para con una por como pero más hoy siempre gracias amigo nunca porque quiero \
         todos bien mañana cuando también ahora mejor gente vídeo juntos verdad hermoso donde",
        2,
    ),
    (
        "que les pour avec une dans pas mais plus très merci toujours jamais pourquoi quand aussi \
         demain aujourd'hui vidéo gens bien ensemble vraiment beau encore personne parce tous",
        1,
    ),
];

/// An endless row of texts that depends on its seed alone.
#[derive(Clone, Debug)]
pub struct Texts {
    chance: Pcg64Mcg,
    lengths: LogNormal<f64>,
    /// The words of each language, as often as the language is to come.
    vocabularies: Vec<Vec<&'static str>>,
}

impl Texts {
    /// Makes a row of texts.
    pub fn new(seed: u64) -> Self {
        let vocabularies = LANGUAGES.iter().flat_map(|(words, weight)| {
            (0..*weight).map(|_| words.split_whitespace().collect::<Vec<_>>())
        });
        Self {
            chance: Pcg64Mcg::new(u128::from(seed) << 64 | 0x7469_6465_6761_7465),
            lengths: LogNormal::new(MEDIAN_CHARACTERS.ln(), SPREAD).expect("a finite spread"),
            vocabularies: vocabularies.collect(),
        }
    }

    /// Draws from 0 to `bound - 1`.
    pub fn below(&mut self, bound: usize) -> usize {
        let product = u128::from(self.chance.next_u64()) * bound as u128;
        (product >> 64) as usize
    }
}

impl Iterator for Texts {
    type Item = String;

    /// Never ends.
    fn next(&mut self) -> Option<String> {
        let length = self.lengths.sample(&mut self.chance);
        let length = length.clamp(SHORTEST, LONGEST) as usize;
        let language = self.below(self.vocabularies.len());
        let mut text = String::with_capacity(length + 16);
        while text.len() < length {
            if !text.is_empty() {
                text.push(' ');
            }
            let word = self.below(self.vocabularies[language].len());
            text.push_str(self.vocabularies[language][word]);
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn texts_depend_on_the_seed_alone() {
        let of = |seed| Texts::new(seed).take(50).collect::<Vec<_>>();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn lengths_are_those_of_users_texts_and_few_texts_are_equal() {
        let texts: Vec<String> = Texts::new(7).take(2000).collect();
        let mut lengths: Vec<usize> = texts.iter().map(String::len).collect();
        lengths.sort_unstable();
        assert!((50..80).contains(&lengths[1000]), "{}", lengths[1000]);
        assert!(lengths[1980] > 250, "{}", lengths[1980]);
        assert!(texts.iter().collect::<BTreeSet<_>>().len() > 1900);
    }
}

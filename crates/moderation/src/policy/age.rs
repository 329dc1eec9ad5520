//! From what is known of an account holder's age to a band, by the role in which somebody looks.
//!
//! Nobody's age is known for certain, so the answer depends on whom a mistake would hurt. Whoever is to be protected is
//! read as young where facts conflict or are missing; whoever makes contact is read as old; whoever is sanctioned is
//! read by the holder's own word, and as an adult without one.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{AgeFacts, AgeState, Region};

/// Older claims are no claims: nobody is that old, and the young like to be.
const OLDEST_PLAUSIBLE_YEARS: u32 = 120;

/// An age band of a policy, by its place: minors from the youngest, then unassured adults, then adults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Band(pub(super) u8);

impl Band {
    /// Returns its bit in a set of bands.
    pub(crate) fn bit(self) -> u32 {
        1 << self.0
    }
}

/// The role in which an account's age matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgeRole {
    /// A target, recipient or viewer: somebody to protect.
    Protected,
    /// Somebody who makes contact with others.
    Initiator,
    /// An author to whom something may be done.
    Sanctioned,
}

/// What a reading rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgeBasis {
    /// A check.
    Assured,
    /// A model's guess.
    Inferred,
    /// The holder's word.
    Declared,
    /// The account failed a check.
    State,
    /// Nothing.
    Unknown,
}

impl AgeBasis {
    /// Returns the word for it on decisions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assured => "assured",
            Self::Inferred => "inferred",
            Self::Declared => "declared",
            Self::State => "state",
            Self::Unknown => "unknown",
        }
    }
}

/// The age bands of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct AgeBands {
    /// Names: minors from the youngest, unassured adults, adults.
    names: Vec<Arc<str>>,
    /// Upper bounds of the bands of minors, in whole years.
    bounds: Vec<u32>,
    /// Other bounds, by country or subdivision.
    jurisdictions: BTreeMap<Region, Vec<u32>>,
    /// As whom somebody of unknown age is protected.
    unknown: Band,
    /// How sure a model must be.
    inferred_confidence: f64,
}

impl AgeBands {
    /// Assembles bands that have been checked: one more bound-less name than bounds for unassured adults, one for adults.
    pub(super) fn new(
        names: Vec<Arc<str>>,
        bounds: Vec<u32>,
        jurisdictions: BTreeMap<Region, Vec<u32>>,
        unknown: Band,
        inferred_confidence: f64,
    ) -> Self {
        Self {
            names,
            bounds,
            jurisdictions,
            unknown,
            inferred_confidence,
        }
    }

    /// Returns all bands.
    pub fn all(&self) -> impl Iterator<Item = Band> + use<> {
        (0..self.names.len() as u8).map(Band)
    }

    /// Returns the bands of minors, youngest first.
    pub fn minors(&self) -> impl Iterator<Item = Band> + use<> {
        (0..self.bounds.len() as u8).map(Band)
    }

    /// Returns whether a band is one of minors.
    pub fn is_minor(&self, band: Band) -> bool {
        usize::from(band.0) < self.bounds.len()
    }

    /// Returns the band of adults whose age was not checked.
    pub fn unassured_adult(&self) -> Band {
        Band(self.bounds.len() as u8)
    }

    /// Returns the band of adults whose age was checked.
    pub fn adult(&self) -> Band {
        Band(self.bounds.len() as u8 + 1)
    }

    /// Returns the band as which somebody of unknown age is protected.
    pub fn unknown(&self) -> Band {
        self.unknown
    }

    /// Returns a band's name.
    pub fn name(&self, band: Band) -> &Arc<str> {
        &self.names[usize::from(band.0)]
    }

    /// Returns the band of that name.
    pub fn find(&self, name: &str) -> Option<Band> {
        let place = self.names.iter().position(|known| **known == *name)?;
        Some(Band(place as u8))
    }

    /// Returns the band of an account holder in a jurisdiction and role, and what that rests on.
    ///
    /// A check (state `assured`) decides alone. Without one the holder's word counts; a model's guess replaces it only
    /// where the model is sure enough and the guess is on the careful side for the role: younger for the protected, older
    /// for an initiator, never for the sanctioned. A withdrawn check (`reset`) counts for nothing. A failed one
    /// (`blocked`) makes the protected no older than an unknown minor, and everybody else an adult.
    pub fn read(
        &self,
        facts: &AgeFacts,
        jurisdiction: Option<Region>,
        role: AgeRole,
    ) -> (Band, AgeBasis) {
        let bounds = self.bounds_in(jurisdiction);
        let plausible = |years: Option<u32>| years.filter(|years| *years <= OLDEST_PLAUSIBLE_YEARS);
        if facts.state == AgeState::Assured
            && let Some(years) = plausible(facts.assured_years)
        {
            let band = self.minor_band(bounds, years).unwrap_or(self.adult());
            return (band, AgeBasis::Assured);
        }
        let unassured = |years| {
            self.minor_band(bounds, years)
                .unwrap_or(self.unassured_adult())
        };
        let word = match plausible(facts.declared_years) {
            Some(years) => (unassured(years), AgeBasis::Declared),
            None if role == AgeRole::Protected => (self.unknown, AgeBasis::Unknown),
            None => (self.unassured_adult(), AgeBasis::Unknown),
        };
        let is_sure = facts
            .inferred_confidence
            .is_some_and(|confidence| confidence >= self.inferred_confidence);
        let guess = plausible(facts.inferred_years)
            .filter(|_| is_sure)
            .map(|years| (unassured(years), AgeBasis::Inferred));
        let reading = more_careful(role, word, guess);
        match (facts.state, role) {
            (AgeState::Blocked, AgeRole::Protected) => {
                more_careful(role, reading, Some((self.unknown, AgeBasis::State)))
            }
            (AgeState::Blocked, _) => (self.unassured_adult(), AgeBasis::State),
            _ => reading,
        }
    }

    fn bounds_in(&self, jurisdiction: Option<Region>) -> &[u32] {
        if self.jurisdictions.is_empty() {
            return &self.bounds;
        }
        jurisdiction
            .and_then(|region| {
                let country = || Region::new(region.country()).ok();
                self.jurisdictions
                    .get(&region)
                    .or_else(|| self.jurisdictions.get(&country()?))
            })
            .unwrap_or(&self.bounds)
    }

    fn minor_band(&self, bounds: &[u32], years: u32) -> Option<Band> {
        let place = bounds.iter().position(|bound| years < *bound)?;
        Some(Band(place as u8))
    }
}

/// Lets a second reading replace the first where it is on the careful side for the role.
fn more_careful(
    role: AgeRole,
    first: (Band, AgeBasis),
    second: Option<(Band, AgeBasis)>,
) -> (Band, AgeBasis) {
    match second {
        Some(second) if role == AgeRole::Protected && second.0 < first.0 => second,
        Some(second) if role == AgeRole::Initiator && second.0 > first.0 => second,
        _ => first,
    }
}

//! Thresholds of all rules, laid out by context.
//!
//! Each dimension is indexed by the values that the policy mentions, plus *other*; surface and region have one more place,
//! *strictest*, for what is absent or not known to this version: there each rule has the lowest threshold that it has
//! anywhere in the dimension, so that a mistyped word never buys a milder rule. A row holds one cell for each rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::{Policy, Rule};
use crate::{Language, Region, Score, Surface};

/// Cells of one table: 4 MiB. A larger one would no longer stay in a processor's cache.
pub(super) const MAX_CELLS: usize = 1 << 20;

/// Above every score: the rule does not apply in this context.
const NEVER: u16 = 1001;

/// A threshold and what set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    thousandths: u16,
    source: u16,
}

impl Cell {
    pub(super) const NEVER: Self = Self {
        thousandths: NEVER,
        source: 0,
    };

    pub(super) fn new(score: Score, source: u16) -> Self {
        Self {
            thousandths: score.thousandths(),
            source,
        }
    }

    /// Returns the threshold; `None` where the rule does not apply.
    pub(super) fn threshold(self) -> Option<Score> {
        Score::from_thousandths(u32::from(self.thousandths))
    }

    pub(super) fn source(self) -> u16 {
        self.source
    }

    /// Returns the lower of two; the first where they are equal.
    pub(super) fn stricter(self, other: Self) -> Self {
        if other.thousandths < self.thousandths {
            other
        } else {
            self
        }
    }
}

/// The names of what sets thresholds, each once.
#[derive(Debug, Default)]
pub(super) struct Sources(Vec<Arc<str>>);

impl Sources {
    pub(super) fn intern(&mut self, name: &str) -> u16 {
        let known = self.0.iter().position(|known| **known == *name);
        let place = known.unwrap_or_else(|| {
            self.0.push(name.into());
            self.0.len() - 1
        });
        // Bounded by the values a policy mentions; the table's own bound is far lower.
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    pub(super) fn name(&self, source: u16) -> Arc<str> {
        self.0.get(usize::from(source)).cloned().unwrap_or_default()
    }
}

/// The values of each dimension that some rule mentions, sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dimensions {
    pub(super) surfaces: Vec<Surface>,
    pub(super) regions: Vec<Region>,
    pub(super) languages: Vec<Language>,
}

impl Dimensions {
    pub(super) fn of<'a>(rules: impl Iterator<Item = &'a Rule>) -> Self {
        let mut surfaces = BTreeSet::new();
        let mut regions = BTreeSet::new();
        let mut languages = BTreeSet::new();
        for rule in rules {
            surfaces.extend(rule.surfaces.iter().copied());
            surfaces.extend(rule.overrides.surface.keys().copied());
            regions.extend(rule.overrides.region.keys().copied());
            languages.extend(rule.overrides.language.keys().copied());
        }
        Self {
            surfaces: surfaces.into_iter().collect(),
            regions: regions.into_iter().collect(),
            languages: languages.into_iter().collect(),
        }
    }

    /// Returns how many contexts there are.
    pub(super) fn rows(&self) -> usize {
        (self.surfaces.len() + 2) * (self.regions.len() + 2) * (self.languages.len() + 1)
    }

    /// Returns every context without the strictest ones, which follow from the others.
    pub(super) fn contexts(&self) -> impl Iterator<Item = Context> + '_ {
        let surfaces = with_other(&self.surfaces);
        surfaces.flat_map(move |surface| {
            with_other(&self.regions).flat_map(move |region| {
                with_other(&self.languages).map(move |language| Context {
                    surface,
                    region,
                    language,
                })
            })
        })
    }
}

fn with_other<T: Copy>(values: &[T]) -> impl Iterator<Item = Option<T>> + '_ {
    values.iter().copied().map(Some).chain([None])
}

/// A context; `None` is *other*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) surface: Option<Surface>,
    pub(super) region: Option<Region>,
    pub(super) language: Option<Language>,
}

/// What sets a threshold before caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    Base,
    Surface(Surface),
    Region(Region),
    Language(Language),
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base => f.write_str("base"),
            Self::Surface(surface) => write!(f, "surface={surface}"),
            Self::Region(region) => write!(f, "region={region}"),
            Self::Language(language) => write!(f, "language={language}"),
        }
    }
}

/// Returns a rule's threshold in a context before caps, and what set it; `None` where it does not apply.
pub(super) fn base_threshold(rule: &Rule, context: Context) -> Option<(Score, Layer)> {
    let applies = rule.surfaces.is_empty()
        || context
            .surface
            .is_some_and(|surface| rule.surfaces.contains(&surface));
    if !applies {
        return None;
    }
    let by_surface = context.surface.and_then(|surface| {
        let score = rule.overrides.surface.get(&surface)?;
        Some((*score, Layer::Surface(surface)))
    });
    let by_region = context.region.and_then(|region| {
        let country = Region::new(region.country()).ok();
        [Some(region), country]
            .into_iter()
            .flatten()
            .find_map(|region| {
                let score = rule.overrides.region.get(&region)?;
                Some((*score, Layer::Region(region)))
            })
    });
    let by_language = context.language.and_then(|language| {
        let bare = Language::new(language.primary()).ok();
        [Some(language), bare]
            .into_iter()
            .flatten()
            .find_map(|language| {
                let score = rule.overrides.language.get(&language)?;
                Some((*score, Layer::Language(language)))
            })
    });
    by_language
        .or(by_region)
        .or(by_surface)
        .or(Some((rule.threshold, Layer::Base)))
}

/// Thresholds before caps, of every rule in every context.
#[derive(Debug)]
pub(super) struct Table {
    dimensions: Dimensions,
    rules: usize,
    cells: Vec<Cell>,
}

impl Table {
    /// Lays out the rules. The caller has checked that the table is not too large.
    pub(super) fn build(rules: &[&Rule], sources: &mut Sources) -> Self {
        let dimensions = Dimensions::of(rules.iter().copied());
        let mut table = Self {
            rules: rules.len(),
            cells: vec![Cell::NEVER; dimensions.rows() * rules.len()],
            dimensions,
        };
        let contexts: Vec<Context> = table.dimensions.contexts().collect();
        let mut known = BTreeMap::new();
        for context in contexts {
            let rows = table.rows_fed_by(context);
            for (place, rule) in rules.iter().enumerate() {
                let Some((score, layer)) = base_threshold(rule, context) else {
                    continue;
                };
                let source = known
                    .entry(layer)
                    .or_insert_with(|| sources.intern(&layer.to_string()));
                let cell = Cell::new(score, *source);
                for row in rows {
                    let old = table.cells[row + place];
                    table.cells[row + place] = old.stricter(cell);
                }
            }
        }
        table
    }

    /// Returns the context's own row, and the strictest rows that cover it.
    fn rows_fed_by(&self, context: Context) -> [usize; 4] {
        let surface = place(&self.dimensions.surfaces, context.surface);
        let region = place(&self.dimensions.regions, context.region);
        let language = place(&self.dimensions.languages, context.language);
        let strictest_surface = self.dimensions.surfaces.len() + 1;
        let strictest_region = self.dimensions.regions.len() + 1;
        [
            self.row(surface, region, language),
            self.row(strictest_surface, region, language),
            self.row(surface, strictest_region, language),
            self.row(strictest_surface, strictest_region, language),
        ]
    }

    fn row(&self, surface: usize, region: usize, language: usize) -> usize {
        let regions = self.dimensions.regions.len() + 2;
        let languages = self.dimensions.languages.len() + 1;
        ((surface * regions + region) * languages + language) * self.rules
    }

    /// Finds where the rows of a surface and region begin. An absent region and an unrecognised surface are the strictest.
    pub(super) fn block(&self, surface: Surface, region: Option<Region>) -> usize {
        let dimensions = &self.dimensions;
        let surface = match surface {
            Surface::Unrecognised => dimensions.surfaces.len() + 1,
            known => place(&dimensions.surfaces, Some(known)),
        };
        let region = match region {
            None => dimensions.regions.len() + 1,
            Some(_) if dimensions.regions.is_empty() => 0,
            Some(region) => find_with_parent(&dimensions.regions, region, || {
                Region::new(region.country()).ok()
            }),
        };
        self.row(surface, region, 0)
    }

    /// Returns the row of a part's language within a block.
    pub(super) fn row_in(&self, block: usize, language: Option<Language>) -> &[Cell] {
        let languages = &self.dimensions.languages;
        let language = match language {
            Some(language) if !languages.is_empty() => {
                find_with_parent(languages, language, || {
                    Language::new(language.primary()).ok()
                })
            }
            _ => languages.len(),
        };
        let start = block + language * self.rules;
        &self.cells[start..start + self.rules]
    }
}

/// Returns a value's place, or that of *other*.
fn place<T: Ord>(values: &[T], value: Option<T>) -> usize {
    value
        .and_then(|value| values.binary_search(&value).ok())
        .unwrap_or(values.len())
}

fn find_with_parent<T: Ord>(values: &[T], value: T, parent: impl Fn() -> Option<T>) -> usize {
    values
        .binary_search(&value)
        .unwrap_or_else(|_| place(values, parent()))
}

/// Names the rule without which the tables of a policy would be smallest, if they are too large.
pub(super) fn oversized(policy: &Policy) -> Option<(&Rule, usize)> {
    let cells = Dimensions::of(policy.rules.iter()).rows() * policy.rules.len();
    if cells <= MAX_CELLS {
        return None;
    }
    let rows_without = |omitted: &Rule| {
        let others = policy.rules.iter().filter(|rule| rule.id != omitted.id);
        Dimensions::of(others).rows()
    };
    let culprit = policy.rules.iter().min_by_key(|rule| rows_without(rule))?;
    Some((culprit, cells))
}

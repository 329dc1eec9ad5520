//! From a document to a policy, or to everything that keeps it from being one.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use toml::Spanned;

use super::document::{AgeDocument, BandDocument, CategoryDocument, Document};
use super::finding::Source;
use super::reading_rule::read_rule;
use super::{AgeBands, Category, Finding, Policy, Position, dsa};
use crate::{Label, Region, Score, Sensitivity};

/// Categories fit into the bits of one machine word, so that a decision compares sets of them at once.
const MAX_CATEGORIES: usize = 128;
/// Bands of minors.
const MAX_MINOR_BANDS: usize = 8;
/// Rules are numbered with 16 bits in the tables.
const MAX_RULES: usize = 4096;

impl Policy {
    /// Reads a policy document.
    ///
    /// # Errors
    /// Returns everything that is wrong with its form, with line and column, in the order of the document.
    pub fn parse(document: &str) -> Result<Self, Vec<Finding>> {
        let source = Source::new(document);
        let parsed: Document = toml::from_str(document).map_err(|error| {
            let position = error
                .span()
                .map_or(Position::default(), |span| source.position(span));
            vec![Finding::error(
                "T101",
                position,
                error.message().trim_end_matches('.').to_owned(),
                "deploy/policies/default.toml shows every kind of entry with its keys",
            )]
        })?;
        let mut reader = Reader {
            source,
            findings: Vec::new(),
        };
        let policy = reader.read(parsed);
        if reader.findings.is_empty() {
            Ok(policy)
        } else {
            reader
                .findings
                .sort_by_key(|finding| (finding.line, finding.column));
            Err(reader.findings)
        }
    }
}

/// Reads on after a mistake, so that an author sees all of them at once.
pub(super) struct Reader<'a> {
    source: Source<'a>,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    pub(super) fn at<T>(&self, value: &Spanned<T>) -> Position {
        self.source.position(value.span())
    }

    pub(super) fn refuse(
        &mut self,
        code: &'static str,
        at: Position,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.findings.push(Finding::error(code, at, message, fix));
    }

    /// Reads a number that must lie on the grid of thousandths.
    pub(super) fn thousandths(&mut self, what: &str, value: &Spanned<f64>) -> Score {
        self.number(what, *value.get_ref(), self.at(value))
    }

    pub(super) fn number(&mut self, what: &str, value: f64, at: Position) -> Score {
        let score = Score::from_probability(value);
        let on_grid =
            score.filter(|score| (f64::from(score.thousandths()) - value * 1000.0).abs() < 1e-6);
        on_grid.unwrap_or_else(|| {
            self.refuse(
                "T104",
                at,
                format!("{what} {value} is not a number of thousandths from 0 to 1"),
                "write at most three decimals, such as 0.925",
            );
            Score::MAX
        })
    }

    /// Reads something whose own constructor checks it.
    pub(super) fn checked<T, E: Display>(
        &mut self,
        code: &'static str,
        at: Position,
        result: Result<T, E>,
        fix: &str,
    ) -> Option<T> {
        result
            .map_err(|error| self.refuse(code, at, error.to_string(), fix))
            .ok()
    }

    fn read(&mut self, document: Document) -> Policy {
        if *document.schema.get_ref() != 1 {
            let at = self.at(&document.schema);
            self.refuse(
                "T102",
                at,
                format!("schema {} is not known here", document.schema.get_ref()),
                "write schema = 1",
            );
        }
        if document.name.get_ref().trim().is_empty() {
            let at = self.at(&document.name);
            self.refuse("T116", at, "the policy has no name", "give it one");
        }
        let age = self.read_age(&document.age);
        let categories = self.read_categories(document.categories);
        if document.rules.len() > MAX_RULES {
            self.refuse(
                "T116",
                Position::default(),
                format!(
                    "{} rules; at most {MAX_RULES} are allowed",
                    document.rules.len()
                ),
                "remove rules that are no longer needed",
            );
        }
        let mut rules = Vec::new();
        for rule in document.rules {
            let Some(rule) = read_rule(self, rule, &categories, &age) else {
                continue;
            };
            if rules.iter().any(|known: &super::Rule| known.id == rule.id) {
                let message = format!("a second rule is called {}", rule.id);
                self.refuse("T107", rule.position, message, "give it another id");
            }
            rules.push(rule);
        }
        Policy {
            name: document.name.into_inner(),
            categories,
            age,
            rules,
        }
    }

    fn read_categories(&mut self, documents: Vec<CategoryDocument>) -> Vec<Category> {
        if documents.len() > MAX_CATEGORIES {
            self.refuse(
                "T103",
                Position::default(),
                format!(
                    "{} categories; at most {MAX_CATEGORIES} are allowed",
                    documents.len()
                ),
                "merge categories that no rule tells apart",
            );
        }
        let mut labels = BTreeMap::new();
        let mut categories: Vec<Category> = Vec::new();
        for document in documents {
            let category = self.read_category(document, &mut labels);
            if categories.iter().any(|known| known.id == category.id) {
                let message = format!("category {} is declared twice", category.id);
                self.refuse("T103", category.position, message, "declare it once");
            }
            categories.push(category);
        }
        self.require_parents(&categories);
        categories
    }

    fn read_category(
        &mut self,
        document: CategoryDocument,
        claimed: &mut BTreeMap<Label, String>,
    ) -> Category {
        let position = self.at(&document.id);
        let id = document.id.into_inner();
        if !id.split('/').all(|word| is_word(word, "_")) {
            let message = format!("{id:?} is not a category id");
            self.refuse("T103", position, message, "use a-z, 0-9 and _, joined by /");
        }
        self.require_listed(&document.dsa_category, dsa::CATEGORIES, "category");
        for keyword in &document.dsa_keywords {
            self.require_listed(keyword, dsa::KEYWORDS, "keyword");
        }
        let mut labels = Vec::new();
        for label in document.labels {
            let at = self.at(&label);
            let name = Label::new(label.into_inner());
            let Some(label) = self.checked("T103", at, name, "name a label of a model") else {
                continue;
            };
            if let Some(other) = claimed.insert(label.clone(), id.clone()) {
                let message = format!("label {label} already belongs to category {other}");
                self.refuse("T103", at, message, "name it in one category");
            }
            labels.push(label);
        }
        Category {
            id: id.into(),
            title: document.title,
            labels,
            dsa_category: document.dsa_category.into_inner(),
            dsa_keywords: document
                .dsa_keywords
                .into_iter()
                .map(Spanned::into_inner)
                .collect(),
            sensitivity: document.sensitivity.unwrap_or(Sensitivity::Ordinary),
            position,
        }
    }

    fn require_listed(&mut self, word: &Spanned<String>, list: &[&str], what: &str) {
        if !list.contains(&word.get_ref().as_str()) {
            let at = self.at(word);
            let message = format!("{:?} is no statement {what}", word.get_ref());
            let near = nearest(word.get_ref(), list);
            self.refuse("T117", at, message, format!("did you mean {near}?"));
        }
    }

    fn require_parents(&mut self, categories: &[Category]) {
        for category in categories {
            let Some((parent, _)) = category.id.rsplit_once('/') else {
                continue;
            };
            if !categories.iter().any(|known| *known.id == *parent) {
                let message = format!("category {} has no parent {parent}", category.id);
                self.refuse("T103", category.position, message, "declare the parent too");
            }
        }
    }

    fn read_age(&mut self, document: &AgeDocument) -> AgeBands {
        let minors = match &document.minors {
            Some(minors) => minors.get_ref().iter().map(band).collect(),
            None => vec![
                ("under_13".to_owned(), 13),
                ("13_15".to_owned(), 16),
                ("16_17".to_owned(), 18),
            ],
        };
        let at = document
            .minors
            .as_ref()
            .map_or(Position::default(), |minors| self.at(minors));
        let minors = self.usable_minors(minors, at);
        let bounds: Vec<u32> = minors.iter().map(|(_, below)| *below).collect();
        let adults = [
            named(&document.unassured_adult, "adult_unassured"),
            named(&document.adult, "adult"),
        ];
        let names: Vec<Arc<str>> = minors
            .into_iter()
            .map(|(name, _)| name)
            .chain(adults)
            .map(Arc::from)
            .collect();
        self.require_distinct_bands(&names, at);
        let unknown = self.unknown_band(document, &names[..bounds.len()]);
        let inferred_confidence = match &document.inferred_confidence {
            Some(value) => {
                f64::from(self.thousandths("inferred_confidence", value).thousandths()) / 1000.0
            }
            None => 0.8,
        };
        let jurisdictions = self.read_jurisdictions(document, &names, &bounds);
        AgeBands::new(names, bounds, jurisdictions, unknown, inferred_confidence)
    }

    fn usable_minors(&mut self, minors: Vec<(String, u32)>, at: Position) -> Vec<(String, u32)> {
        let ascending = minors.windows(2).all(|pair| pair[0].1 < pair[1].1);
        if minors.is_empty() || minors.len() > MAX_MINOR_BANDS || !ascending {
            self.refuse(
                "T105",
                at,
                format!("minors needs 1 to {MAX_MINOR_BANDS} bands with rising bounds"),
                "list the bands from the youngest, each with a higher `below`",
            );
            return vec![("minor".to_owned(), 18)];
        }
        minors
    }

    fn require_distinct_bands(&mut self, names: &[Arc<str>], at: Position) {
        for (place, name) in names.iter().enumerate() {
            if !is_word(name, "_") || names[..place].contains(name) {
                let message = format!("{name:?} is no band name, or is used twice");
                self.refuse("T105", at, message, "use a-z, 0-9 and _, each name once");
            }
        }
    }

    fn unknown_band(&mut self, document: &AgeDocument, minors: &[Arc<str>]) -> super::Band {
        let default = usize::from(minors.len() > 1);
        let Some(name) = &document.unknown else {
            return super::Band(default as u8);
        };
        let place = minors.iter().position(|band| **band == **name.get_ref());
        if place.is_none() {
            let at = self.at(name);
            self.refuse(
                "T105",
                at,
                format!("unknown = {:?} is not a band of minors", name.get_ref()),
                format!("use one of {}", minors.join(", ")),
            );
        }
        super::Band(place.unwrap_or(default) as u8)
    }

    fn read_jurisdictions(
        &mut self,
        document: &AgeDocument,
        names: &[Arc<str>],
        bounds: &[u32],
    ) -> BTreeMap<Region, Vec<u32>> {
        let mut jurisdictions = BTreeMap::new();
        for (code, table) in &document.jurisdictions {
            let at = self.at(table);
            let fix = "use an ISO 3166 code such as KR or US-CA";
            let Some(region) = self.checked("T109", at, Region::new(code), fix) else {
                continue;
            };
            let mut local = bounds.to_vec();
            for (name, below) in table.get_ref() {
                match names[..bounds.len()]
                    .iter()
                    .position(|band| **band == **name)
                {
                    Some(place) => local[place] = *below,
                    None => {
                        let message = format!("{name:?} is not a band of minors");
                        self.refuse("T108", at, message, "name a band of age.minors");
                    }
                }
            }
            if local.windows(2).any(|pair| pair[0] > pair[1]) {
                let message = format!("the bounds in {region} do not rise: {local:?}");
                self.refuse("T105", at, message, "raise the later bounds too");
            }
            if jurisdictions.insert(region, local).is_some() {
                let message = format!("bounds for {region} are given twice");
                self.refuse("T109", at, message, "write them once");
            }
        }
        jurisdictions
    }
}

fn band(document: &BandDocument) -> (String, u32) {
    (document.name.clone(), document.below)
}

fn named(written: &Option<Spanned<String>>, default: &str) -> String {
    written
        .as_ref()
        .map_or(default, |name| name.get_ref())
        .to_owned()
}

/// Returns whether a name has only `a-z`, `0-9` and the given other characters, and at least one.
pub(super) fn is_word(name: &str, others: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || others.contains(c))
}

/// Returns the listed word that shares the longest beginning with a mistaken one.
fn nearest<'a>(word: &str, list: &[&'a str]) -> &'a str {
    let upper = word.to_ascii_uppercase();
    let upper = upper
        .trim_start_matches("STATEMENT_CATEGORY_")
        .trim_start_matches("KEYWORD_");
    let shared = |known: &&&str| {
        known
            .bytes()
            .zip(upper.bytes())
            .take_while(|(a, b)| a == b)
            .count()
    };
    list.iter().max_by_key(shared).copied().unwrap_or_default()
}

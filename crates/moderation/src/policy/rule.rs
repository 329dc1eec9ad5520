//! A policy that has the form of one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::{AgeBands, Band, Position};
use crate::{
    ActionKind, EventKind, Label, Language, OnMissing, Region, RuleId, RuleMode, Score,
    Sensitivity, Severity, Surface, Timestamp,
};

/// A policy, read and checked for form.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// What people call it.
    pub name: String,
    /// What content may be about.
    pub categories: Vec<Category>,
    /// How ages are read.
    pub age: AgeBands,
    /// What is done, in the document's order.
    pub rules: Vec<Rule>,
}

/// What content may be about.
#[derive(Clone, Debug, PartialEq)]
pub struct Category {
    /// Its name, with its parents before it: `harassment/threat`.
    pub id: Arc<str>,
    /// What people call it.
    pub title: String,
    /// The labels that speak of it.
    pub labels: Vec<Label>,
    /// Statement category of the EU transparency database.
    pub dsa_category: String,
    /// Keywords of the same.
    pub dsa_keywords: Vec<String>,
    /// How harmful looking may be for a reviewer.
    pub sensitivity: Sensitivity,
    /// Where it is declared.
    pub position: Position,
}

impl Category {
    /// Returns whether a rule about `wider` is also about this category.
    pub fn is_within(&self, wider: &str) -> bool {
        self.id
            .strip_prefix(wider)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// What is done about a category.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name.
    pub id: RuleId,
    /// Whose concern it is.
    pub issue: Arc<str>,
    /// What it does, in a sentence.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// What about; declared.
    pub category: Arc<str>,
    /// Whether it acts.
    pub mode: RuleMode,
    /// Present exactly if the mode is canary.
    pub canary: Option<Canary>,
    /// From which score it matches.
    pub threshold: Score,
    /// Other thresholds in some contexts.
    pub overrides: Overrides,
    /// Upper bounds on the threshold.
    pub caps: Caps,
    /// Where it applies; empty is everywhere.
    pub surfaces: Vec<Surface>,
    /// To what it applies; empty is everything.
    pub kinds: Vec<EventKind>,
    /// To whom it applies; empty is everybody.
    pub authors: Vec<Band>,
    /// For whose protection it applies; empty is always.
    pub targets: Vec<Band>,
    /// What it does.
    pub actions: Vec<PolicyAction>,
    /// What it does until a person has looked.
    pub interim: Vec<PolicyAction>,
    /// Whether a person must look.
    pub review: Option<ReviewTerms>,
    /// What to do without a score.
    pub on_missing: OnMissing,
    /// What to do where the language is not known to the models.
    pub on_unsupported: OnMissing,
    /// The reason shown to users.
    pub reason: Arc<str>,
    /// From when it applies.
    pub valid_from: Option<Timestamp>,
    /// Until when, exclusively.
    pub valid_until: Option<Timestamp>,
    /// Who allowed what lint would refuse.
    pub waiver: Option<String>,
    /// Where its id is written.
    pub position: Position,
}

impl Rule {
    /// Returns whether it can act at all: live, or a canary with a share.
    pub fn acts(&self) -> bool {
        match self.mode {
            RuleMode::Live => true,
            RuleMode::Canary => self.share_thousandths() > 0,
            RuleMode::Shadow | RuleMode::Paused => false,
        }
    }

    /// Returns in how many of a thousand cases it acts.
    pub fn share_thousandths(&self) -> u16 {
        match self.mode {
            RuleMode::Live => 1000,
            RuleMode::Canary => self.canary.map_or(0, |canary| canary.share.thousandths()),
            RuleMode::Shadow | RuleMode::Paused => 0,
        }
    }
}

/// For whom a canary acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canary {
    /// In how many of a thousand cases.
    pub share: Score,
    /// Whose id is drawn.
    pub unit: CanaryUnit,
}

/// Whose id decides whether a canary acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CanaryUnit {
    /// The author's; without one, the subject's.
    Author,
    /// Any target's; without one, the subject's.
    Target,
}

/// Other thresholds in some contexts; a later field wins over an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// By surface.
    pub surface: BTreeMap<Surface, Score>,
    /// By the author's region; a subdivision wins over its country.
    pub region: BTreeMap<Region, Score>,
    /// By the part's detected language; a full tag wins over the bare language.
    pub language: BTreeMap<Language, Score>,
}

/// Upper bounds on the threshold, which nothing overrides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// By the age band of any target.
    pub target: BTreeMap<Band, Score>,
    /// By the age band of viewers.
    pub viewer: BTreeMap<Band, Score>,
}

/// Something that a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyAction {
    /// What.
    pub kind: ActionKind,
    /// To what.
    pub subject: ActionSubject,
    /// For how long; absent is for good.
    pub duration: Option<Duration>,
    /// Where; empty is everywhere.
    pub territories: Vec<Region>,
    /// Which label.
    pub label: Option<String>,
    /// Which feature.
    pub feature: Option<String>,
}

/// What an action is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionSubject {
    /// What the event is about.
    Content,
    /// The author's account.
    Author,
    /// What the event is about, for each target.
    #[serde(skip)]
    ContentForTarget,
    /// The author's account, for each target.
    #[serde(skip)]
    AuthorForTarget,
    /// Each target's account, for itself.
    #[serde(skip)]
    Target,
}

/// How a person must look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReviewTerms {
    /// How long after the event; absent is whenever there is time.
    pub due_in: Option<Duration>,
}

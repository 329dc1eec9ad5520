//! A policy document as it is written: every key there is, and nothing else.
//!
//! Probabilities (thresholds, caps, shares) are decimals from 0 to 1 with at most three digits. Durations are written like
//! `"24h"` or `"30d"`. Points in time are TOML date-times with an offset.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use crate::{ActionKind, EventKind, OnMissing, RuleMode, Sensitivity, Severity, Surface};

/// Numbers by name, such as overrides by surface or caps by age band.
pub(super) type Numbers = BTreeMap<String, Spanned<f64>>;

/// The whole document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// Version of this format: 1.
    pub(super) schema: Spanned<u32>,
    /// What people call the policy.
    pub(super) name: Spanned<String>,
    /// Age bands. May be left out; the defaults are those of [`AgeDocument`].
    #[serde(default)]
    pub(super) age: AgeDocument,
    /// What content may be about.
    #[serde(default)]
    pub(super) categories: Vec<CategoryDocument>,
    /// What is done about it. Their order is the order in which decisions list them, and decides nothing else.
    #[serde(default)]
    pub(super) rules: Vec<RuleDocument>,
}

/// How ages are read.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgeDocument {
    /// Bands of minors, youngest first. Default: `under_13` below 13, `13_15` below 16, `16_17` below 18.
    pub(super) minors: Option<Spanned<Vec<BandDocument>>>,
    /// The name of the band of adults whose age was checked. Default: `adult`.
    pub(super) adult: Option<Spanned<String>>,
    /// The name of the band of adults whose age was not checked. Default: `adult_unassured`.
    pub(super) unassured_adult: Option<Spanned<String>>,
    /// The band of minors as which somebody of unknown age is protected. Default: the second youngest (accounts below the
    /// age of digital consent may not exist on most services, so the youngest band is rarely who it is).
    pub(super) unknown: Option<Spanned<String>>,
    /// How sure a model must be of an age before it counts, 0 to 1. Default: 0.8.
    pub(super) inferred_confidence: Option<Spanned<f64>>,
    /// Other bounds by country or subdivision, such as `KR = { "16_17" = 19 }`. The bound of the youngest band is the age
    /// of digital consent there, the bound of the last one the age of majority.
    #[serde(default)]
    pub(super) jurisdictions: BTreeMap<String, Spanned<BTreeMap<String, u32>>>,
}

/// A band of minors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BandDocument {
    /// What decisions and caps call it.
    pub(super) name: String,
    /// Whole years; whoever is younger, and too old for the band before, is in it.
    pub(super) below: u32,
}

/// What content may be about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CategoryDocument {
    /// Words of `a-z 0-9 _` joined by `/`, the wider first, such as `harassment/threat`. A rule about a category is also about
    /// those below it.
    pub(super) id: Spanned<String>,
    /// What people call it.
    pub(super) title: String,
    /// The labels of models that speak of it. A label belongs to one category.
    #[serde(default)]
    pub(super) labels: Vec<Spanned<String>>,
    /// The statement category of the EU transparency database, such as `CYBER_VIOLENCE`.
    pub(super) dsa_category: Spanned<String>,
    /// Keywords of the same, such as `HATE_SPEECH`.
    #[serde(default)]
    pub(super) dsa_keywords: Vec<Spanned<String>>,
    /// How harmful looking may be for a reviewer: `ordinary`, `graphic` or `restricted`. Default: `ordinary`.
    pub(super) sensitivity: Option<Sensitivity>,
}

/// What is done about a category.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleDocument {
    /// What decisions, metrics and commands call it: `a-z 0-9 _ -`.
    pub(super) id: Spanned<String>,
    /// Whose concern it is, such as `bullying-harassment`.
    pub(super) issue: String,
    /// What it does, in a sentence.
    pub(super) title: String,
    /// `low`, `medium`, `high` or `critical`.
    pub(super) severity: Severity,
    /// A declared category.
    pub(super) category: Spanned<String>,
    /// `shadow` (records what it would do), `canary` (acts for a share), `live` or `paused`.
    pub(super) mode: Spanned<RuleMode>,
    /// For whom a canary acts.
    pub(super) canary: Option<Spanned<CanaryDocument>>,
    /// The score from which it matches.
    pub(super) threshold: Spanned<f64>,
    /// Other thresholds in some contexts.
    #[serde(default)]
    pub(super) overrides: OverridesDocument,
    /// Upper bounds on the threshold that protect somebody. They come after the overrides, and nothing overrides a cap.
    #[serde(default)]
    pub(super) caps: CapsDocument,
    /// Surfaces where it applies. Default: all.
    pub(super) surfaces: Option<Spanned<Vec<Surface>>>,
    /// Kinds of event to which it applies. Default: all.
    pub(super) kinds: Option<Spanned<Vec<EventKind>>>,
    /// Age bands of authors to whom it applies. Default: all.
    pub(super) authors: Option<Spanned<Vec<String>>>,
    /// Applies only if a target is in one of these age bands. Default: with any or no target.
    pub(super) targets: Option<Spanned<Vec<String>>>,
    /// What it does.
    #[serde(default)]
    pub(super) actions: Vec<Spanned<ActionDocument>>,
    /// What it does until a person has looked, where `on_missing = "interim"` and there is no score.
    #[serde(default)]
    pub(super) interim: Vec<Spanned<ActionDocument>>,
    /// Whether a person must look: `true`, `false` or `{ due_in = "24h" }`. Default: `false`.
    #[serde(default)]
    pub(super) review: ReviewDocument,
    /// What to do where a score should be but is not: `review`, `interim` (act, and review) or `allow`.
    pub(super) on_missing: Spanned<OnMissing>,
    /// The same where the models do not know the language. Default: as `on_missing`.
    pub(super) on_unsupported: Option<Spanned<OnMissing>>,
    /// The code of the reason shown to users: `a-z 0-9 _ - .`.
    pub(super) reason: Option<Spanned<String>>,
    /// From when it applies, by the event's evaluation time. Default: always.
    pub(super) valid_from: Option<Spanned<Datetime>>,
    /// Until when, exclusively. Default: always.
    pub(super) valid_until: Option<Spanned<Datetime>>,
    /// Who allowed what lint would refuse, and where that is written down.
    pub(super) waiver: Option<Spanned<String>>,
}

/// For whom a canary acts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CanaryDocument {
    /// The share, 0 to 1.
    pub(super) share: f64,
    /// Whose id is drawn: `author` or `target`.
    pub(super) unit: super::CanaryUnit,
}

/// Other thresholds in some contexts. Where several apply, language wins over region and region over surface; a subdivision
/// wins over its country, and a full language tag over the bare language.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OverridesDocument {
    /// By surface.
    #[serde(default)]
    pub(super) surface: BTreeMap<Surface, Spanned<f64>>,
    /// By the author's country (`DE`) or subdivision (`US-CA`).
    #[serde(default)]
    pub(super) region: Numbers,
    /// By the detected language of the part that is judged.
    #[serde(default)]
    pub(super) language: Numbers,
}

/// Upper bounds on the threshold by age band.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CapsDocument {
    /// By the age band of any target.
    #[serde(default)]
    pub(super) target: Numbers,
    /// By the age band of viewers.
    #[serde(default)]
    pub(super) viewer: Numbers,
}

/// Something to do.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActionDocument {
    /// What.
    pub(super) kind: ActionKind,
    /// To what: `content` (what the event is about; where that is an account, a person is asked instead) or `author`. Account kinds are always done to the author, `limit_contact` to the author for each
    /// target, `filter_for_target` to the content for each target, `notify_target` and `offer_support` to each target.
    pub(super) on: Option<super::ActionSubject>,
    /// For how long. Default: for good.
    #[serde(rename = "for")]
    pub(super) duration: Option<String>,
    /// Where: ISO 3166 codes. Default: everywhere; `disable` needs it.
    #[serde(default)]
    pub(super) territories: Vec<String>,
    /// Which label is shown, with kind `label` (required) or `interstitial`.
    pub(super) label: Option<String>,
    /// Which feature is taken away, with kind `restrict_feature` (required).
    pub(super) feature: Option<String>,
}

/// Whether a person must look.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected true, false or a table with `due_in`, such as { due_in = \"24h\" }"
)]
pub(super) enum ReviewDocument {
    /// Yes or no.
    Asked(bool),
    /// Yes, by a time.
    Terms(ReviewTermsDocument),
}

impl Default for ReviewDocument {
    fn default() -> Self {
        Self::Asked(false)
    }
}

/// How a person must look.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReviewTermsDocument {
    /// How long after the event.
    pub(super) due_in: String,
}

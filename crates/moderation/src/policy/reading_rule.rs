//! From a rule as it is written to a rule.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use toml::Spanned;
use toml::value::{Datetime, Offset};

use super::document::{CapsDocument, OverridesDocument, ReviewDocument, RuleDocument};
use super::reading::{Reader, is_word};
use super::reading_action::read_actions;
use super::{AgeBands, Band, Canary, Caps, Category, Overrides, Position, ReviewTerms, Rule};
use crate::{Language, OnMissing, Region, RuleId, RuleMode, Score, Timestamp};

/// Reads one rule; `None` where it has no usable id.
pub(super) fn read_rule(
    reader: &mut Reader<'_>,
    document: RuleDocument,
    categories: &[Category],
    age: &AgeBands,
) -> Option<Rule> {
    let position = reader.at(&document.id);
    let id = read_id(reader, document.id.get_ref(), position)?;
    let category = read_category(reader, &document.category, categories);
    let canary = read_canary(reader, &document);
    let review = read_review(reader, &document.review, position);
    let actions = read_actions(reader, &document.actions);
    let interim = read_actions(reader, &document.interim);
    let on_missing = *document.on_missing.get_ref();
    let on_unsupported = document
        .on_unsupported
        .as_ref()
        .map_or(on_missing, |value| *value.get_ref());
    let rule = Rule {
        id,
        issue: document.issue.as_str().into(),
        title: document.title.clone(),
        severity: document.severity,
        category,
        mode: *document.mode.get_ref(),
        canary,
        threshold: reader.thousandths("threshold", &document.threshold),
        overrides: read_overrides(reader, &document.overrides),
        caps: read_caps(reader, &document.caps, age),
        surfaces: read_list(reader, "surfaces", document.surfaces.as_ref()),
        kinds: read_list(reader, "kinds", document.kinds.as_ref()),
        authors: read_bands(reader, document.authors.as_ref(), age),
        targets: read_bands(reader, document.targets.as_ref(), age),
        actions,
        interim,
        review,
        on_missing,
        on_unsupported,
        reason: read_reason(reader, document.reason.as_ref(), position),
        valid_from: read_time(reader, document.valid_from.as_ref()),
        valid_until: read_time(reader, document.valid_until.as_ref()),
        waiver: read_waiver(reader, document.waiver.as_ref()),
        position,
    };
    require_sense(reader, &rule);
    Some(rule)
}

fn require_sense(reader: &mut Reader<'_>, rule: &Rule) {
    let wants_interim = [rule.on_missing, rule.on_unsupported].contains(&OnMissing::Interim);
    if wants_interim && rule.interim.is_empty() {
        let message = format!("rule {} has no interim action to take", rule.id);
        reader.refuse(
            "T114",
            rule.position,
            message,
            "add interim = [...], or choose review",
        );
    }
    if rule.actions.is_empty() && rule.review.is_none() {
        let message = format!("rule {} does nothing", rule.id);
        reader.refuse(
            "T115",
            rule.position,
            message,
            "add actions, or review = true",
        );
    }
    if let (Some(from), Some(until)) = (rule.valid_from, rule.valid_until)
        && from >= until
    {
        let message = format!("rule {} ends before it begins", rule.id);
        reader.refuse(
            "T112",
            rule.position,
            message,
            "set valid_until after valid_from",
        );
    }
}

fn read_id(reader: &mut Reader<'_>, id: &str, at: Position) -> Option<RuleId> {
    if !is_word(id, "_-") {
        reader.refuse(
            "T116",
            at,
            format!("{id:?} is not a rule id"),
            "use up to 64 of a-z, 0-9, _ and -",
        );
        return None;
    }
    RuleId::new(id).ok()
}

fn read_category(
    reader: &mut Reader<'_>,
    written: &Spanned<String>,
    categories: &[Category],
) -> Arc<str> {
    let known = categories
        .iter()
        .find(|category| *category.id == **written.get_ref());
    if let Some(category) = known {
        return category.id.clone();
    }
    let declared: Vec<&str> = categories.iter().map(|category| &*category.id).collect();
    let at = reader.at(written);
    reader.refuse(
        "T106",
        at,
        format!("category {:?} is not declared", written.get_ref()),
        format!("declare it, or use one of {}", declared.join(", ")),
    );
    written.get_ref().as_str().into()
}

fn read_canary(reader: &mut Reader<'_>, document: &RuleDocument) -> Option<Canary> {
    let is_canary = *document.mode.get_ref() == RuleMode::Canary;
    match &document.canary {
        Some(canary) if is_canary => {
            let at = reader.at(canary);
            let share = reader.number("share", canary.get_ref().share, at);
            if share == Score::MIN {
                reader.refuse(
                    "T113",
                    at,
                    "the canary's share is 0",
                    "raise it, or use mode shadow",
                );
            }
            Some(Canary {
                share,
                unit: canary.get_ref().unit,
            })
        }
        // Kept for the day when the mode changes back; nothing reads it until then.
        Some(_) => None,
        None if is_canary => {
            let at = reader.at(&document.mode);
            reader.refuse(
                "T113",
                at,
                "a canary needs a share",
                "add canary = { share = 0.05, unit = \"author\" }",
            );
            None
        }
        None => None,
    }
}

fn read_review(
    reader: &mut Reader<'_>,
    document: &ReviewDocument,
    at: Position,
) -> Option<ReviewTerms> {
    match document {
        ReviewDocument::Asked(false) => None,
        ReviewDocument::Asked(true) => Some(ReviewTerms::default()),
        ReviewDocument::Terms(terms) => Some(ReviewTerms {
            due_in: read_duration(reader, &terms.due_in, at),
        }),
    }
}

pub(super) fn read_duration(
    reader: &mut Reader<'_>,
    written: &str,
    at: Position,
) -> Option<Duration> {
    let fix = "write it like \"24h\" or \"30d\"";
    let duration = humantime::parse_duration(written);
    let duration = reader.checked("T112", at, duration, fix)?;
    if duration.is_zero() {
        reader.refuse("T112", at, "a duration of nothing", fix);
    }
    Some(duration)
}

fn read_overrides(reader: &mut Reader<'_>, document: &OverridesDocument) -> Overrides {
    let mut overrides = Overrides::default();
    for (surface, value) in &document.surface {
        let score = reader.thousandths("override", value);
        overrides.surface.insert(*surface, score);
    }
    for (code, value) in &document.region {
        let score = reader.thousandths("override", value);
        let at = reader.at(value);
        let fix = "use an ISO 3166 code such as DE or US-CA";
        if let Some(region) = reader.checked("T109", at, Region::new(code), fix)
            && overrides.region.insert(region, score).is_some()
        {
            refuse_second(reader, at, region.as_str());
        }
    }
    for (tag, value) in &document.language {
        let score = reader.thousandths("override", value);
        let at = reader.at(value);
        let fix = "use a BCP 47 tag such as de or zh-hant";
        if let Some(language) = reader.checked("T109", at, Language::new(tag), fix)
            && overrides.language.insert(language, score).is_some()
        {
            refuse_second(reader, at, language.as_str());
        }
    }
    overrides
}

/// Codes that differ in case, or in what is left out of a long one, are the same: neither number may win in silence.
fn refuse_second(reader: &mut Reader<'_>, at: Position, code: &str) {
    let message = format!("a second override for {code}");
    reader.refuse("T109", at, message, "write one number for each");
}

fn read_caps(reader: &mut Reader<'_>, document: &CapsDocument, age: &AgeBands) -> Caps {
    let mut read = |numbers: &super::document::Numbers| {
        let mut caps = BTreeMap::new();
        for (name, value) in numbers {
            let score = reader.thousandths("cap", value);
            let at = reader.at(value);
            if let Some(band) = find_band(reader, name, at, age) {
                caps.insert(band, score);
            }
        }
        caps
    };
    Caps {
        target: read(&document.target),
        viewer: read(&document.viewer),
    }
}

fn find_band(reader: &mut Reader<'_>, name: &str, at: Position, age: &AgeBands) -> Option<Band> {
    let band = age.find(name);
    if band.is_none() {
        let known: Vec<&str> = age.all().map(|band| &**age.name(band)).collect();
        reader.refuse(
            "T108",
            at,
            format!("{name:?} is not an age band"),
            format!("use one of {}", known.join(", ")),
        );
    }
    band
}

fn read_bands(
    reader: &mut Reader<'_>,
    written: Option<&Spanned<Vec<String>>>,
    age: &AgeBands,
) -> Vec<Band> {
    let names = read_list(reader, "age bands", written);
    let at = written.map_or(Position::default(), |list| reader.at(list));
    let mut bands: Vec<Band> = names
        .iter()
        .filter_map(|name| find_band(reader, name, at, age))
        .collect();
    bands.sort_unstable();
    bands.dedup();
    bands
}

/// Reads a list of what a rule is about. An empty one would mean nothing to its author and everything to us.
fn read_list<T: Clone>(
    reader: &mut Reader<'_>,
    what: &str,
    written: Option<&Spanned<Vec<T>>>,
) -> Vec<T> {
    let Some(list) = written else {
        return Vec::new();
    };
    if list.get_ref().is_empty() {
        let at = reader.at(list);
        let message = format!("the list of {what} is empty");
        reader.refuse("T116", at, message, "leave it out to mean all");
    }
    list.get_ref().clone()
}

fn read_reason(
    reader: &mut Reader<'_>,
    written: Option<&Spanned<String>>,
    rule: Position,
) -> Arc<str> {
    let code = written.map_or("", |reason| reason.get_ref());
    if !is_word(code, "_-.") {
        let at = written.map_or(rule, |reason| reader.at(reason));
        reader.refuse(
            "T111",
            at,
            "the rule has no reason to show to users",
            "add reason = \"...\", a code of a-z, 0-9, _, - and .",
        );
    }
    code.into()
}

fn read_waiver(reader: &mut Reader<'_>, written: Option<&Spanned<String>>) -> Option<String> {
    let waiver = written?;
    if waiver.get_ref().trim().is_empty() {
        let at = reader.at(waiver);
        reader.refuse(
            "T111",
            at,
            "the waiver names nobody",
            "say who allowed it, and where",
        );
    }
    Some(waiver.get_ref().clone())
}

fn read_time(reader: &mut Reader<'_>, written: Option<&Spanned<Datetime>>) -> Option<Timestamp> {
    let written = written?;
    let at = reader.at(written);
    let time = to_timestamp(*written.get_ref());
    if time.is_none() {
        reader.refuse(
            "T112",
            at,
            "not a point in time",
            "write date, time and offset, such as 2026-03-01T00:00:00Z",
        );
    }
    time
}

fn to_timestamp(written: Datetime) -> Option<Timestamp> {
    let minutes = match written.offset? {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes),
    };
    let local = Datetime {
        date: Some(written.date?),
        time: Some(written.time?),
        offset: Some(Offset::Z),
    };
    let local: SystemTime = humantime::parse_rfc3339(&local.to_string()).ok()?;
    let millis = local.duration_since(UNIX_EPOCH).ok()?.as_millis();
    let millis = i64::try_from(millis).ok()? - minutes * 60_000;
    Some(Timestamp::from_millis(millis))
}

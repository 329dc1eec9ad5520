//! What changed between two policies, in people's words.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::{AgeBands, Band, Category, Policy, PolicyAction, Rule};
use crate::{Score, Timestamp};

/// Says what a new policy changes, a line each, such as `rule hate-review: threshold 0.920 -> 0.880`. Rules come in the new
/// policy's order, removed ones last. Nothing that decides is left out; comments and order are.
pub fn differences(old: &Policy, new: &Policy) -> Vec<String> {
    let mut lines = Vec::new();
    change(&mut lines, "policy", "name", &old.name, &new.name);
    if old.age != new.age {
        lines.push("age: bands, bounds or readings changed".to_owned());
    }
    compare_categories(&mut lines, old, new);
    for rule in &new.rules {
        match old.rules.iter().find(|known| known.id == rule.id) {
            Some(known) => compare_rules(&mut lines, (known, &old.age), (rule, &new.age)),
            None => lines.push(format!(
                "rule {}: added ({}, {} at {})",
                rule.id, rule.mode, rule.category, rule.threshold
            )),
        }
    }
    for rule in &old.rules {
        if !new.rules.iter().any(|known| known.id == rule.id) {
            lines.push(format!("rule {}: removed (was {})", rule.id, rule.mode));
        }
    }
    lines
}

fn change<T: PartialEq + Display>(
    lines: &mut Vec<String>,
    what: &str,
    field: &str,
    old: T,
    new: T,
) {
    if old != new {
        lines.push(format!("{what}: {field} {old} -> {new}"));
    }
}

fn compare_categories(lines: &mut Vec<String>, old: &Policy, new: &Policy) {
    for category in &new.categories {
        let what = format!("category {}", category.id);
        match old.categories.iter().find(|known| known.id == category.id) {
            None => lines.push(format!("{what}: added")),
            Some(known) => {
                change(lines, &what, "labels", labels(known), labels(category));
                change(lines, &what, "title", &known.title, &category.title);
                change(
                    lines,
                    &what,
                    "statement category",
                    statement(known),
                    statement(category),
                );
                change(
                    lines,
                    &what,
                    "sensitivity",
                    known.sensitivity,
                    category.sensitivity,
                );
            }
        }
    }
    for category in &old.categories {
        if !new.categories.iter().any(|known| known.id == category.id) {
            lines.push(format!("category {}: removed", category.id));
        }
    }
}

fn labels(category: &Category) -> String {
    listed(category.labels.iter())
}

fn statement(category: &Category) -> String {
    format!(
        "{} ({})",
        category.dsa_category,
        category.dsa_keywords.join(", ")
    )
}

fn compare_rules(lines: &mut Vec<String>, old: (&Rule, &AgeBands), new: (&Rule, &AgeBands)) {
    let ((old, old_age), (new, new_age)) = (old, new);
    let what = format!("rule {}", new.id);
    let mut field = |name: &str, old: String, new: String| change(lines, &what, name, old, new);
    field("mode", mode(old), mode(new));
    field(
        "threshold",
        old.threshold.to_string(),
        new.threshold.to_string(),
    );
    for (layer, before, after) in layers(old, old_age, new, new_age) {
        field(&layer, score(before), score(after));
    }
    field(
        "severity",
        old.severity.to_string(),
        new.severity.to_string(),
    );
    field(
        "category",
        old.category.to_string(),
        new.category.to_string(),
    );
    field("issue", old.issue.to_string(), new.issue.to_string());
    field("title", old.title.clone(), new.title.clone());
    field(
        "surfaces",
        all_or(old.surfaces.iter()),
        all_or(new.surfaces.iter()),
    );
    field("kinds", all_or(old.kinds.iter()), all_or(new.kinds.iter()));
    field(
        "authors",
        bands(&old.authors, old_age),
        bands(&new.authors, new_age),
    );
    field(
        "targets",
        bands(&old.targets, old_age),
        bands(&new.targets, new_age),
    );
    field("actions", actions(&old.actions), actions(&new.actions));
    field(
        "interim actions",
        actions(&old.interim),
        actions(&new.interim),
    );
    field("review", review(old), review(new));
    field(
        "on_missing",
        old.on_missing.to_string(),
        new.on_missing.to_string(),
    );
    field(
        "on_unsupported",
        old.on_unsupported.to_string(),
        new.on_unsupported.to_string(),
    );
    field("reason", old.reason.to_string(), new.reason.to_string());
    field("valid from", time(old.valid_from), time(new.valid_from));
    field("valid until", time(old.valid_until), time(new.valid_until));
    field("waiver", text(&old.waiver), text(&new.waiver));
}

/// Returns every override and cap of either rule, named as decisions name them.
fn layers(
    old: &Rule,
    old_age: &AgeBands,
    new: &Rule,
    new_age: &AgeBands,
) -> Vec<(String, Option<Score>, Option<Score>)> {
    let before = layers_of(old, old_age);
    let after = layers_of(new, new_age);
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .map(|name| {
            (
                name.clone(),
                before.get(name).copied(),
                after.get(name).copied(),
            )
        })
        .collect()
}

/// Returns the overrides and caps of a rule, named as decisions name them.
pub(super) fn layers_of(rule: &Rule, age: &AgeBands) -> BTreeMap<String, Score> {
    let overrides = &rule.overrides;
    let surfaces = overrides.surface.iter();
    let regions = overrides.region.iter();
    let languages = overrides.language.iter();
    let cap = |role: &'static str| {
        move |(band, score): (&Band, &Score)| (format!("cap:{role}={}", age.name(*band)), *score)
    };
    surfaces
        .map(|(surface, score)| (format!("surface={surface}"), *score))
        .chain(regions.map(|(region, score)| (format!("region={region}"), *score)))
        .chain(languages.map(|(language, score)| (format!("language={language}"), *score)))
        .chain(rule.caps.target.iter().map(cap("target")))
        .chain(rule.caps.viewer.iter().map(cap("viewer")))
        .collect()
}

fn mode(rule: &Rule) -> String {
    match rule.canary {
        Some(canary) => {
            let unit = format!("{:?}", canary.unit).to_lowercase();
            format!("{} ({} by {unit})", rule.mode, canary.share)
        }
        None => rule.mode.to_string(),
    }
}

fn score(score: Option<Score>) -> String {
    score.map_or("none".to_owned(), |score| score.to_string())
}

fn time(time: Option<Timestamp>) -> String {
    time.map_or("always".to_owned(), |time| time.to_string())
}

fn text(text: &Option<String>) -> String {
    text.as_ref()
        .map_or("none".to_owned(), |text| format!("{text:?}"))
}

fn review(rule: &Rule) -> String {
    match rule.review {
        None => "none".to_owned(),
        Some(terms) => match terms.due_in {
            None => "asked".to_owned(),
            Some(due_in) => format!("due in {}", humantime::format_duration(due_in)),
        },
    }
}

fn listed<T: Display>(items: impl Iterator<Item = T>) -> String {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}

fn all_or<T: Display>(items: impl ExactSizeIterator<Item = T>) -> String {
    if items.len() == 0 {
        "all".to_owned()
    } else {
        listed(items)
    }
}

fn bands(bands: &[Band], age: &AgeBands) -> String {
    all_or(bands.iter().map(|band| age.name(*band)))
}

fn actions(actions: &[PolicyAction]) -> String {
    listed(actions.iter().map(action))
}

fn action(action: &PolicyAction) -> String {
    let mut words = vec![action.kind.to_string()];
    if action.subject == super::ActionSubject::Author {
        words.push("on author".to_owned());
    }
    words.extend(action.label.iter().chain(&action.feature).cloned());
    if !action.territories.is_empty() {
        words.push(format!("in {}", listed(action.territories.iter())));
    }
    if let Some(duration) = action.duration {
        words.push(format!("for {}", humantime::format_duration(duration)));
    }
    words.join(" ")
}

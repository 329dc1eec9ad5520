//! Changing one number of a document and nothing else.

use toml_edit::{DocumentMut, Item, TableLike, value};

use super::difference::layers_of;
use super::{Finding, Policy};
use crate::{RuleId, Score};

/// Why a threshold was not set.
#[derive(Debug, thiserror::Error)]
pub enum SetThresholdError {
    /// The document itself is no policy.
    #[error("the document is not a policy: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Document(Vec<Finding>),
    /// No rule has that id.
    #[error("no rule is called {rule}; there are {known}")]
    UnknownRule {
        /// What was asked for.
        rule: RuleId,
        /// The rules there are.
        known: String,
    },
    /// The rule has no such override or cap.
    #[error("rule {rule} has no layer {layer:?}; it has {known}")]
    UnknownLayer {
        /// Which rule.
        rule: RuleId,
        /// What was asked for.
        layer: String,
        /// The layers it has.
        known: String,
    },
}

/// Sets the base threshold (`layer` empty or `base`), or an override or cap that the rule already has, named as decisions
/// name it: `surface=comment`, `region=DE`, `language=de`, `cap:target=13_15`. Comments, order and spacing stay.
///
/// # Errors
/// Names what the document lacks. What the change makes of the policy is for [`lint`](super::lint()) to say.
pub fn set_threshold(
    document: &str,
    rule_id: &RuleId,
    layer: &str,
    threshold: Score,
) -> Result<String, SetThresholdError> {
    let policy = Policy::parse(document).map_err(SetThresholdError::Document)?;
    let place = policy.rules.iter().position(|rule| rule.id == *rule_id);
    let place = place.ok_or_else(|| SetThresholdError::UnknownRule {
        rule: rule_id.clone(),
        known: words(policy.rules.iter().map(|rule| rule.id.to_string())),
    })?;
    let mut edited: DocumentMut = document.parse().map_err(not_toml)?;
    let number = rule_mut(&mut edited, place).and_then(|rule| number_mut(rule, layer));
    let number = number.ok_or_else(|| SetThresholdError::UnknownLayer {
        rule: rule_id.clone(),
        layer: layer.to_owned(),
        known: words(
            std::iter::once("base".to_owned())
                .chain(layers_of(&policy.rules[place], &policy.age).into_keys()),
        ),
    })?;
    replace(number, threshold);
    Ok(edited.to_string())
}

fn words(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

fn not_toml(error: toml_edit::TomlError) -> SetThresholdError {
    SetThresholdError::Document(vec![Finding::error(
        "T101",
        super::Position::default(),
        error.message(),
        "write TOML",
    )])
}

/// Rules are an array of tables, or an array of inline tables.
fn rule_mut(document: &mut DocumentMut, place: usize) -> Option<&mut dyn TableLike> {
    match document.get_mut("rules")? {
        Item::ArrayOfTables(rules) => Some(rules.get_mut(place)?),
        Item::Value(rules) => Some(
            rules
                .as_array_mut()?
                .get_mut(place)?
                .as_inline_table_mut()?,
        ),
        _ => None,
    }
}

fn number_mut<'a>(rule: &'a mut dyn TableLike, layer: &str) -> Option<&'a mut Item> {
    let (outer, layer) = match layer.strip_prefix("cap:") {
        Some(layer) => ("caps", layer),
        None => ("overrides", layer),
    };
    if matches!(layer, "" | "base") && outer == "overrides" {
        return rule.get_mut("threshold");
    }
    let (kind, name) = layer.split_once('=')?;
    let numbers = rule.get_mut(outer)?.get_mut(kind)?.as_table_like_mut()?;
    // Regions and languages may be written in either case; decisions name them in their own.
    let key = numbers
        .iter()
        .map(|(key, _)| key.to_owned())
        .find(|key| key.eq_ignore_ascii_case(name))?;
    numbers.get_mut(&key)
}

/// Replaces the number and keeps the spaces and the comment around it.
fn replace(number: &mut Item, threshold: Score) {
    let decor = number.as_value().map(|old| old.decor().clone());
    let mut new = value(f64::from(threshold.thousandths()) / 1000.0);
    if let (Some(decor), Some(value)) = (decor, new.as_value_mut()) {
        *value.decor_mut() = decor;
    }
    *number = new;
}

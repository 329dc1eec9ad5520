//! `golden.jsonl`: texts whose scores are known, to prove on every machine that a model answers as it did at home.

use std::path::Path;

use moderation::UserText;
use serde::Deserialize;

use super::{BundleError, Manifest};

/// A text whose scores are known.
#[derive(Clone, Debug)]
pub struct GoldenText {
    /// What to call it in messages.
    pub name: String,
    /// What is scored.
    pub text: UserText,
    /// The language that it was labelled with.
    pub language: String,
    /// Windows that it is cut into; 0 where there is nothing to score.
    pub windows: usize,
    /// The greatest output over the windows, by label; empty where there is nothing to score.
    pub logits: Vec<f32>,
    /// The calibrated probabilities of these.
    pub scores: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    language: String,
    text: String,
    windows: usize,
    logits: Vec<f32>,
    scores: Vec<f64>,
}

pub(super) fn parse(
    path: &Path,
    content: &[u8],
    manifest: &Manifest,
) -> Result<Vec<GoldenText>, BundleError> {
    let refuse = |line: usize, problem: String| BundleError::Golden {
        path: path.to_owned(),
        line,
        problem,
    };
    let text = std::str::from_utf8(content).map_err(|_| refuse(1, "is not UTF-8".to_owned()))?;
    let golden: Vec<GoldenText> = text
        .lines()
        .enumerate()
        .map(|(index, line)| {
            parse_line(line, manifest.labels.len()).map_err(|problem| refuse(index + 1, problem))
        })
        .collect::<Result<_, _>>()?;
    if golden.iter().all(|text| text.windows == 0) {
        return Err(refuse(1, "there is no text with a score".to_owned()));
    }
    Ok(golden)
}

fn parse_line(line: &str, labels: usize) -> Result<GoldenText, String> {
    // The parser's own message may quote the text.
    let line: Line = serde_json::from_str(line).map_err(|error| {
        format!(
            "no object with name, language, text, windows, logits and scores (column {})",
            error.column()
        )
    })?;
    let expected = if line.windows == 0 { 0 } else { labels };
    for (key, found) in [("logits", line.logits.len()), ("scores", line.scores.len())] {
        if found != expected {
            return Err(format!("{key} has {found} entries instead of {expected}"));
        }
    }
    Ok(GoldenText {
        name: line.name,
        text: UserText::new(line.text),
        language: line.language,
        windows: line.windows,
        logits: line.logits,
        scores: line.scores,
    })
}

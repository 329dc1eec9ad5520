//! Scores of texts that people give by hand. The texts themselves are never printed.

use std::io::BufRead;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use inference::inspect::TextScores;
use moderation::{LabelOutcome, LabelScore, UserText};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::commands::output::{print, printable, table};

pub(crate) fn score(
    directory: &Path,
    texts: Vec<String>,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let texts = if texts.is_empty() {
        read_lines(std::io::stdin().lock())?
    } else {
        texts.into_iter().map(UserText::new).collect()
    };
    let scores = inference::inspect::score(directory, texts, None)?;
    if as_json {
        // One line a text, so that many can be read as they come.
        for (index, scores) in scores.iter().enumerate() {
            print(&scores_json(index + 1, scores).to_string())?;
        }
    } else {
        print(&scores_text(&scores))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A line of standard input.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Bare(String),
    Object { text: String },
}

fn read_lines(input: impl BufRead) -> anyhow::Result<Vec<UserText>> {
    let mut texts = Vec::new();
    for (index, line) in input.lines().enumerate() {
        let number = index + 1;
        let line = line.with_context(|| format!("line {number} of standard input"))?;
        if line.trim().is_empty() {
            continue;
        }
        if texts.len() >= MAX_TEXTS {
            bail!("standard input has more than {MAX_TEXTS} texts; give them in parts");
        }
        // The parser's own message would quote the text.
        match serde_json::from_str(&line) {
            Ok(Line::Bare(text) | Line::Object { text }) => texts.push(UserText::new(text)),
            Err(_) => bail!(
                "line {number} of standard input is neither a JSON string nor an object with a text"
            ),
        }
    }
    Ok(texts)
}

fn scores_text(scores: &[TextScores]) -> String {
    let mut rows: Vec<[String; 5]> = Vec::new();
    for (index, text) in scores.iter().enumerate() {
        let language = text
            .language
            .map(|language| language.to_string())
            .unwrap_or_default();
        for score in &text.scores {
            rows.push([
                (index + 1).to_string(),
                language.clone(),
                printable(score.label.as_str()),
                outcome_word(score),
                score.support.to_string(),
            ]);
        }
    }
    table(["TEXT", "LANGUAGE", "LABEL", "SCORE", "SUPPORT"], &rows)
}

fn scores_json(number: usize, text: &TextScores) -> Value {
    let scores = text.scores.iter().map(|score| {
        json!({
            "label": score.label.as_str(),
            "score": score.outcome.score().map(|value| f64::from(value.thousandths()) / 1000.0),
            "status": status_word(score.outcome),
            "support": score.support.as_str(),
        })
    });
    json!({
        "text": number,
        "language": text.language.map(|language| language.as_str().to_owned()),
        "windows": text.windows,
        "scores": scores.collect::<Vec<_>>(),
    })
}

fn outcome_word(score: &LabelScore) -> String {
    match score.outcome {
        LabelOutcome::Scored(value) => value.to_string(),
        other => status_word(other).to_owned(),
    }
}

fn status_word(outcome: LabelOutcome) -> &'static str {
    match outcome {
        LabelOutcome::Scored(_) => "scored",
        LabelOutcome::NotApplicable => "not_applicable",
        LabelOutcome::UnsupportedLanguage => "unsupported_language",
        LabelOutcome::Failed => "failed",
        LabelOutcome::TimedOut => "timed_out",
        LabelOutcome::SkippedByCascade => "skipped_by_cascade",
    }
}

/// All are held in memory until the last is scored.
const MAX_TEXTS: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_strings_or_objects() {
        let input = "\"one\"\n\n{\"text\": \"two\", \"id\": 7}\n";
        let texts = read_lines(input.as_bytes()).unwrap();
        let texts: Vec<&str> = texts.iter().map(UserText::expose).collect();
        assert_eq!(texts, ["one", "two"]);
    }

    #[test]
    fn a_wrong_line_is_named_and_not_shown() {
        for line in ["secret words", "{\"words\": \"secret\"}", "7"] {
            let error = read_lines(format!("\"one\"\n{line}\n").as_bytes())
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("line 2") && !error.contains("secret"),
                "{error}"
            );
        }
    }
}

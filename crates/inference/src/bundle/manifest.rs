//! `model.toml`: what a bundle says of itself.

use std::collections::BTreeMap;
use std::path::Path;

use moderation::{Label, Support};
use serde::Deserialize;

use super::BundleError;
use crate::features::FeatureConfig;

/// The version of the manifest's layout that this build reads.
const FORMAT: u32 = 1;
const MAX_LABELS: usize = 64;

/// The contents of `model.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this layout: 1.
    pub format: u32,
    /// The model's name.
    pub name: String,
    /// The model's semantic version.
    pub version: String,
    /// What kind of model it is.
    pub kind: Kind,
    /// What it says of a text, in the order of its output.
    pub labels: Vec<String>,
    /// The runtime it was made for.
    pub runtime: RuntimePin,
    /// Names of the graph's inputs.
    pub inputs: Inputs,
    /// Names of the graph's outputs.
    pub outputs: Outputs,
    /// How texts become features.
    pub features: FeatureConfig,
    /// How outputs become probabilities, for every label.
    pub calibration: BTreeMap<String, Calibration>,
    /// How closely golden texts must be met.
    pub golden: GoldenTolerance,
    /// What the model promises, by label and language; what is not listed is unsupported.
    #[serde(default)]
    pub support: Vec<SupportEntry>,
}

/// Kinds of models that this build serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Kind {
    /// Hashed word and character n-grams, summed and fed to a small network.
    #[serde(rename = "text-hashed-ngrams")]
    TextHashedNgrams,
}

impl Kind {
    /// Returns the word that manifests use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TextHashedNgrams => "text-hashed-ngrams",
        }
    }
}

/// The runtime that a bundle's scores were computed with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimePin {
    /// Version of ONNX Runtime. Another one is refused: its scores may differ.
    pub onnxruntime: String,
    /// Version of the ONNX operators.
    pub opset: u32,
}

/// Names of the inputs of a `text-hashed-ngrams` graph.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// `int32[N]`: the features of all windows, one window after the other.
    pub ids: String,
    /// `int32[N]`: the window that each feature belongs to, from 0.
    pub owners: String,
    /// `int32[B]`: the number of features of each window.
    pub lengths: String,
}

/// Names of the outputs of a `text-hashed-ngrams` graph.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outputs {
    /// `float32[B, labels]`: what the model says before calibration.
    pub logits: String,
}

/// Platt scaling: `p = 1 / (1 + exp(-(slope * logit + intercept)))`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Greater than 0.
    pub slope: f64,
    /// Any finite number.
    pub intercept: f64,
}

impl Calibration {
    pub(super) fn probability(self, logit: f32) -> f64 {
        1.0 / (1.0 + (-(self.slope * f64::from(logit) + self.intercept)).exp())
    }
}

/// How closely golden texts must be met.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenTolerance {
    /// Largest accepted deviation of a logit.
    pub logit_tolerance: f64,
}

/// What a bundle promises for one label in one language, and what the promise rests on.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupportEntry {
    /// One of the manifest's labels.
    pub label: String,
    /// A BCP 47 tag, or `und`.
    pub language: String,
    /// The promise.
    pub status: Support,
    /// Held-out texts to which the label applies.
    pub positives: u64,
    /// Held-out texts to which it does not.
    pub negatives: u64,
    /// Area under the precision-recall curve on these texts.
    #[serde(default)]
    pub auprc: Option<f64>,
}

impl Manifest {
    pub(super) fn parse(path: &Path, content: &[u8]) -> Result<Self, BundleError> {
        let refuse = |problem: String| BundleError::Manifest {
            path: path.to_owned(),
            problem,
        };
        let text = std::str::from_utf8(content).map_err(|_| refuse("is not UTF-8".to_owned()))?;
        let manifest: Self = toml::from_str(text).map_err(|error| refuse(one_line(&error)))?;
        manifest.validate().map_err(refuse)?;
        Ok(manifest)
    }

    fn validate(&self) -> Result<(), String> {
        if self.format != FORMAT {
            return Err(format!(
                "format is {}, this build reads {FORMAT}",
                self.format
            ));
        }
        for (key, value) in [("name", &self.name), ("version", &self.version)] {
            if value.is_empty() || value.len() > 128 || value.chars().any(char::is_control) {
                return Err(format!("{key} must have 1 to 128 printable characters"));
            }
        }
        let tolerance = self.golden.logit_tolerance;
        if !(0.0..=0.01).contains(&tolerance) {
            return Err(format!(
                "golden.logit_tolerance is {tolerance}, allowed is 0 to 0.01"
            ));
        }
        Ok(())
    }

    pub(super) fn label_names(&self) -> Result<Vec<Label>, String> {
        if self.labels.is_empty() || self.labels.len() > MAX_LABELS {
            return Err(format!(
                "labels has {} entries, allowed are 1 to {MAX_LABELS}",
                self.labels.len()
            ));
        }
        let mut names: Vec<Label> = Vec::new();
        for label in &self.labels {
            let name = Label::new(label.as_str()).map_err(|error| format!("labels: {error}"))?;
            if names.contains(&name) {
                return Err(format!("labels names `{name}` twice"));
            }
            names.push(name);
        }
        Ok(names)
    }

    pub(super) fn calibrations(&self) -> Result<Vec<Calibration>, String> {
        if let Some(unknown) = self
            .calibration
            .keys()
            .find(|key| !self.labels.contains(key))
        {
            return Err(format!(
                "calibration.{unknown} is for a label that labels does not name"
            ));
        }
        let calibration = |label: &String| {
            let found = self
                .calibration
                .get(label)
                .ok_or_else(|| format!("calibration.{label} is missing"))?;
            let is_usable =
                found.slope > 0.0 && found.slope.is_finite() && found.intercept.is_finite();
            is_usable.then_some(*found).ok_or_else(|| {
                format!("calibration.{label} needs a slope greater than 0 and a finite intercept")
            })
        };
        self.labels.iter().map(calibration).collect()
    }
}

/// Puts the parser's message and its place on one line.
fn one_line(error: &toml::de::Error) -> String {
    error
        .message()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

//! Bundles, deployments and events for the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use inference::bundle::Bundle;
use inference::features::{FeatureConfig, FeatureExtractor, Features, PREPROCESSING, Scratch};
use inference::{Engine, EngineConfig, Workers};
use moderation::{
    BundleRole, ContentEvent, DeployedBundle, Deployment, DirectMessageScope, Event, EventId,
    EventKind, Part, PartContent, PartId, PartOrigin, Score, Subject, SubjectId, SubjectKind,
    Surface, Timestamp, UserText,
};
use serde_json::json;
use tempfile::TempDir;

use crate::graph::{self, Quirk, ROWS, weight};

/// Languages that detection answers for the tests' texts, and that the test models support.
const LANGUAGES: [&str; 14] = [
    "en", "de", "fr", "es", "pt", "it", "nl", "sv", "tr", "vi", "id", "pl", "ru", "und",
];
const SLOPE: f64 = 1.5;
const INTERCEPT: f64 = -0.25;
const GOLDEN: [&str; 3] = ["good morning to all of you", "what a lovely day it is", ""];

/// A directory of bundles that is gone with the test.
pub(crate) struct Shelf(TempDir);

/// What a test model is like.
#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) seed: u32,
    pub(crate) labels: Vec<&'static str>,
    pub(crate) quirk: Quirk,
    pub(crate) max_windows: u32,
    pub(crate) golden: Vec<&'static str>,
}

impl Model {
    pub(crate) fn new(name: &'static str, seed: u32) -> Self {
        Self {
            name,
            seed,
            labels: vec!["harassment", "spam"],
            quirk: Quirk::None,
            max_windows: 8,
            golden: GOLDEN.to_vec(),
        }
    }

    pub(crate) fn with_labels(self, labels: &[&'static str]) -> Self {
        Self {
            labels: labels.to_vec(),
            ..self
        }
    }

    pub(crate) fn with_quirk(self, quirk: Quirk) -> Self {
        Self { quirk, ..self }
    }

    pub(crate) fn with_golden(self, golden: &[&'static str]) -> Self {
        Self {
            golden: golden.to_vec(),
            ..self
        }
    }

    fn features(&self) -> FeatureConfig {
        FeatureConfig {
            preprocessing: PREPROCESSING,
            rows: ROWS,
            word_max: 2,
            char_orders: [2, 5],
            dense_orders: [1, 3],
            window_chars: 128,
            overlap_chars: 32,
            max_windows: self.max_windows,
        }
    }

    pub(crate) fn read(&self, text: &str) -> Features {
        let extractor = FeatureExtractor::new(&self.features()).unwrap();
        let mut features = Features::default();
        extractor.extract_into(text, &mut Scratch::default(), &mut features);
        features
    }

    fn logit(&self, features: &Features, label: usize) -> f32 {
        let of_window = |ids: &[i32]| {
            let sum: f32 = ids
                .iter()
                .map(|id| weight(self.seed, *id as u32, label))
                .sum();
            sum / (ids.len() as f32).sqrt()
        };
        features
            .windows()
            .map(of_window)
            .fold(f32::NEG_INFINITY, f32::max)
    }

    /// Computes a score without ONNX Runtime.
    pub(crate) fn expected(&self, text: &str, label: usize) -> Score {
        let logit = f64::from(self.logit(&self.read(text), label));
        Score::from_probability(probability(logit)).unwrap()
    }

    fn manifest(&self) -> String {
        let features = self.features();
        let list = |words: &[&str]| {
            words
                .iter()
                .map(|word| format!("{word:?}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut manifest = format!(
            "format = 1\nname = {:?}\nversion = \"1.0.0\"\nkind = \"text-hashed-ngrams\"\nlabels = [{}]\n\
             [runtime]\nonnxruntime = \"1.28.0\"\nopset = 17\n\
             [inputs]\nids = \"ids\"\nowners = \"owners\"\nlengths = \"lengths\"\n[outputs]\nlogits = \"logits\"\n\
             [features]\n{}\n[golden]\nlogit_tolerance = 1e-4\n",
            self.name,
            list(&self.labels),
            toml::to_string(&features).unwrap()
        );
        for label in &self.labels {
            manifest +=
                &format!("[calibration.{label}]\nslope = {SLOPE}\nintercept = {INTERCEPT}\n");
            for language in LANGUAGES {
                let status = match language {
                    "de" => "experimental",
                    "fr" => "unsupported",
                    _ => "supported",
                };
                manifest += &format!(
                    "[[support]]\nlabel = {label:?}\nlanguage = {language:?}\nstatus = {status:?}\n\
                     positives = 10\nnegatives = 20\nauprc = 0.5\n"
                );
            }
        }
        manifest
    }

    fn golden(&self) -> String {
        let line = |text: &str| {
            let features = self.read(text);
            let windows = features.window_ends.len();
            let labels = if windows == 0 {
                0..0
            } else {
                0..self.labels.len()
            };
            let logits: Vec<f32> = labels.map(|label| self.logit(&features, label)).collect();
            let scores: Vec<f64> = logits
                .iter()
                .map(|logit| probability(f64::from(*logit)))
                .collect();
            let line = json!({
                "name": format!("text of {} characters", text.len()), "language": "en", "text": text,
                "windows": windows, "logits": logits, "scores": scores,
            });
            format!("{line}\n")
        };
        self.golden.iter().map(|text| line(text)).collect()
    }
}

fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-(SLOPE * logit + INTERCEPT)).exp())
}

impl Shelf {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a bundle and returns its directory.
    pub(crate) fn add(&self, model: &Model) -> PathBuf {
        let directory = self.path().join(model.name);
        fs::create_dir_all(&directory).unwrap();
        let graph = graph::model(model.seed, model.labels.len(), model.quirk);
        fs::write(directory.join("model.onnx"), graph).unwrap();
        fs::write(directory.join("model.toml"), model.manifest()).unwrap();
        fs::write(directory.join("golden.jsonl"), model.golden()).unwrap();
        directory
    }

    /// Writes a bundle and returns how a deployment names it.
    pub(crate) fn serve(&self, model: &Model) -> DeployedBundle {
        self.place(model, BundleRole::Serving)
    }

    pub(crate) fn place(&self, model: &Model, role: BundleRole) -> DeployedBundle {
        let directory = self.add(model);
        DeployedBundle {
            digest: Bundle::read(&directory).unwrap().digest().clone(),
            name: model.name.to_owned(),
            version: "1.0.0".to_owned(),
            role,
            path: model.name.to_owned(),
        }
    }

    pub(crate) fn config(&self) -> EngineConfig {
        EngineConfig {
            bundle_directory: self.path().to_owned(),
            workers: workers(2),
            ..EngineConfig::default()
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        Engine::start(self.config()).unwrap()
    }
}

pub(crate) fn workers(count: usize) -> Workers {
    Workers::Count(count.try_into().unwrap())
}

pub(crate) fn deployment(bundles: impl Into<Vec<DeployedBundle>>) -> Deployment {
    Deployment {
        bundles: bundles.into(),
        direct_messages: DirectMessageScope::Reported,
    }
}

pub(crate) const TIME: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Longer than anything in these tests takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A published comment with one part of text.
pub(crate) fn comment(id: impl ToString, text: &str) -> ContentEvent {
    let id = id.to_string();
    let subject = Subject {
        kind: SubjectKind::Content,
        id: SubjectId::new(id.as_str()).unwrap(),
        revision: 0,
    };
    let mut event = Event::identified(EventId::new(id).unwrap(), subject);
    event.kind = EventKind::Publish;
    event.surface = Surface::Comment;
    ContentEvent {
        event,
        parts: vec![part("body", PartContent::Text(UserText::new(text)))],
        flags: Vec::new(),
    }
}

pub(crate) fn part(id: &str, content: PartContent) -> Part {
    Part {
        part_id: PartId::new(id).unwrap(),
        origin: PartOrigin::Body,
        content,
        declared_language: None,
    }
}

/// Texts that differ, of one to forty English words, drawn by seed.
pub(crate) fn texts(seed: u64, count: usize) -> Vec<String> {
    const WORDS: [&str; 24] = [
        "the",
        "morning",
        "you",
        "should",
        "never",
        "always",
        "people",
        "think",
        "about",
        "music",
        "because",
        "there",
        "really",
        "friends",
        "playing",
        "garden",
        "yesterday",
        "wonderful",
        "with",
        "another",
        "question",
        "something",
        "would",
        "have",
    ];
    let mut state = seed | 1;
    let mut draw = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % bound
    };
    let mut text = |index: usize| {
        let words: Vec<&str> = (0..1 + draw(40))
            .map(|_| WORDS[draw(24) as usize])
            .collect();
        format!("the number {index} {}", words.join(" "))
    };
    (0..count).map(&mut text).collect()
}

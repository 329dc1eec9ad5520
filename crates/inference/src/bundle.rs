//! Packaged models: what lies in a bundle's directory, read once and checked before anything runs.

mod error;
mod files;
mod golden;
mod manifest;
mod support;

use std::path::Path;
use std::sync::Arc;

use moderation::{BundleDigest, Label, Language, Score, Support};

pub use self::error::BundleError;
use self::files::BundleFiles;
pub use self::files::resolve;
pub use self::golden::GoldenText;
pub use self::manifest::{Calibration, Inputs, Kind, Manifest, Outputs, SupportEntry};
use self::support::SupportMatrix;
use crate::features::FeatureExtractor;

/// A bundle whose files were read, found complete and consistent, and hashed.
///
/// The model is kept as the bytes that were hashed: what runs later is what was verified, whatever happens to the files.
#[derive(Clone, Debug)]
pub struct Bundle {
    digest: BundleDigest,
    manifest: Manifest,
    labels: Vec<Label>,
    calibrations: Vec<Calibration>,
    support: SupportMatrix,
    extractor: FeatureExtractor,
    golden: Vec<GoldenText>,
    model: Arc<[u8]>,
}

impl Bundle {
    /// Reads the bundle in `directory`, whatever its digest is.
    ///
    /// # Errors
    /// Names the file that is missing, too large, malformed or inconsistent.
    pub fn read(directory: &Path) -> Result<Self, BundleError> {
        Self::from_files(directory, BundleFiles::read(directory)?)
    }

    /// Reads the bundle in `directory` and refuses it unless it is the one that was pinned.
    ///
    /// # Errors
    /// As [`Bundle::read`]; a wrong digest is reported before anything that the files say is believed.
    pub fn read_pinned(directory: &Path, pinned: &BundleDigest) -> Result<Self, BundleError> {
        let files = BundleFiles::read(directory)?;
        let found = files.digest();
        if found != *pinned {
            return Err(BundleError::Digest {
                path: directory.to_owned(),
                found,
                pinned: pinned.clone(),
            });
        }
        Self::from_files(directory, files)
    }

    fn from_files(directory: &Path, files: BundleFiles) -> Result<Self, BundleError> {
        let manifest_path = directory.join(files::MANIFEST);
        let manifest = Manifest::parse(&manifest_path, &files.manifest)?;
        let problem = |problem: String| BundleError::Manifest {
            path: manifest_path.clone(),
            problem,
        };
        Ok(Self {
            digest: files.digest(),
            labels: manifest.label_names().map_err(problem)?,
            calibrations: manifest.calibrations().map_err(problem)?,
            support: SupportMatrix::new(&manifest).map_err(problem)?,
            extractor: FeatureExtractor::new(&manifest.features)
                .map_err(|error| problem(error.to_string()))?,
            golden: golden::parse(&directory.join(files::GOLDEN), &files.golden, &manifest)?,
            model: files.model.into(),
            manifest,
        })
    }

    /// Returns the digest of the files.
    pub fn digest(&self) -> &BundleDigest {
        &self.digest
    }

    /// Returns what the manifest says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Returns the labels in the order of the model's output.
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// Returns what the bundle promises for its `label`th label in a language. A variant such as `pt-br` that the
    /// manifest does not list counts as its primary language.
    pub fn support(&self, label: usize, language: Language) -> Support {
        self.support.get(label, language)
    }

    /// Returns the texts whose scores are known.
    pub fn golden(&self) -> &[GoldenText] {
        &self.golden
    }

    /// Turns one of the model's outputs into a probability; NaN stays NaN.
    pub fn probability(&self, label: usize, logit: f32) -> f64 {
        self.calibrations[label].probability(logit)
    }

    /// Rounds a probability to the grid of scores; `None` for NaN.
    pub(crate) fn score(probability: f64) -> Option<Score> {
        Score::from_probability(probability)
    }

    pub(crate) fn extractor(&self) -> &FeatureExtractor {
        &self.extractor
    }

    pub(crate) fn model(&self) -> &[u8] {
        &self.model
    }
}

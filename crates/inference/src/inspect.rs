//! Looking at one bundle, for people: what it says of itself, whether it may serve here, and what it says of a text.

use std::path::{Path, PathBuf};

use moderation::{
    BundleDigest, BundleRole, ContentEvent, DeployedBundle, Deployment, DeploymentVersion,
    DirectMessageScope, Event, EventId, EventKind, LabelScore, Language, Part, PartContent, PartId,
    PartOrigin, Subject, SubjectId, SubjectKind, Timestamp, UserText,
};

use crate::bundle::{Bundle, BundleError, SupportEntry};
use crate::certify::{Certification, CertificationError, certify};
use crate::cpu::cpu_class;
use crate::engine::{DeployError, Engine, EngineConfig, StartError, Workers};
use crate::runtime::{Runtime, RuntimeError};
use crate::session::ModelSession;

/// Why a bundle cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// Its files are at fault.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// ONNX Runtime is not available.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// It may not serve here.
    #[error("{path} is not certified: {reason}")]
    NotCertified {
        /// Its directory.
        path: PathBuf,
        /// What it fails to show.
        reason: CertificationError,
    },
    /// The engine cannot start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The engine refuses it.
    #[error(transparent)]
    Deploy(#[from] DeployError),
}

/// What a bundle says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// The digest of its files.
    pub digest: BundleDigest,
    /// Its name.
    pub name: String,
    /// Its semantic version.
    pub version: String,
    /// Its kind, as manifests write it.
    pub kind: &'static str,
    /// Its labels, in the order of the model's output.
    pub labels: Vec<String>,
    /// The version of ONNX Runtime that it pins.
    pub onnxruntime: String,
    /// Size of the model.
    pub model_bytes: u64,
    /// Golden texts that it brings.
    pub golden_texts: usize,
    /// What it promises, by label and language.
    pub support: Vec<SupportEntry>,
}

/// What a bundle has shown on this machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    /// What it says of itself.
    pub inspection: Inspection,
    /// What it has shown.
    pub certification: Certification,
    /// The version of ONNX Runtime that ran it.
    pub onnxruntime: String,
    /// The class of this machine's processor.
    pub cpu_class: &'static str,
}

/// What a bundle says of one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextScores {
    /// The language that the text was found to be in.
    pub language: Option<Language>,
    /// Windows that were scored.
    pub windows: u32,
    /// One line a label.
    pub scores: Vec<LabelScore>,
}

/// Reads the bundle in `directory`. Needs no ONNX Runtime.
///
/// # Errors
/// Names the file at fault.
pub fn inspect(directory: &Path) -> Result<Inspection, BundleError> {
    Ok(inspection_of(&Bundle::read(directory)?))
}

/// Certifies the bundle in `directory` on this machine, as a deployment would, against a digest if one is given.
///
/// # Errors
/// Names the file at fault, or what the bundle fails to show.
pub fn verify(
    directory: &Path,
    pinned: Option<&BundleDigest>,
    runtime_library: Option<&Path>,
) -> Result<Verification, InspectError> {
    let bundle = match pinned {
        Some(pinned) => Bundle::read_pinned(directory, pinned)?,
        None => Bundle::read(directory)?,
    };
    let runtime = Runtime::load(runtime_library)?;
    let not_certified = |reason| InspectError::NotCertified {
        path: directory.to_owned(),
        reason,
    };
    let mut session =
        ModelSession::open(&runtime, &bundle).map_err(|error| not_certified(error.into()))?;
    let certification = certify(&runtime, &bundle, &mut session).map_err(not_certified)?;
    Ok(Verification {
        inspection: inspection_of(&bundle),
        certification,
        onnxruntime: runtime.version().to_owned(),
        cpu_class: cpu_class(),
    })
}

/// Scores texts with the bundle in `directory`, through an engine of its own, so that the scores are those of the stream.
///
/// # Errors
/// As [`verify`].
pub fn score(
    directory: &Path,
    texts: Vec<UserText>,
    runtime_library: Option<&Path>,
) -> Result<Vec<TextScores>, InspectError> {
    let inspection = inspect(directory)?;
    let read_error = |cause| BundleError::Read {
        path: directory.to_owned(),
        cause,
    };
    let directory = directory.canonicalize().map_err(read_error)?;
    let is_nameless = || read_error(std::io::Error::other("it is no directory below another"));
    let (Some(parent), Some(name)) = (directory.parent(), directory.file_name()) else {
        return Err(is_nameless().into());
    };
    let engine = Engine::start(EngineConfig {
        runtime_library: runtime_library.map(Path::to_owned),
        bundle_directory: parent.to_owned(),
        workers: Workers::Count(std::num::NonZeroUsize::MIN),
        ..EngineConfig::default()
    })?;
    let bundle = DeployedBundle {
        digest: inspection.digest,
        name: inspection.name,
        version: inspection.version,
        role: BundleRole::Serving,
        path: name.to_str().ok_or_else(is_nameless)?.to_owned(),
    };
    let deployment = Deployment {
        bundles: vec![bundle],
        direct_messages: DirectMessageScope::All,
    };
    engine.deploy(DeploymentVersion(1), &deployment)?;
    Ok(texts
        .into_iter()
        .map(|text| score_text(&engine, text))
        .collect())
}

fn inspection_of(bundle: &Bundle) -> Inspection {
    let manifest = bundle.manifest();
    Inspection {
        digest: bundle.digest().clone(),
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        kind: manifest.kind.as_str(),
        labels: manifest.labels.clone(),
        onnxruntime: manifest.runtime.onnxruntime.clone(),
        model_bytes: bundle.model().len() as u64,
        golden_texts: bundle.golden().len(),
        support: manifest.support.clone(),
    }
}

fn score_text(engine: &Engine, text: UserText) -> TextScores {
    let scored = engine
        .score(publication_of(text), Timestamp::from_millis(0))
        .expect("the engine has a deployment and is not stopped");
    TextScores {
        language: scored.parts[0].detected_language,
        windows: scored.parts[0].windows,
        scores: scored.scores,
    }
}

/// Makes an event around a text that belongs to none.
fn publication_of(text: UserText) -> ContentEvent {
    let name = "inspected";
    let subject = Subject {
        kind: SubjectKind::Content,
        id: SubjectId::new(name).expect("a plain word"),
        revision: 0,
    };
    let mut event = Event::identified(EventId::new(name).expect("a plain word"), subject);
    event.kind = EventKind::Publish;
    let part = Part {
        part_id: PartId::new(name).expect("a plain word"),
        origin: PartOrigin::Body,
        content: PartContent::Text(text),
        declared_language: None,
    };
    ContentEvent {
        event,
        parts: vec![part],
        flags: Vec::new(),
    }
}

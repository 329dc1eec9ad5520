//! A deployment that is loaded: its bundles, certified, with a session of each for every worker.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use moderation::{
    BundleIdentity, BundleRole, DeployedBundle, Deployment, DeploymentVersion, DirectMessageScope,
    Label, Language, Support,
};

use super::EngineConfig;
use super::error::DeployError;
use super::probe::Probes;
use super::releases::{Outstanding, Releases, Ticket};
use crate::bundle::{Bundle, resolve};
use crate::cache::BundleKey;
use crate::certify::{Certification, certify};
use crate::features::FeatureExtractor;
use crate::metrics::BundleMetrics;
use crate::native;
use crate::runtime::Runtime;
use crate::session::{ModelSession, SessionError};

/// Bundles of one deployment that a batch item can say are missing, one bit each.
const MAX_BUNDLES: usize = 32;

/// A certified bundle of a deployment.
pub(crate) struct LoadedBundle {
    bundle: Bundle,
    role: BundleRole,
    certification: Certification,
    pub(crate) cache_key: BundleKey,
    /// Index into the generation's extractors.
    pub(crate) extractor: usize,
    pub(crate) metrics: BundleMetrics,
    pub(crate) probes: Probes,
}

impl LoadedBundle {
    pub(crate) fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    pub(crate) fn labels(&self) -> &[Label] {
        self.bundle.labels()
    }

    pub(crate) fn support(&self, label: usize, language: Language) -> Support {
        self.bundle.support(label, language)
    }

    /// Returns whether any of its labels has a score in a language.
    pub(crate) fn speaks(&self, language: Language) -> bool {
        (0..self.labels().len()).any(|label| self.support(label, language) != Support::Unsupported)
    }

    pub(crate) fn is_serving(&self) -> bool {
        self.role == BundleRole::Serving
    }

    pub(crate) fn epsilon(&self) -> f64 {
        self.certification.epsilon
    }

    pub(crate) fn certification(&self) -> &Certification {
        &self.certification
    }

    /// Returns name and version, for people.
    pub(crate) fn title(&self) -> String {
        let manifest = self.bundle.manifest();
        format!("{} {}", manifest.name, manifest.version)
    }

    fn identity(&self) -> BundleIdentity {
        let manifest = self.bundle.manifest();
        BundleIdentity {
            digest: self.bundle.digest().clone(),
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            role: self.role,
        }
    }
}

/// A deployment that is loaded. Dropped when the last event under it has finished and another has taken its place.
pub(crate) struct Generation {
    version: DeploymentVersion,
    direct_messages: DirectMessageScope,
    bundles: Vec<LoadedBundle>,
    identities: Vec<BundleIdentity>,
    extractors: Vec<FeatureExtractor>,
    runtime: Runtime,
    /// One place a worker, without a session while the worker runs them.
    sessions: Vec<Mutex<Sessions>>,
    outstanding: Arc<Outstanding>,
    /// The last field: its drop runs when the sessions are gone.
    _memory: ReturnMemory,
}

/// One session of each bundle; none where it was thrown away and nobody has needed another yet.
pub(crate) type Sessions = Vec<Option<ModelSession>>;

struct ReturnMemory;

impl Drop for ReturnMemory {
    fn drop(&mut self) {
        native::return_free_memory();
    }
}

impl Generation {
    /// Reads, certifies and warms every bundle of a deployment, serving ones first.
    pub(crate) fn load(
        version: DeploymentVersion,
        deployment: &Deployment,
        config: &EngineConfig,
        runtime: &Runtime,
        releases: Arc<Releases>,
    ) -> Result<Self, DeployError> {
        check_roles(deployment)?;
        let mut deployed: Vec<&DeployedBundle> = deployment.bundles.iter().collect();
        deployed.sort_by_key(|bundle| bundle.role != BundleRole::Serving);
        let bundles = deployed
            .iter()
            .map(|bundle| read_bundle(bundle, config))
            .collect::<Result<Vec<_>, _>>()?;
        check_labels(&deployed, &bundles)?;

        let mut generation = Self {
            version,
            direct_messages: deployment.direct_messages,
            bundles: Vec::new(),
            identities: Vec::new(),
            extractors: Vec::new(),
            runtime: runtime.clone(),
            sessions: (0..config.workers.count())
                .map(|_| Mutex::default())
                .collect(),
            outstanding: Outstanding::new(version, releases),
            _memory: ReturnMemory,
        };
        let mut sessions: Vec<Sessions> = generation.sessions.iter().map(|_| Vec::new()).collect();
        for (deployed, bundle) in deployed.into_iter().zip(bundles) {
            let certification = certify_for_all(runtime, &bundle, &mut sessions)?;
            generation.add(bundle, deployed.role, certification);
        }
        for (place, sessions) in generation.sessions.iter_mut().zip(sessions) {
            *place = Mutex::new(sessions);
        }
        Ok(generation)
    }

    fn add(&mut self, bundle: Bundle, role: BundleRole, certification: Certification) {
        let features = &bundle.manifest().features;
        let shared = self
            .bundles
            .iter()
            .find(|other| other.bundle.manifest().features == *features)
            .map(|other| other.extractor);
        let extractor = shared.unwrap_or_else(|| {
            self.extractors.push(bundle.extractor().clone());
            self.extractors.len() - 1
        });
        let loaded = LoadedBundle {
            role,
            certification,
            cache_key: BundleKey::new(bundle.digest()),
            extractor,
            metrics: BundleMetrics::new(&bundle, role),
            probes: Probes::new(&bundle),
            bundle,
        };
        self.identities.push(loaded.identity());
        self.bundles.push(loaded);
    }

    pub(crate) fn version(&self) -> DeploymentVersion {
        self.version
    }

    pub(crate) fn direct_messages(&self) -> DirectMessageScope {
        self.direct_messages
    }

    /// Returns the bundles, serving ones first.
    pub(crate) fn bundles(&self) -> &[LoadedBundle] {
        &self.bundles
    }

    pub(crate) fn identities(&self) -> &[BundleIdentity] {
        &self.identities
    }

    /// Returns the distinct ways in which the bundles turn texts into features.
    pub(crate) fn extractors(&self) -> &[FeatureExtractor] {
        &self.extractors
    }

    pub(crate) fn outstanding(&self) -> &Arc<Outstanding> {
        &self.outstanding
    }

    /// Begins an event under this deployment.
    pub(crate) fn ticket(&self) -> Ticket {
        Ticket::new(&self.outstanding)
    }

    /// Takes a worker's sessions out of their place.
    pub(crate) fn take_sessions(&self, worker: usize) -> Sessions {
        let mut place = self.place(worker);
        let mut sessions = std::mem::take(&mut *place);
        sessions.resize_with(self.bundles.len(), || None);
        sessions
    }

    pub(crate) fn put_sessions(&self, worker: usize, sessions: Sessions) {
        *self.place(worker) = sessions;
    }

    fn place(&self, worker: usize) -> MutexGuard<'_, Sessions> {
        self.sessions[worker]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads another session of a bundle.
    pub(crate) fn open_session(&self, bundle: usize) -> Result<ModelSession, SessionError> {
        ModelSession::open(&self.runtime, &self.bundles[bundle].bundle)
    }
}

fn check_roles(deployment: &Deployment) -> Result<(), DeployError> {
    let has = |role| deployment.bundles.iter().any(|bundle| bundle.role == role);
    if has(BundleRole::Canary) {
        return Err(DeployError::Canary);
    }
    if !has(BundleRole::Serving) {
        return Err(DeployError::NothingServes);
    }
    if deployment.bundles.len() > MAX_BUNDLES {
        return Err(DeployError::TooMany {
            found: deployment.bundles.len(),
            allowed: MAX_BUNDLES,
        });
    }
    Ok(())
}

fn read_bundle(deployed: &DeployedBundle, config: &EngineConfig) -> Result<Bundle, DeployError> {
    let directory = resolve(&config.bundle_directory, &deployed.path)?;
    let bundle = Bundle::read_pinned(&directory, &deployed.digest)?;
    let manifest = bundle.manifest();
    if manifest.name != deployed.name || manifest.version != deployed.version {
        return Err(DeployError::Misnamed {
            deployed: format!("{} {}", deployed.name, deployed.version),
            found: format!("{} {}", manifest.name, manifest.version),
        });
    }
    Ok(bundle)
}

/// Two serving bundles must not answer the same question.
fn check_labels(deployed: &[&DeployedBundle], bundles: &[Bundle]) -> Result<(), DeployError> {
    let mut seen: Vec<(&Label, &str)> = Vec::new();
    let serving = deployed
        .iter()
        .zip(bundles)
        .filter(|(deployed, _)| deployed.role == BundleRole::Serving);
    for (deployed, bundle) in serving {
        for label in bundle.labels() {
            if let Some((_, other)) = seen.iter().find(|(known, _)| *known == label) {
                return Err(DeployError::SharedLabel {
                    label: label.to_string(),
                    one: (*other).to_owned(),
                    other: deployed.name.clone(),
                });
            }
            seen.push((label, &deployed.name));
        }
    }
    Ok(())
}

/// Opens a session for every worker; certifies with the first, and runs the golden texts through the others too, so that
/// no worker's first batch is its slowest.
fn certify_for_all(
    runtime: &Runtime,
    bundle: &Bundle,
    workers: &mut [Sessions],
) -> Result<Certification, DeployError> {
    let refuse = |reason| DeployError::NotCertified {
        bundle: format!("{} {}", bundle.manifest().name, bundle.manifest().version),
        reason,
    };
    let mut result = None;
    for sessions in workers {
        let mut session =
            ModelSession::open(runtime, bundle).map_err(|error| refuse(error.into()))?;
        let certification = certify(runtime, bundle, &mut session).map_err(refuse)?;
        result.get_or_insert(certification);
        sessions.push(Some(session));
    }
    Ok(result.expect("there is at least one worker"))
}

//! Golden texts that are asked while a model serves, to tell a text that fails from a model that does.

use super::generation::LoadedBundle;
use crate::bundle::Bundle;
use crate::certify::{CertificationError, meet_golden};
use crate::features::{Features, Scratch};
use crate::session::ModelSession;

/// The golden texts of a bundle that have a score, with their features.
pub(crate) struct Probes(Vec<Probe>);

struct Probe {
    /// Index into the bundle's golden texts.
    text: usize,
    features: Features,
}

impl Probes {
    pub(crate) fn new(bundle: &Bundle) -> Self {
        let mut scratch = Scratch::default();
        let mut probe = |text: usize| {
            let mut features = Features::default();
            let golden = bundle.golden()[text].text.expose();
            bundle
                .extractor()
                .extract_into(golden, &mut scratch, &mut features);
            Probe { text, features }
        };
        let has_score = |text: &usize| bundle.golden()[*text].windows > 0;
        Self(
            (0..bundle.golden().len())
                .filter(has_score)
                .map(&mut probe)
                .collect(),
        )
    }
}

/// Asks a golden text; another with every attempt, so that no single one that takes too long on this machine counts for
/// the whole model.
pub(crate) fn ask(
    loaded: &LoadedBundle,
    session: &mut ModelSession,
    attempt: usize,
) -> Result<(), CertificationError> {
    let bundle = loaded.bundle();
    // A bundle without any is refused when it is read.
    let Probe { text, features } = &loaded.probes.0[attempt % loaded.probes.0.len()];
    meet_golden(bundle, session, &bundle.golden()[*text], features)
}

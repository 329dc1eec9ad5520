//! Certification: what a bundle must show on this machine before it may serve.
//!
//! The graph is the manifest's; golden texts are met; no output is NaN or infinite; and a text's scores do not depend on
//! the texts that happen to share its batch. Where they do so by a rounding error, the largest deviation is certified,
//! and the engine computes what lies that close to a rounding boundary again, alone.

use crate::bundle::{Bundle, GoldenText};
use crate::features::{Features, Scratch};
use crate::runtime::Runtime;
use crate::session::{ModelSession, SessionError, WindowBatch};

/// Largest accepted deviation of a probability by batch neighbours: one hundredth of the grid of scores.
const MAX_BATCH_DEVIATION: f64 = 1e-5;
/// The sample of neighbours that is tried is no bound on all neighbours.
const EPSILON_MARGIN: f64 = 4.0;
/// Windows among which neighbours are drawn.
const SAMPLE_WINDOWS: usize = 96;
const SHUFFLED_ROUNDS: usize = 6;

/// What a bundle has shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Certification {
    /// Golden texts that were met.
    pub golden_texts: usize,
    /// Largest deviation of a golden text's logit.
    pub golden_deviation: f64,
    /// Largest deviation of a probability by batch neighbours; 0 where the bundle is exactly invariant.
    pub batch_deviation: f64,
    /// How close to a rounding boundary a probability must be to be computed again, alone; 0 where none has to be.
    pub epsilon: f64,
}

/// Why a bundle may not serve.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CertificationError {
    /// The model cannot be loaded or run.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The runtime is not the one that the bundle was made for.
    #[error(
        "the bundle pins ONNX Runtime {pinned}, {loaded} is loaded; load {pinned} or package the model anew"
    )]
    Runtime {
        /// The bundle's.
        pinned: String,
        /// This process's.
        loaded: String,
    },
    /// A golden text is cut into another number of windows.
    #[error("golden text `{name}` has {found} windows, expected {expected}")]
    GoldenWindows {
        /// Which text.
        name: String,
        /// Windows here.
        found: usize,
        /// Windows at home.
        expected: usize,
    },
    /// A golden text has another score.
    #[error(
        "golden text `{name}` has {quantity} {found} for label `{label}`, expected {expected} within {tolerance}"
    )]
    Golden {
        /// Which text.
        name: String,
        /// Which label.
        label: String,
        /// `logit` or `score`.
        quantity: &'static str,
        /// The value here.
        found: f64,
        /// The value at home.
        expected: f64,
        /// How far they may differ.
        tolerance: f64,
    },
    /// An output is NaN or infinite.
    #[error("the model answers NaN or infinity for label `{label}`")]
    NotFinite {
        /// Which label.
        label: String,
    },
    /// Scores depend on batch neighbours.
    #[error(
        "a text's score moves by {deviation:.6} with the other texts in its batch, at most {MAX_BATCH_DEVIATION} is \
         accepted; dynamically quantised models do this, use static quantisation or fp32"
    )]
    BatchDependent {
        /// The largest deviation seen.
        deviation: f64,
    },
}

/// Certifies a bundle on this machine. Also warms `session` up.
///
/// # Errors
/// Names the first thing that the bundle fails to show.
pub fn certify(
    runtime: &Runtime,
    bundle: &Bundle,
    session: &mut ModelSession,
) -> Result<Certification, CertificationError> {
    let pinned = &bundle.manifest().runtime.onnxruntime;
    if pinned != runtime.version() {
        return Err(CertificationError::Runtime {
            pinned: pinned.clone(),
            loaded: runtime.version().to_owned(),
        });
    }
    let mut examiner = Examiner::new(bundle, session);
    let golden_deviation = examiner.meet_golden_texts()?;
    let batch_deviation = examiner.vary_neighbours()?;
    if batch_deviation > MAX_BATCH_DEVIATION {
        return Err(CertificationError::BatchDependent {
            deviation: batch_deviation,
        });
    }
    Ok(Certification {
        golden_texts: bundle.golden().len(),
        golden_deviation,
        batch_deviation,
        epsilon: batch_deviation * EPSILON_MARGIN,
    })
}

struct Examiner<'a> {
    bundle: &'a Bundle,
    session: &'a mut ModelSession,
    /// Windows of golden texts, later the neighbours that are varied.
    windows: Vec<Vec<i32>>,
    batch: WindowBatch,
}

impl<'a> Examiner<'a> {
    fn new(bundle: &'a Bundle, session: &'a mut ModelSession) -> Self {
        Self {
            bundle,
            session,
            windows: Vec::new(),
            batch: WindowBatch::default(),
        }
    }

    /// Returns the largest deviation.
    fn meet_golden_texts(&mut self) -> Result<f64, CertificationError> {
        let (mut scratch, mut features) = (Scratch::default(), Features::default());
        let mut worst = 0.0_f64;
        for text in self.bundle.golden() {
            self.bundle
                .extractor()
                .extract_into(text.text.expose(), &mut scratch, &mut features);
            if features.window_ends.len() != text.windows {
                return Err(CertificationError::GoldenWindows {
                    name: text.name.clone(),
                    found: features.window_ends.len(),
                    expected: text.windows,
                });
            }
            if text.windows == 0 {
                continue;
            }
            let windows: Vec<Vec<i32>> = features.windows().map(<[i32]>::to_vec).collect();
            let logits = self.run(windows.iter().map(Vec::as_slice))?;
            worst = worst.max(compare_golden(self.bundle, text, &logits)?);
            self.windows.extend(windows);
        }
        Ok(worst)
    }

    /// Scores every window alone, then among ever new neighbours. Returns the largest deviation of a probability.
    fn vary_neighbours(&mut self) -> Result<f64, CertificationError> {
        let mut random = SplitMix(0x7469_6465_6761_7465);
        self.windows.truncate(SAMPLE_WINDOWS / 2);
        while self.windows.len() < SAMPLE_WINDOWS {
            let window = self.random_window(&mut random);
            self.windows.push(window);
        }
        let windows = std::mem::take(&mut self.windows);
        let alone: Vec<Vec<f32>> = windows
            .iter()
            .map(|window| self.run([window.as_slice()]))
            .collect::<Result<_, _>>()?;
        let mut order: Vec<usize> = (0..windows.len()).collect();
        let mut worst = 0.0_f64;
        for round in 0..=SHUFFLED_ROUNDS {
            let size = if round == 0 {
                windows.len()
            } else {
                2 + random.below(windows.len() / 2)
            };
            for chunk in order.chunks(size) {
                let together = self.run(chunk.iter().map(|index| windows[*index].as_slice()))?;
                worst = worst.max(self.deviation(chunk, &alone, &together));
            }
            random.shuffle(&mut order);
        }
        Ok(worst)
    }

    fn deviation(&self, chunk: &[usize], alone: &[Vec<f32>], together: &[f32]) -> f64 {
        let labels = self.bundle.labels().len();
        let mut worst = 0.0_f64;
        for (row, index) in together.chunks(labels).zip(chunk) {
            for label in 0..labels {
                let one = self.bundle.probability(label, alone[*index][label]);
                let other = self.bundle.probability(label, row[label]);
                worst = worst.max((one - other).abs());
            }
        }
        worst
    }

    fn random_window(&self, random: &mut SplitMix) -> Vec<i32> {
        let rows = self.bundle.manifest().features.rows as usize;
        // Lengths from one feature to far more than an ordinary text has, the short ones more often.
        let longest = 1 << (1 + random.below(9));
        let length = 1 + random.below(longest);
        (0..length).map(|_| random.below(rows) as i32).collect()
    }

    fn run<'w>(
        &mut self,
        windows: impl IntoIterator<Item = &'w [i32]>,
    ) -> Result<Vec<f32>, CertificationError> {
        run(self.bundle, self.session, &mut self.batch, windows)
    }
}

/// Asks a session for one golden text's scores.
///
/// # Errors
/// Says what is wrong with the answer. After a failed run the session is not to be used again.
pub(crate) fn meet_golden(
    bundle: &Bundle,
    session: &mut ModelSession,
    text: &GoldenText,
    features: &Features,
) -> Result<(), CertificationError> {
    let mut batch = WindowBatch::default();
    let logits = run(bundle, session, &mut batch, features.windows())?;
    compare_golden(bundle, text, &logits).map(|_| ())
}

/// Returns the largest deviation of a golden text's logits from those at home.
fn compare_golden(
    bundle: &Bundle,
    text: &GoldenText,
    logits: &[f32],
) -> Result<f64, CertificationError> {
    let labels = bundle.labels();
    let tolerance = bundle.manifest().golden.logit_tolerance;
    let mut worst = 0.0_f64;
    for (index, label) in labels.iter().enumerate() {
        let found = logits
            .iter()
            .skip(index)
            .step_by(labels.len())
            .fold(f32::NEG_INFINITY, |greatest, logit| greatest.max(*logit));
        // A logit may be off by the tolerance; calibration multiplies that by a quarter of its slope at most.
        let slope = bundle.manifest().calibration[label.as_str()].slope;
        let quantities = [
            (
                "logit",
                f64::from(found),
                f64::from(text.logits[index]),
                tolerance,
            ),
            (
                "score",
                bundle.probability(index, found),
                text.scores[index],
                tolerance * slope / 4.0 + 1e-6,
            ),
        ];
        for (quantity, found, expected, tolerance) in quantities {
            let is_close = (found - expected).abs() <= tolerance;
            if !is_close {
                return Err(CertificationError::Golden {
                    name: text.name.clone(),
                    label: label.to_string(),
                    quantity,
                    found,
                    expected,
                    tolerance,
                });
            }
        }
        worst = worst.max((f64::from(found) - f64::from(text.logits[index])).abs());
    }
    Ok(worst)
}

/// Runs windows together; no output is NaN or infinite.
fn run<'w>(
    bundle: &Bundle,
    session: &mut ModelSession,
    batch: &mut WindowBatch,
    windows: impl IntoIterator<Item = &'w [i32]>,
) -> Result<Vec<f32>, CertificationError> {
    batch.clear();
    for window in windows {
        batch.push(window);
    }
    let mut logits = Vec::new();
    session.run(batch, &mut logits)?;
    let labels = bundle.labels();
    match logits.iter().position(|logit| !logit.is_finite()) {
        Some(at) => Err(CertificationError::NotFinite {
            label: labels[at % labels.len()].to_string(),
        }),
        None => Ok(logits),
    }
}

/// The splitmix64 generator: certification must try the same neighbours on every machine.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn shuffle(&mut self, items: &mut [usize]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

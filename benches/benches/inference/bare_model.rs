//! The model with nothing around it.

use inference::bundle::Bundle;
use inference::features::{FeatureExtractor, Features, Scratch};
use inference::language::detect;
use inference::runtime::Runtime;
use inference::session::{ModelSession, WindowBatch};
use tidegate_benches::{Cost, Meter};

/// One session and the buffers to use it, on the thread that asks.
pub(crate) struct BareModel {
    extractor: FeatureExtractor,
    session: ModelSession,
    batch: WindowBatch,
    logits: Vec<f32>,
}

impl BareModel {
    pub(crate) fn open(bundle: &Bundle) -> anyhow::Result<Self> {
        let runtime = Runtime::load(None)?;
        Ok(Self {
            extractor: FeatureExtractor::new(&bundle.manifest().features)?,
            session: ModelSession::open(&runtime, bundle)?,
            batch: WindowBatch::default(),
            logits: Vec::new(),
        })
    }

    /// Extracts the features of texts.
    pub(crate) fn prepare(&self, texts: &[String]) -> Vec<Features> {
        let mut scratch = Scratch::default();
        texts
            .iter()
            .map(|text| {
                let mut features = Features::default();
                self.extractor
                    .extract_into(text, &mut scratch, &mut features);
                features
            })
            .collect()
    }

    /// Extracts the features of texts, and keeps none.
    pub(crate) fn extract(&self, texts: &[String]) -> Cost {
        let (mut scratch, mut features) = (Scratch::default(), Features::default());
        let meter = Meter::start();
        for text in texts {
            self.extractor
                .extract_into(text, &mut scratch, &mut features);
            std::hint::black_box(&features);
        }
        meter.cost()
    }

    /// Detects the language of texts.
    pub(crate) fn detect_language(texts: &[String]) -> Cost {
        let meter = Meter::start();
        for text in texts {
            std::hint::black_box(detect(text, None));
        }
        meter.cost()
    }

    /// Runs the model over prepared texts, `batch` texts at a time.
    pub(crate) fn score(&mut self, prepared: &[Features], batch: usize) -> anyhow::Result<Cost> {
        let meter = Meter::start();
        for texts in prepared.chunks(batch) {
            self.run(texts)?;
        }
        Ok(meter.cost())
    }

    /// Extracts the features of `batch` texts at a time and runs the model over them.
    pub(crate) fn extract_and_score(
        &mut self,
        texts: &[String],
        batch: usize,
    ) -> anyhow::Result<Cost> {
        let mut scratch = Scratch::default();
        let mut prepared = vec![Features::default(); batch];
        let meter = Meter::start();
        for texts in texts.chunks(batch) {
            for (text, features) in texts.iter().zip(&mut prepared) {
                self.extractor.extract_into(text, &mut scratch, features);
            }
            self.run(&prepared[..texts.len()])?;
        }
        Ok(meter.cost())
    }

    fn run(&mut self, texts: &[Features]) -> anyhow::Result<()> {
        self.batch.clear();
        for window in texts.iter().flat_map(Features::windows) {
            self.batch.push(window);
        }
        self.logits.clear();
        self.session.run(&self.batch, &mut self.logits)?;
        std::hint::black_box(&self.logits);
        Ok(())
    }
}

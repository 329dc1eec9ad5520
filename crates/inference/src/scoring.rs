//! From features to scores: one run for several texts, the greatest window of each, calibration and rounding.

use std::sync::Arc;

use moderation::Score;

use crate::bundle::Bundle;
use crate::features::Features;
use crate::session::{ModelSession, SessionError, WindowBatch};

/// Steps of the grid of scores.
const GRID: f64 = 1000.0;

/// Buffers for scoring, reused from run to run.
#[derive(Debug, Default)]
pub(crate) struct Scorer {
    batch: WindowBatch,
    logits: Vec<f32>,
}

/// What one run has found.
pub(crate) struct Scored {
    /// Scores of each text in the order of the labels; `None` where the model answered NaN or infinity.
    pub(crate) texts: Vec<Option<Arc<[Score]>>>,
    /// Texts that were computed again alone.
    pub(crate) recomputed: usize,
}

impl Scorer {
    /// Scores texts, each of which has at least one window. A text's scores do not depend on the others: where a
    /// probability is NaN or within `epsilon` of a rounding boundary, the text is computed again alone.
    pub(crate) fn score(
        &mut self,
        session: &mut ModelSession,
        bundle: &Bundle,
        epsilon: f64,
        texts: &[&Features],
    ) -> Result<Scored, SessionError> {
        self.batch.clear();
        for window in texts.iter().flat_map(|text| text.windows()) {
            self.batch.push(window);
        }
        self.logits.clear();
        session.run(&self.batch, &mut self.logits)?;

        let mut results = Vec::with_capacity(texts.len());
        let mut uncertain = Vec::new();
        let mut start = 0;
        for (index, text) in texts.iter().enumerate() {
            let end = start + text.window_ends.len() * bundle.labels().len();
            let probabilities = greatest(bundle, &self.logits[start..end]);
            start = end;
            let is_uncertain = |value: &f64| value.is_nan() || is_at_boundary(*value, epsilon);
            if self.batch.windows() > 1 && probabilities.iter().any(is_uncertain) {
                uncertain.push(index);
            }
            results.push(round(&probabilities));
        }
        for index in &uncertain {
            results[*index] = self.score_alone(session, bundle, texts[*index])?;
        }
        Ok(Scored {
            texts: results,
            recomputed: uncertain.len(),
        })
    }

    /// Scores one text, every window in a run of its own.
    fn score_alone(
        &mut self,
        session: &mut ModelSession,
        bundle: &Bundle,
        text: &Features,
    ) -> Result<Option<Arc<[Score]>>, SessionError> {
        self.logits.clear();
        for window in text.windows() {
            self.batch.clear();
            self.batch.push(window);
            session.run(&self.batch, &mut self.logits)?;
        }
        Ok(round(&greatest(bundle, &self.logits)))
    }
}

/// Returns the greatest probability over the windows, for every label; NaN if an output is NaN or infinite.
fn greatest(bundle: &Bundle, logits: &[f32]) -> Vec<f64> {
    let labels = bundle.labels().len();
    let of_label = |label: usize| {
        let mut greatest = f32::NEG_INFINITY;
        for logit in logits.iter().skip(label).step_by(labels) {
            if !logit.is_finite() {
                return f64::NAN;
            }
            greatest = greatest.max(*logit);
        }
        bundle.probability(label, greatest)
    };
    (0..labels).map(of_label).collect()
}

fn round(probabilities: &[f64]) -> Option<Arc<[Score]>> {
    probabilities
        .iter()
        .map(|value| Bundle::score(*value))
        .collect()
}

/// Rounding goes up at halves of a step. With an `epsilon` of 0, nothing is near a boundary.
fn is_at_boundary(probability: f64, epsilon: f64) -> bool {
    let steps = probability * GRID;
    (steps - steps.floor() - 0.5).abs() < epsilon * GRID
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_lie_between_the_steps_of_the_grid() {
        let check = |probability, expected| {
            assert_eq!(is_at_boundary(probability, 1e-6), expected, "{probability}");
        };
        check(0.5, false);
        check(0.5005, true);
        check(0.500_500_9, true);
        check(0.500_499_1, true);
        check(0.500_502, false);
        check(0.0, false);
        check(1.0, false);
        check(0.9995, true);
    }
}

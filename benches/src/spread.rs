//! Where the samples of several rounds lie.

use serde::Serialize;

/// Percentiles of samples, by nearest rank: each is a sample that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) p10: f64,
    pub(crate) median: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
}

impl Spread {
    /// Returns `None` where there is no sample.
    pub(crate) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let percentile = |percent: usize| {
            let rank = (percent * sorted.len()).div_ceil(100);
            sorted[rank.saturating_sub(1).min(last)]
        };
        Some(Self {
            p10: percentile(10),
            median: percentile(50),
            p90: percentile(90),
            p99: percentile(99),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let check = |samples: &[f64], expected: Option<[f64; 4]>| {
            let expected = expected.map(|[p10, median, p90, p99]| Spread {
                p10,
                median,
                p90,
                p99,
            });
            assert_eq!(Spread::of(samples), expected, "{samples:?}");
        };
        check(&[], None);
        check(&[7.0], Some([7.0; 4]));
        check(&[3.0, 1.0, 2.0], Some([1.0, 2.0, 3.0, 3.0]));
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        check(&hundred, Some([10.0, 50.0, 90.0, 99.0]));
    }
}

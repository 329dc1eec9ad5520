//! Chance that comes out the same every time.

use rand::Rng;
use rand_distr::{Distribution, LogNormal};
use rand_pcg::Pcg64Mcg;

/// What a stream of chance is for, so that two purposes never share one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Event = 1,
    Person = 2,
    Template = 3,
    Campaign = 4,
}

/// A stream of chance that depends on seed, purpose and index alone.
pub(super) struct Dice(Pcg64Mcg);

impl Dice {
    pub(super) fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let low = mix(seed ^ mix(index));
        let high = mix(seed.rotate_left(32) ^ mix(index ^ ((purpose as u64) << 56)));
        Self(Pcg64Mcg::new(u128::from(high) << 64 | u128::from(low)))
    }

    /// Draws from 0 to `bound - 1`.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(bound)) >> 32) as u32
    }

    pub(super) fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    pub(super) fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len() as u32) as usize]
    }

    /// Draws an index with the given weights.
    pub(super) fn weighted<T: Copy>(&mut self, choices: &[(u32, T)]) -> T {
        let mut left = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for &(weight, choice) in choices {
            if left < weight {
                return choice;
            }
            left -= weight;
        }
        choices[choices.len() - 1].1
    }

    /// Draws a length: half are below `median`, few are very long.
    pub(super) fn length(&mut self, median: f64, longest: f64) -> usize {
        const SPREAD: f64 = 0.8;
        LogNormal::new(median.ln(), SPREAD)
            .map_or(median, |lengths| lengths.sample(&mut self.0))
            .clamp(2.0, longest) as usize
    }

    pub(super) fn bytes(&mut self, into: &mut [u8]) {
        self.0.fill_bytes(into);
    }
}

/// The finaliser of SplitMix64: neighbouring numbers become unrelated ones.
pub(super) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

//! Scores of texts that were seen before. Texts are known by a keyed hash of their features alone, so that nothing here
//! tells what somebody wrote, not even to who can guess it.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use moderation::Score;

use crate::features::Features;

/// Locks that workers spread over.
const SHARDS: usize = 16;

/// Stands for the features of a text, within this process.
pub(crate) type TextKey = u128;

/// Makes the keys of texts.
pub(crate) struct KeyMaker {
    secret: [u8; 32],
    buffer: Vec<u8>,
}

impl KeyMaker {
    /// Shares a secret that lasts as long as the process.
    pub(crate) fn new(secret: Secret) -> Self {
        Self {
            secret: secret.0,
            buffer: Vec::new(),
        }
    }

    /// Returns the key of a text's features.
    pub(crate) fn key(&mut self, features: &Features) -> TextKey {
        self.buffer.clear();
        let ends = &features.window_ends;
        self.buffer.extend((ends.len() as u32).to_le_bytes());
        self.buffer
            .extend(ends.iter().flat_map(|end| end.to_le_bytes()));
        self.buffer
            .extend(features.ids.iter().flat_map(|id| id.to_le_bytes()));
        let hash = blake3::keyed_hash(&self.secret, &self.buffer);
        let (half, _) = hash.as_bytes().split_at(16);
        u128::from_le_bytes(half.try_into().expect("half of 32 bytes"))
    }
}

/// What keys are made with: random, and known to this process alone.
#[derive(Clone, Copy)]
pub(crate) struct Secret([u8; 32]);

impl Secret {
    /// Draws a secret from the randomness that the standard library keeps for its own tables.
    pub(crate) fn random() -> Self {
        let mut secret = [0; 32];
        for piece in secret.chunks_mut(8) {
            piece.copy_from_slice(&RandomState::new().hash_one(0).to_le_bytes());
        }
        // Two states of one thread differ by a counter; hashing spreads what randomness there is.
        Self(blake3::derive_key("tidegate score cache v1", &secret))
    }
}

/// The scores of recent texts, bounded in entries.
pub(crate) struct ScoreCache {
    shards: Box<[Mutex<Shard>]>,
}

impl ScoreCache {
    /// Makes a cache that holds at most about `entries` texts, counted once for each bundle.
    pub(crate) fn new(entries: usize) -> Self {
        let shard = || Mutex::new(Shard::new(entries.div_ceil(2 * SHARDS)));
        Self {
            shards: (0..SHARDS).map(|_| shard()).collect(),
        }
    }

    pub(crate) fn get(&self, bundle: BundleKey, text: TextKey) -> Option<Arc<[Score]>> {
        let key = bundle.0 ^ text;
        self.shard(key).get(key)
    }

    pub(crate) fn insert(&self, bundle: BundleKey, text: TextKey, scores: Arc<[Score]>) {
        let key = bundle.0 ^ text;
        self.shard(key).insert(key, scores);
    }

    fn shard(&self, key: u128) -> std::sync::MutexGuard<'_, Shard> {
        let index = (key >> 64) as usize % SHARDS;
        self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stands for a bundle's digest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BundleKey(u128);

impl BundleKey {
    pub(crate) fn new(digest: &moderation::BundleDigest) -> Self {
        let hash = blake3::hash(digest.as_str().as_bytes());
        let (half, _) = hash.as_bytes().split_at(16);
        Self(u128::from_le_bytes(
            half.try_into().expect("half of 32 bytes"),
        ))
    }
}

type Table = HashMap<u128, Arc<[Score]>, BuildHasherDefault<Identity>>;

/// Two tables: what was used lately, and what was used before. When the first is full it takes the second's place, which
/// forgets what was used in neither.
struct Shard {
    recent: Table,
    earlier: Table,
    capacity: usize,
}

impl Shard {
    fn new(capacity: usize) -> Self {
        Self {
            recent: Table::default(),
            earlier: Table::default(),
            capacity,
        }
    }

    fn get(&mut self, key: u128) -> Option<Arc<[Score]>> {
        if let Some(scores) = self.recent.get(&key) {
            return Some(Arc::clone(scores));
        }
        let scores = self.earlier.remove(&key)?;
        self.insert(key, Arc::clone(&scores));
        Some(scores)
    }

    fn insert(&mut self, key: u128, scores: Arc<[Score]>) {
        if self.recent.len() >= self.capacity {
            self.earlier = std::mem::take(&mut self.recent);
        }
        self.recent.insert(key, scores);
    }
}

/// Keys are hashes already.
#[derive(Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(thousandths: u32) -> Arc<[Score]> {
        [Score::from_thousandths(thousandths).unwrap()].into()
    }

    fn digest(character: char) -> BundleKey {
        let digest = character.to_string().repeat(64);
        BundleKey::new(&moderation::BundleDigest::new(digest).unwrap())
    }

    #[test]
    fn bundles_do_not_share_scores() {
        let cache = ScoreCache::new(64);
        cache.insert(digest('a'), 1, scores(5));
        assert_eq!(cache.get(digest('a'), 1), Some(scores(5)));
        assert_eq!(cache.get(digest('b'), 1), None);
        assert_eq!(cache.get(digest('a'), 2), None);
    }

    #[test]
    fn the_number_of_entries_is_bounded_and_what_is_used_stays() {
        let cache = ScoreCache::new(64);
        let spread = |text: u128| text | text << 64;
        cache.insert(digest('a'), 0, scores(7));
        for text in 1..10_000 {
            cache.insert(digest('a'), spread(text), scores(1));
            assert_eq!(cache.get(digest('a'), 0), Some(scores(7)));
        }
        let held: usize = cache
            .shards
            .iter()
            .map(|shard| {
                let shard = shard.lock().unwrap();
                shard.recent.len() + shard.earlier.len()
            })
            .sum();
        assert!((32..=64).contains(&held), "{held}");
    }

    #[test]
    fn keys_depend_on_every_feature_and_on_the_secret() {
        let features = |ids: &[i32], window_ends: &[u32]| Features {
            ids: ids.to_vec(),
            window_ends: window_ends.to_vec(),
            sampled: false,
        };
        let mut maker = KeyMaker::new(Secret::random());
        let one = maker.key(&features(&[1, 2], &[2]));
        assert_eq!(one, maker.key(&features(&[1, 2], &[2])));
        for other in [
            features(&[2, 1], &[2]),
            features(&[1, 2], &[1, 2]),
            features(&[2], &[1]),
        ] {
            assert_ne!(one, maker.key(&other));
        }
        let mut other = KeyMaker::new(Secret::random());
        assert_ne!(one, other.key(&features(&[1, 2], &[2])));
    }
}

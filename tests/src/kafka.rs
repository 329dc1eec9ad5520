//! Apache Kafka, for what the in-process broker cannot show: transactions, fencing, compaction, kill -9.

mod cluster;
mod description;
mod program;

pub use cluster::{Cluster, ClusterOptions};
pub use description::{Mechanism, Secure};

use std::hash::{BuildHasher, Hasher, RandomState};

/// Returns a topic prefix that begins with `name` and that nobody else uses, on whatever cluster and however often.
pub fn unique_prefix(name: &str) -> String {
    // Each of these is keyed at random.
    let random = RandomState::new().build_hasher().finish();
    format!("{name}-{random:016x}")
}

//! Benchmarks of Tidegate's parts, each beside the least that the same work could cost.
//!
//! A benchmark is a program of its own below `benches/`, run by `cargo bench -p tidegate-benches --bench NAME`. It
//! measures its subject and a baseline in turns, in one process, so that a disturbance of the machine meets both, and
//! reports medians with the 10th and 90th percentile of rounds, and the ratio of subject to baseline within a round.
//!
//! Limits: a figure is worth comparing with others of the same run. Those of `--quick` are worth nothing; it only shows
//! that everything still runs.

mod bench;
mod cpu;
mod options;
mod report;
pub mod samples;
mod spread;
mod texts;

use std::path::{Path, PathBuf};

use clap::{CommandFactory, FromArgMatches};

pub use self::bench::Bench;
pub use self::cpu::{Cost, Meter};
use self::options::Options;
pub use self::texts::Texts;

/// Runs a benchmark and prints what it found. `about` says what is measured against what.
///
/// # Errors
/// Whatever keeps the benchmark from measuring.
pub fn run(
    name: &'static str,
    about: &'static str,
    measure: impl FnOnce(&mut Bench) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let matches = Options::command().name(name).about(about).get_matches();
    let options = Options::from_arg_matches(&matches)?;
    let as_json = options.json;
    let mut bench = Bench::new(options);
    measure(&mut bench)?;
    bench.into_report(name, about).print(as_json)
}

/// Returns the repository's root, wherever the benchmark is run.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

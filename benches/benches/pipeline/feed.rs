//! Putting records in, no faster than they come out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use kafka_pipeline::{OutputRecord, Publisher};
use tidegate_benches::{Cost, Meter};

/// About a scored event.
const RECORD_BYTES: usize = 450;
/// The in-process broker keeps 5 MiB of a partition and drops what is older; this is an eighth of that.
const MOST_UNDER_WAY: u64 = 12_000;
/// How often the other end is looked at.
const RECORDS_PER_LOOK: u64 = 256;
const PATIENCE: Duration = Duration::from_secs(30);

/// Publishes `records` records to `topic` and waits until `carried`, which counts what has reached the last topic since the
/// start, has grown as much.
pub(crate) fn feed(
    publisher: &Publisher,
    topic: &str,
    records: usize,
    carried: impl Fn() -> u64,
) -> anyhow::Result<Cost> {
    let records = records as u64;
    let topic: Arc<str> = topic.into();
    let failures = Arc::new(AtomicU64::new(0));
    let before = carried();
    let meter = Meter::start();
    for number in 0..records {
        let record = OutputRecord::new(
            Arc::clone(&topic),
            number.to_le_bytes(),
            vec![7; RECORD_BYTES],
        );
        let failures = Arc::clone(&failures);
        publisher.publish_with(&record, move |published| {
            if published.is_err() {
                failures.fetch_add(1, Ordering::Relaxed);
            }
        })?;
        if number.is_multiple_of(RECORDS_PER_LOOK) {
            wait_until(&carried, before + number.saturating_sub(MOST_UNDER_WAY))?;
        }
    }
    wait_until(&carried, before + records)?;
    let cost = meter.cost();
    let failed = failures.load(Ordering::Relaxed);
    ensure!(failed == 0, "{failed} records were not published");
    ensure!(
        carried() == before + records,
        "more records came out than went in"
    );
    Ok(cost)
}

fn wait_until(carried: &impl Fn() -> u64, records: u64) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while carried() < records {
        ensure!(
            Instant::now() < deadline,
            "{} of {records} records were carried within {PATIENCE:?}",
            carried()
        );
        thread::park_timeout(Duration::from_millis(1));
    }
    Ok(())
}

//! A process that stood still goes on with nothing that it knew.

use std::time::{Duration, Instant};

use kafka_pipeline::{Error, Lease, Pipeline};

use crate::harness::{Collected, Fixture, OUTPUT, PATIENCE, copy, failure, until};

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_delivered_when_a_lease_expired_is_read_again() {
    let fixture = Fixture::new(2);
    fixture.feed(0..10);
    let mut config = fixture.config();
    let lease = Lease::grant(Instant::now(), LONG);
    config.lease = Some(lease.clone());
    let first = Collected::start(config);
    let mut taken = first.take(20);
    let undelivered = taken.split_off(10);
    taken.into_iter().for_each(copy);

    lease.renew(Instant::now(), Duration::ZERO);
    assert_eq!(failure(&first.handle).await, Error::LeaseExpired);
    // Whoever still works on something finds nobody who would deliver it.
    undelivered.into_iter().for_each(copy);

    let mut config = fixture.config();
    config.lease = Some(Lease::grant(Instant::now(), LONG));
    let second = Pipeline::start(config, copy).unwrap();
    until("everything is delivered", || {
        let delivered = tokio::task::block_in_place(|| fixture.numbers(OUTPUT));
        delivered.len() == 2 && delivered.values().all(|numbers| has_each(numbers, 10))
    })
    .await;
    second.drain(PATIENCE).await.unwrap();
}

fn has_each(numbers: &[u32], count: u32) -> bool {
    (0..count).all(|number| numbers.contains(&number))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_consumed_under_an_expired_lease() {
    let fixture = Fixture::new(1);
    fixture.feed(0..3);
    let mut config = fixture.config();
    config.lease = Some(Lease::grant(Instant::now(), Duration::ZERO));
    let pipeline = Collected::start(config);
    assert_eq!(failure(&pipeline.handle).await, Error::LeaseExpired);
    assert!(pipeline.try_next().is_none());
}

//! Pausing, settling, and what a handle tells.

use std::time::Duration;

use kafka_pipeline::{Error, Pipeline, State};

use crate::harness::{Collected, Fixture, OUTPUT, PATIENCE, copy, until, until_settled};

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_pipeline_consumes_nothing() {
    let fixture = Fixture::new(2);
    fixture.feed(0..5);
    let mut config = fixture.config();
    config.start_paused = true;
    let handle = Pipeline::start(config, copy).unwrap();
    until("partitions are assigned and paused", || {
        handle.progress().paused_partitions == 2
    })
    .await;
    assert_eq!(*handle.state().borrow(), State::Paused);
    assert_eq!(handle.progress().dispatched, 0);

    handle.resume();
    until_settled(&handle, 10).await;
    assert_eq!(*handle.state().borrow(), State::Running);

    handle.pause();
    handle
        .state()
        .wait_for(|state| *state == State::Paused)
        .await
        .unwrap();
    fixture.feed(5..10);
    assert_eq!(handle.progress().dispatched, 10);
    handle.resume();
    until_settled(&handle, 20).await;
    tokio::task::block_in_place(|| {
        assert_eq!(fixture.numbers(OUTPUT), fixture.all_in_order(0..10))
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn settled_waits_for_all_that_was_dispatched_before() {
    let fixture = Fixture::new(1);
    fixture.feed(0..3);
    let pipeline = Collected::start(fixture.config());
    pipeline.handle.settled().await.unwrap();
    let mut records = pipeline.take(3);
    let last = records.pop().unwrap();
    {
        let settled = pipeline.handle.settled();
        tokio::pin!(settled);
        records.into_iter().for_each(copy);
        until_settled(&pipeline.handle, 2).await;
        let still_waiting = tokio::time::timeout(Duration::ZERO, &mut settled).await;
        assert!(
            still_waiting.is_err(),
            "settled while a record was in flight"
        );
        copy(last);
        // What comes later does not delay it.
        fixture.feed(3..4);
        let _later = pipeline.next();
        tokio::time::timeout(PATIENCE, settled)
            .await
            .unwrap()
            .unwrap();
    }
    assert_eq!(pipeline.handle.progress().settled, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_and_may_still_arrive_is_not_settled() {
    let fixture = Fixture::new(1);
    fixture.feed(0..3);
    let pipeline = Collected::start(fixture.config());
    let records = pipeline.take(3);
    fixture.broker.take_down().unwrap();
    let settled = pipeline.handle.settled();
    records.into_iter().for_each(copy);
    let drained = pipeline.handle.drain(Duration::from_millis(200)).await;
    assert_eq!(
        drained,
        Err(Error::Stopped(
            "3 records were in flight at the deadline".to_owned()
        ))
    );
    let settled = tokio::time::timeout(PATIENCE, settled).await.unwrap();
    assert!(matches!(settled, Err(Error::Stopped(_))), "{settled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settled_ends_with_the_pipeline() {
    let fixture = Fixture::new(1);
    fixture.feed(0..1);
    let pipeline = Collected::start(fixture.config());
    let stuck = pipeline.next();
    let settled = pipeline.handle.settled();
    tokio::pin!(settled);
    assert!(
        tokio::time::timeout(Duration::ZERO, &mut settled)
            .await
            .is_err()
    );
    drop(stuck);
    let ended = tokio::time::timeout(PATIENCE, settled).await.unwrap();
    assert!(matches!(ended, Err(Error::Abandoned { .. })), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_age_of_the_oldest_record_grows_until_it_is_finished() {
    let fixture = Fixture::new(1);
    fixture.feed(0..1);
    let pipeline = Collected::start(fixture.config());
    let stuck = pipeline.next();
    let age = || pipeline.handle.progress().oldest_in_flight;
    until("the record ages", || age() > Duration::from_millis(150)).await;
    assert!(pipeline.handle.heartbeat_age() < Duration::from_secs(1));
    copy(stuck);
    until("nothing is in flight", || age() == Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lag_counts_what_is_behind() {
    let fixture = Fixture::new(1);
    fixture.feed(0..30);
    let mut config = fixture.config();
    config.options.max_in_flight_events = 10;
    let pipeline = Collected::start(config);
    until("the lag is known", || {
        pipeline.handle.progress().lag_records == 20
    })
    .await;
    (0..30).for_each(|_| copy(pipeline.next()));
    until("the lag is gone", || {
        pipeline.handle.progress().lag_records == 0
    })
    .await;
}

//! Partitions change hands without loss.

use std::time::Duration;

use kafka_pipeline::Pipeline;

use crate::harness::{Collected, Fixture, OUTPUT, PATIENCE, copy, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_loses_and_repeats_nothing() {
    let fixture = Fixture::new(4);
    fixture.feed(0..100);
    let first = Pipeline::start(fixture.config(), copy).unwrap();
    until("the first owns all", || first.progress().dispatched > 0).await;
    let second = Pipeline::start(fixture.config(), copy).unwrap();
    fixture.feed(100..200);
    until("both own some", || {
        (1..4).contains(&first.progress().assigned_partitions)
            && second.progress().assigned_partitions > 0
    })
    .await;
    fixture.feed(200..300);
    until("all is settled", || {
        first.progress().settled + second.progress().settled >= 1200
    })
    .await;
    assert!(
        second.progress().dispatched > 0,
        "the second has done nothing"
    );
    first.drain(PATIENCE).await.unwrap();
    fixture.feed(300..310);
    until("the second took over", || {
        first.progress().settled + second.progress().settled >= 1240
    })
    .await;
    second.drain(PATIENCE).await.unwrap();
    tokio::task::block_in_place(|| {
        assert_eq!(fixture.numbers(OUTPUT), fixture.all_in_order(0..310))
    });
    assert_eq!(
        first.progress().stale_results + second.progress().stale_results,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn results_that_come_after_the_hand_over_are_discarded() {
    let fixture = Fixture::new(2);
    fixture.feed(0..5);
    let mut config = fixture.config();
    config.options.rebalance_drain = Duration::from_millis(50);
    let first = Collected::start(config);
    let stuck = first.take(10);
    let second = Pipeline::start(fixture.config(), copy).unwrap();
    // The second reads what the first has not finished, from the beginning: nothing was committed.
    until("the second has done one partition", || {
        second.progress().settled >= 5
    })
    .await;
    stuck.into_iter().for_each(copy);
    until("late results are counted", || {
        first.handle.progress().stale_results == 5
    })
    .await;
    first.handle.drain(PATIENCE).await.unwrap();
    second.drain(PATIENCE).await.unwrap();
    tokio::task::block_in_place(|| assert_eq!(fixture.numbers(OUTPUT), fixture.all_in_order(0..5)));
}

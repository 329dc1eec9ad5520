//! Outputs keep the order of their records, whatever the order of finishing.

use std::thread;

use kafka_pipeline::{Headers, Outcome, OutputRecord, Pipeline};
use proptest::prelude::{Strategy, any};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::harness::{Collected, Fixture, OUTPUT, PATIENCE, copied, copy, until_settled};

#[tokio::test(flavor = "multi_thread")]
async fn outputs_are_in_order_though_records_finish_in_disorder() {
    let fixture = Fixture::new(4);
    fixture.feed(0..250);
    let pipeline = Collected::start(fixture.config());
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    // Windows of records are finished back to front or shuffled, from two threads.
    for window in [1000 - 900, 300, 7, 593] {
        let mut records = pipeline.take(window);
        let keys = proptest::collection::vec(any::<u32>(), window)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let mut keyed: Vec<_> = keys.into_iter().zip(records.drain(..)).collect();
        keyed.sort_by_key(|(key, _)| *key);
        let other = keyed.split_off(window / 2);
        let finish = |part: Vec<(u32, kafka_pipeline::Dispatched)>| {
            move || {
                for (_, dispatched) in part {
                    let outcome = copied(dispatched.record());
                    dispatched.finish(outcome);
                }
            }
        };
        let threads = [thread::spawn(finish(keyed)), thread::spawn(finish(other))];
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    }
    pipeline.handle.drain(PATIENCE).await.unwrap();
    tokio::task::block_in_place(|| {
        assert_eq!(fixture.numbers(OUTPUT), fixture.all_in_order(0..250))
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_waits_for_all_before_it() {
    let fixture = Fixture::new(1);
    fixture.feed(0..3);
    let pipeline = Collected::start(fixture.config());
    let mut records = pipeline.take(3);
    let first = records.remove(0);
    for dispatched in records {
        copy(dispatched);
    }
    // Drained records are settled or given up; these two are neither while the first is in flight.
    let progress = pipeline.handle.progress();
    assert_eq!((progress.dispatched, progress.settled), (3, 0));
    tokio::task::block_in_place(|| assert_eq!(fixture.numbers(OUTPUT).len(), 0));
    copy(first);
    until_settled(&pipeline.handle, 3).await;
    tokio::task::block_in_place(|| assert_eq!(fixture.numbers(OUTPUT), fixture.all_in_order(0..3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_outputs_keep_their_order_and_the_trace_context() {
    let fixture = Fixture::new(1);
    let publisher = kafka_pipeline::Publisher::new(&fixture.options).unwrap();
    let input = OutputRecord::new(crate::harness::INPUT.into(), "k", b"x".to_vec())
        .with_header("traceparent", "00-aa-bb-01")
        .with_header("other", "left out");
    publisher.publish(input).await.unwrap();
    let handle = Pipeline::start(
        fixture.config(),
        |dispatched: kafka_pipeline::Dispatched| {
            let outputs = (0..3_u8)
                .map(|i| OutputRecord::new(OUTPUT.into(), "k", vec![i]))
                .collect();
            dispatched.finish(Outcome::produce(outputs));
        },
    )
    .unwrap();
    until_settled(&handle, 1).await;
    let records = tokio::task::block_in_place(|| fixture.read(OUTPUT));
    let values: Vec<_> = records[&0].iter().map(|record| record.value[0]).collect();
    assert_eq!(values, [0, 1, 2]);
    let expected: Headers = [("traceparent", "00-aa-bb-01")].into_iter().collect();
    assert!(records[&0].iter().all(|record| record.headers == expected));
}

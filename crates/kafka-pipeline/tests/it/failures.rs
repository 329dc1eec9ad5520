//! A broker in trouble: what goes away by itself is waited for, all else is a clear error.

use std::collections::BTreeSet;

use kafka_pipeline::{Error, OffsetReset, Pipeline, PipelineConfig, ProduceFault};

use crate::harness::{Collected, Fixture, OUTPUT, PATIENCE, copy, failure, until_settled};

#[tokio::test(flavor = "multi_thread")]
async fn faults_that_pass_are_retried() {
    let fixture = Fixture::new(1);
    fixture.feed(0..50);
    let pipeline = Collected::start(fixture.config());
    let records = pipeline.take(50);
    let faults = [
        ProduceFault::NotLeader,
        ProduceFault::TimedOut,
        ProduceFault::Disconnect,
    ];
    fixture.broker.fail_produce_requests(&faults).unwrap();
    records.into_iter().for_each(copy);
    until_settled(&pipeline.handle, 50).await;
    let numbers = tokio::task::block_in_place(|| fixture.numbers(OUTPUT));
    let distinct: BTreeSet<u32> = numbers[&0].iter().copied().collect();
    assert_eq!(distinct, (0..50).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_comes_back_is_used_again() {
    let fixture = Fixture::new(1);
    fixture.feed(0..10);
    let pipeline = Collected::start(fixture.config());
    let records = pipeline.take(10);
    fixture.broker.take_down().unwrap();
    records.into_iter().for_each(copy);
    assert_eq!(pipeline.handle.progress().settled, 0);
    fixture.broker.bring_up().unwrap();
    until_settled(&pipeline.handle, 10).await;
    tokio::task::block_in_place(|| {
        assert_eq!(fixture.numbers(OUTPUT), fixture.all_in_order(0..10))
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_down_at_the_start_is_waited_for() {
    let fixture = Fixture::new(1);
    fixture.feed(0..10);
    fixture.broker.take_down().unwrap();
    let given_up = Pipeline::start(fixture.config(), copy).unwrap();
    given_up.drain(PATIENCE).await.unwrap();
    let handle = Pipeline::start(fixture.config(), copy).unwrap();
    fixture.broker.bring_up().unwrap();
    until_settled(&handle, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_producer_stops_the_pipeline() {
    let fixture = Fixture::new(1);
    fixture.feed(0..1);
    let pipeline = Collected::start(fixture.config());
    let record = pipeline.next();
    fixture
        .broker
        .fail_produce_requests(&[ProduceFault::NotAuthorised])
        .unwrap();
    copy(record);
    let error = failure(&pipeline.handle).await;
    assert!(
        matches!(&error, Error::AccessRefused(what) if what.contains(OUTPUT)),
        "{error:?}"
    );
}

async fn check_start_fails(
    change: impl FnOnce(&mut PipelineConfig),
    is_expected: impl FnOnce(&Error) -> bool,
) {
    let fixture = Fixture::new(1);
    let mut config = fixture.config();
    change(&mut config);
    let error = match Pipeline::start(config, copy) {
        Ok(handle) => failure(&handle).await,
        Err(error) => error,
    };
    assert!(is_expected(&error), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_start_is_a_clear_error() {
    check_start_fails(
        |config| config.inputs.push("no-such-topic".to_owned()),
        |error| matches!(error, Error::UnknownTopic(_)),
    )
    .await;
    check_start_fails(
        |config| config.options.auto_offset_reset = OffsetReset::Error,
        |error| matches!(error, Error::OffsetOutOfRange(_)),
    )
    .await;
    check_start_fails(
        |config| {
            drop(
                config
                    .kafka
                    .client
                    .insert("no.such.setting".to_owned(), "1".to_owned()),
            )
        },
        |error| matches!(error, Error::Setting(setting) if setting.key == "kafka.client.no.such.setting"),
    )
    .await;
    check_start_fails(
        |config| {
            drop(
                config
                    .kafka
                    .consumer
                    .insert("group.id".to_owned(), "other".to_owned()),
            )
        },
        |error| matches!(error, Error::Setting(setting) if setting.key == "kafka.consumer.group.id"),
    )
    .await;
}

//! Nothing is committed before it is done.

use std::time::Duration;

use kafka_pipeline::{Error, Pipeline, State};

use crate::harness::{Collected, Fixture, OUTPUT, PATIENCE, copy, failure, until, until_settled};

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_resumes_at_the_gap() {
    let fixture = Fixture::new(1);
    fixture.feed(0..20);
    let first = Collected::start(fixture.config());
    let mut stuck = None;
    for dispatched in first.take(20) {
        match dispatched.record().offset {
            7 => stuck = Some(dispatched),
            _ => copy(dispatched),
        }
    }
    let drained = first.handle.drain(Duration::from_millis(200)).await;
    assert_eq!(
        drained,
        Err(Error::Stopped(
            "13 records were in flight at the deadline".to_owned()
        ))
    );
    drop(stuck);

    let second = Collected::start(fixture.config());
    assert_eq!(second.next().record().offset, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_finishes_and_commits_all() {
    let fixture = Fixture::new(2);
    fixture.feed(0..50);
    let first = Collected::start(fixture.config());
    let records = first.take(100);
    let finishing = async {
        first
            .handle
            .state()
            .wait_for(|state| *state == State::Draining)
            .await
            .unwrap();
        records.into_iter().for_each(copy);
    };
    let (drained, ()) = tokio::join!(first.handle.drain(PATIENCE), finishing);
    drained.unwrap();
    tokio::task::block_in_place(|| {
        assert_eq!(fixture.numbers(OUTPUT), fixture.all_in_order(0..50))
    });

    fixture.feed(50..51);
    let second = Collected::start(fixture.config());
    let offsets: Vec<_> = second
        .take(2)
        .iter()
        .map(|dispatched| dispatched.record().offset)
        .collect();
    assert_eq!(offsets, [50, 50]);
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_are_committed_while_running() {
    let fixture = Fixture::new(1);
    fixture.feed(0..10);
    let mut config = fixture.config();
    config.options.commit_interval = Duration::from_millis(20);
    let first = Pipeline::start(config.clone(), copy).unwrap();
    until_settled(&first, 10).await;
    // The commit is visible from outside only to a member of the group: ask the broker itself.
    let consumer = committed_reader(&fixture);
    until("the offset is committed", || {
        committed(&consumer) == Some(10)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_dropped_without_an_outcome_stops_the_pipeline() {
    let fixture = Fixture::new(1);
    fixture.feed(0..3);
    let pipeline = Collected::start(fixture.config());
    let mut records = pipeline.take(3);
    copy(records.remove(0));
    until_settled(&pipeline.handle, 1).await;
    drop(records.remove(0));
    let expected = Error::Abandoned {
        topic: "input".to_owned(),
        partition: 0,
        offset: 1,
    };
    assert_eq!(failure(&pipeline.handle).await, expected);
    assert_eq!(pipeline.handle.drain(PATIENCE).await, Err(expected));
    // Finishing a record of a pipeline that has ended is harmless.
    copy(records.remove(0));

    let second = Collected::start(fixture.config());
    assert!(
        second.next().record().offset <= 1,
        "the dropped record was committed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panicking_processor_stops_the_pipeline() {
    let fixture = Fixture::new(1);
    fixture.feed(0..1);
    let handle = Pipeline::start(fixture.config(), |_: kafka_pipeline::Dispatched| {
        panic!("on purpose")
    })
    .unwrap();
    assert!(matches!(
        failure(&handle).await,
        Error::Stopped(_) | Error::Abandoned { .. }
    ));
}

type PlainConsumer = rdkafka::consumer::BaseConsumer;

fn committed_reader(fixture: &Fixture) -> PlainConsumer {
    rdkafka::ClientConfig::new()
        .set("bootstrap.servers", &fixture.options.brokers)
        .set("group.id", "group")
        .create()
        .unwrap()
}

fn committed(consumer: &PlainConsumer) -> Option<i64> {
    use rdkafka::consumer::Consumer;
    let mut partitions = rdkafka::TopicPartitionList::new();
    partitions.add_partition("input", 0);
    let committed = consumer.committed_offsets(partitions, PATIENCE).unwrap();
    match committed.elements()[0].offset() {
        rdkafka::Offset::Offset(offset) => Some(offset),
        _ => None,
    }
}

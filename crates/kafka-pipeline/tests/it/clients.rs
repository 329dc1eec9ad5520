//! The publisher and the follower.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use kafka_pipeline::{
    Error, Follower, FollowerConfig, FollowerEvent, OutputRecord, Publisher, StartAt,
};

use crate::harness::{Fixture, INPUT, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_reads_to_the_end_and_goes_on() {
    let fixture = Fixture::new(1);
    let publisher = Publisher::new(&fixture.options).unwrap();
    let config = FollowerConfig::from_beginning(fixture.options.clone(), INPUT);
    let (follower, mut events) = Follower::channel(config, 1).unwrap();
    assert_eq!(events.recv().await, Some(FollowerEvent::EndOfPartition(0)));

    publisher
        .publish(OutputRecord::new(INPUT.into(), "a", b"1".to_vec()))
        .await
        .unwrap();
    publisher
        .publish(OutputRecord::tombstone(INPUT.into(), "a"))
        .await
        .unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        if let FollowerEvent::Record(record) = events.recv().await.unwrap() {
            seen.push((record.offset, record.value, record.is_tombstone));
        }
    }
    assert_eq!(seen, [(0, b"1".to_vec(), false), (1, Vec::new(), true)]);
    follower.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_tells_when_the_brokers_go_and_when_it_is_up_to_date_again() {
    let fixture = Fixture::new(1);
    fixture.feed(0..3);
    let config = FollowerConfig::from_beginning(fixture.options.clone(), INPUT);
    let (_follower, mut events) = Follower::channel(config, 10).unwrap();
    let mut offsets = Vec::new();
    while let FollowerEvent::Record(record) = events.recv().await.unwrap() {
        offsets.push(record.offset);
    }
    assert_eq!(offsets, [0, 1, 2]);
    fixture.broker.take_down().unwrap();
    assert_eq!(events.recv().await, Some(FollowerEvent::Disconnected));
    fixture.broker.bring_up().unwrap();
    let mut next = events.recv().await.unwrap();
    while next == FollowerEvent::Disconnected {
        next = events.recv().await.unwrap();
    }
    // No record is handed out twice.
    assert_eq!(next, FollowerEvent::EndOfPartition(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_waits_for_brokers_that_are_away_at_the_start() {
    let fixture = Fixture::new(1);
    fixture.feed(0..1);
    fixture.broker.take_down().unwrap();
    for start in [StartAt::Beginning, StartAt::End] {
        let mut config = FollowerConfig::from_beginning(fixture.options.clone(), INPUT);
        config.start = start;
        let given_up = Follower::channel(config, 10).unwrap().0;
        given_up.stop();
    }
    let config = FollowerConfig::from_beginning(fixture.options.clone(), INPUT);
    let (_follower, mut events) = Follower::channel(config, 10).unwrap();
    fixture.broker.bring_up().unwrap();
    let mut next = events.recv().await.unwrap();
    while next == FollowerEvent::Disconnected {
        next = events.recv().await.unwrap();
    }
    assert!(matches!(next, FollowerEvent::Record(_)), "{next:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_starts_where_it_is_told() {
    let fixture = Fixture::new(2);
    fixture.feed(0..10);
    let check = async |start: StartAt, partitions: Option<Vec<i32>>, expected: Vec<(i32, i64)>| {
        let mut config = FollowerConfig::from_beginning(fixture.options.clone(), INPUT);
        let mut open = partitions.as_ref().map_or(2, Vec::len);
        config.start = start;
        config.partitions = partitions;
        let (_follower, mut events) = Follower::channel(config, 100).unwrap();
        let mut seen = Vec::new();
        while open > 0 {
            match events.recv().await.unwrap() {
                FollowerEvent::Record(record) => seen.push((record.partition, record.offset)),
                FollowerEvent::EndOfPartition(_) => open -= 1,
                other => panic!("{other:?}"),
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, expected);
    };
    check(StartAt::End, None, vec![]).await;
    check(
        StartAt::Offsets(BTreeMap::from([(0, 8), (1, 9)])),
        None,
        vec![(0, 8), (0, 9), (1, 9)],
    )
    .await;
    let all_of_one = (0..10).map(|offset| (1, offset)).collect();
    check(StartAt::Beginning, Some(vec![1]), all_of_one).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_started_at_the_end_misses_nothing_of_an_outage() {
    let fixture = Fixture::new(1);
    fixture.feed(0..3);
    let mut config = FollowerConfig::from_beginning(fixture.options.clone(), INPUT);
    config.start = StartAt::End;
    let (tell, mut told) = tokio::sync::mpsc::channel(10);
    let (go_on, going_on) = std::sync::mpsc::sync_channel(1);
    let _follower = Follower::start(config, move |event| {
        // Whoever reads on does so only after something has come.
        let is_outage = event == FollowerEvent::Disconnected;
        tell.blocking_send(event).unwrap();
        if is_outage {
            going_on.recv().unwrap();
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(told.recv().await, Some(FollowerEvent::EndOfPartition(0)));
    fixture.broker.take_down().unwrap();
    assert_eq!(told.recv().await, Some(FollowerEvent::Disconnected));
    fixture.broker.bring_up().unwrap();
    tokio::task::block_in_place(|| fixture.feed(3..4));
    go_on.send(()).unwrap();
    let offset = loop {
        match told.recv().await.unwrap() {
            FollowerEvent::Record(record) => break Some(record.offset),
            FollowerEvent::EndOfPartition(_) => break None,
            FollowerEvent::Disconnected => go_on.send(()).unwrap(),
            FollowerEvent::Failed(error) => panic!("{error}"),
        }
    };
    assert_eq!(offset, Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_says_what_is_broken() {
    let fixture = Fixture::new(1);
    let config = FollowerConfig::from_beginning(fixture.options.clone(), "no-such-topic");
    let (_follower, mut events) = Follower::channel(config, 10).unwrap();
    let failed = events.recv().await.unwrap();
    assert!(
        matches!(failed, FollowerEvent::Failed(Error::UnknownTopic(_))),
        "{failed:?}"
    );

    let mut config = FollowerConfig::from_beginning(fixture.options.clone(), INPUT);
    config.start = StartAt::Offsets(BTreeMap::from([(0, 99)]));
    let (_follower, mut events) = Follower::channel(config, 10).unwrap();
    let failed = events.recv().await.unwrap();
    assert!(
        matches!(failed, FollowerEvent::Failed(Error::OffsetOutOfRange(_))),
        "{failed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_ends_when_told_or_dropped() {
    let fixture = Fixture::new(1);
    fixture.feed(0..100);
    let config = FollowerConfig::from_beginning(fixture.options.clone(), INPUT);
    // The channel is full and nobody reads.
    let (follower, events) = Follower::channel(config.clone(), 1).unwrap();
    follower.stop();
    drop(events);

    let (sender, counted) = tokio::sync::oneshot::channel();
    let (mut count, mut sender) = (0, Some(sender));
    let follower = Follower::start(config, move |_| {
        count += 1;
        if count < 5 {
            return ControlFlow::Continue(());
        }
        sender.take().unwrap().send(count).unwrap();
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!(counted.await, Ok(5));
    follower.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_reports_what_became_of_a_record() {
    let fixture = Fixture::new(1);
    let mut options = fixture.options.clone();
    options
        .producer
        .insert("message.max.bytes".to_owned(), "2000".to_owned());
    let publisher = Publisher::new(&options).unwrap();
    let large = OutputRecord::new(INPUT.into(), "k", vec![0; 3000]);
    assert_eq!(publisher.publish(large).await, Err(Error::MessageTooLarge));
    for offset in 0..3 {
        let published = publisher
            .publish(OutputRecord::new(INPUT.into(), "k", Vec::new()))
            .await
            .unwrap();
        assert_eq!((published.partition, published.offset), (0, offset));
    }
    publisher.flush(PATIENCE).unwrap();
    assert_eq!(publisher.in_flight(), 0);
}

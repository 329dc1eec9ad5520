//! What is in flight is bounded, and what is too large is put aside.

use std::collections::BTreeSet;

use bytesize::ByteSize;
use kafka_pipeline::{
    Dispatched, Headers, Outcome, OutputRecord, Pipeline, PipelineConfig, ProduceFault, Publisher,
    Rejection, dead_letter,
};

use crate::harness::{
    Collected, DEAD_LETTER, Fixture, INPUT, OUTPUT, PATIENCE, copy, until, until_settled,
};

/// Feeds 100 records of one byte value and three bytes of key, with nothing finished, and expects exactly `expected` to
/// be let in; then finishes all of them.
async fn check_let_in(limit: impl FnOnce(&mut PipelineConfig), expected: u64) {
    let fixture = Fixture::new(2);
    fixture.feed(0..50);
    let mut config = fixture.config();
    limit(&mut config);
    let pipeline = Collected::start(config);
    until("partitions are paused", || {
        pipeline.handle.progress().paused_partitions == 2
    })
    .await;
    assert_eq!(pipeline.handle.progress().dispatched, expected);
    let mut done = 0;
    while done < 100 {
        copy(pipeline.next());
        done += 1;
    }
    pipeline.handle.drain(PATIENCE).await.unwrap();
    assert!(pipeline.try_next().is_none());
    tokio::task::block_in_place(|| {
        assert_eq!(fixture.numbers(OUTPUT), fixture.all_in_order(0..50))
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_processor_lets_in_exactly_the_events_of_the_budget() {
    check_let_in(|config| config.options.max_in_flight_events = 10, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_larger_than_the_budget_is_let_in_alone() {
    check_let_in(
        |config| config.options.max_in_flight_bytes = ByteSize::b(3),
        1,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_record_is_kept_as_it_came() {
    let fixture = Fixture::new(1);
    let bytes: Vec<u8> = (0..=255).collect();
    let mut input = OutputRecord::new(INPUT.into(), [0xff, 0x00], bytes.clone())
        .with_header("content-type", "application/json")
        .with_header(dead_letter::REASON, "forged")
        .with_timestamp_ms(1_700_000_000_123);
    input.headers.push_nullable("empty", None);
    let publisher = Publisher::new(&fixture.options).unwrap();
    let published = publisher.publish(input).await.unwrap();
    assert_eq!((published.partition, published.offset), (0, 0));

    let handle = Pipeline::start(fixture.config(), |dispatched: Dispatched| {
        let output = OutputRecord::new(OUTPUT.into(), "k", b"decided".to_vec());
        dispatched.finish(Outcome {
            outputs: vec![output],
            rejection: Some(Rejection::new("undecodable", "field parts")),
        });
    })
    .unwrap();
    until_settled(&handle, 1).await;
    assert_eq!(handle.progress().dead_letters, 1);

    let letters = tokio::task::block_in_place(|| fixture.read(DEAD_LETTER));
    let letter = &letters[&0][0];
    assert_eq!(letter.value, bytes);
    assert_eq!(letter.key.as_deref(), Some([0xff, 0x00].as_slice()));
    let mut expected: Headers = [
        ("content-type", "application/json"),
        (dead_letter::REASON, "forged"),
    ]
    .into_iter()
    .collect();
    expected.push_nullable("empty", None);
    for (name, value) in [
        (dead_letter::REASON, "undecodable"),
        (dead_letter::DETAIL, "field parts"),
        (dead_letter::STAGE, "test"),
        (dead_letter::SOURCE_TOPIC, INPUT),
        (dead_letter::SOURCE_PARTITION, "0"),
        (dead_letter::SOURCE_OFFSET, "0"),
        (dead_letter::SOURCE_TIMESTAMP_MS, "1700000000123"),
    ] {
        expected.push(name, value);
    }
    let shown = |headers: &Headers| -> Vec<(String, Option<Vec<u8>>)> {
        headers
            .iter()
            .map(|(n, v)| (n.to_owned(), v.map(<[u8]>::to_vec)))
            .collect()
    };
    assert_eq!(shown(&letter.headers), shown(&expected));
    assert_eq!(
        letter.headers.get(dead_letter::REASON),
        Some(b"undecodable".as_slice())
    );
    // The record was also decided.
    tokio::task::block_in_place(|| assert_eq!(fixture.read(OUTPUT)[&0][0].value, b"decided"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_that_is_too_large_becomes_a_dead_letter_of_its_source() {
    let fixture = Fixture::new(1);
    fixture.feed(0..5);
    let mut config = fixture.config();
    config
        .kafka
        .producer
        .insert("message.max.bytes".to_owned(), "2000".to_owned());
    let handle = Pipeline::start(config, |dispatched: Dispatched| {
        if dispatched.record().offset == 2 {
            let large = |_| OutputRecord::new(OUTPUT.into(), "k", vec![b'x'; 3000]);
            dispatched.finish(Outcome::produce((0..2).map(large).collect()));
        } else {
            copy(dispatched);
        }
    })
    .unwrap();
    until_settled(&handle, 5).await;
    // Two outputs of one record were too large: that is one dead letter.
    assert_eq!(handle.progress().dead_letters, 1);
    tokio::task::block_in_place(|| {
        let letters = fixture.read(DEAD_LETTER);
        assert_eq!(letters[&0].len(), 1);
        let letter = &letters[&0][0];
        assert_eq!(letter.value, b"2");
        let reason = letter.headers.get(dead_letter::REASON).unwrap();
        assert_eq!(reason, dead_letter::OUTPUT_TOO_LARGE.as_bytes());
        assert_eq!(
            letter.headers.get(dead_letter::SOURCE_OFFSET),
            Some(b"2".as_slice())
        );
        assert_eq!(fixture.numbers(OUTPUT)[&0], [0, 1, 3, 4]);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_is_too_large_says_where_its_source_lies() {
    let fixture = Fixture::new(1);
    let publisher = Publisher::new(&fixture.options).unwrap();
    let large =
        OutputRecord::new(INPUT.into(), "k", vec![b'x'; 3000]).with_header("h", vec![b'y'; 3000]);
    publisher.publish(large).await.unwrap();
    let mut config = fixture.config();
    config
        .kafka
        .producer
        .insert("message.max.bytes".to_owned(), "2000".to_owned());
    let handle = Pipeline::start(config, |dispatched: Dispatched| {
        dispatched.finish(Outcome::reject(Rejection::new("undecodable", "")));
    })
    .unwrap();
    until_settled(&handle, 1).await;
    let letters = tokio::task::block_in_place(|| fixture.read(DEAD_LETTER));
    let letter = &letters[&0][0];
    assert_eq!(
        (letter.value.len(), letter.key.as_deref()),
        (0, Some(b"k".as_slice()))
    );
    assert_eq!(
        letter.headers.get(dead_letter::OMITTED_BYTES),
        Some(b"3000".as_slice())
    );
    assert_eq!(
        letter.headers.get(dead_letter::SOURCE_OFFSET),
        Some(b"0".as_slice())
    );
    assert_eq!(letter.headers.get("h"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_output_that_is_refused_alone_is_to_blame() {
    let fixture = Fixture::new(1);
    fixture.feed(0..20);
    let pipeline = Collected::start(fixture.config());
    let records = pipeline.take(20);
    // The whole batch is refused once; sent one by one, all are accepted.
    fixture
        .broker
        .fail_produce_requests(&[ProduceFault::TooLarge])
        .unwrap();
    records.into_iter().for_each(copy);
    until_settled(&pipeline.handle, 20).await;
    assert_eq!(pipeline.handle.progress().dead_letters, 0);
    let numbers = tokio::task::block_in_place(|| fixture.numbers(OUTPUT));
    let distinct: BTreeSet<u32> = numbers[&0].iter().copied().collect();
    assert_eq!(distinct, (0..20).collect());
}

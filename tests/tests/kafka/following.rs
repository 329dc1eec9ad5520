//! A reader learns that it is up to date although the topic never rests.

use std::sync::Arc;
use std::time::Duration;

use kafka_pipeline::{
    Admin, Follower, FollowerConfig, FollowerEvent, NewTopic, OutputRecord, Publisher,
};
use tidegate_tests::kafka::{Cluster, unique_prefix};
use tokio::time::{interval, timeout};

/// More often than a broker lets an empty fetch wait, so that none comes back empty.
const PACE: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn the_end_is_told_while_records_keep_coming() {
    let kafka = Cluster::shared().kafka_options();
    let topic = unique_prefix("busy");
    let admin = Admin::new(&kafka).expect("the options are valid");
    let new = NewTopic {
        name: topic.clone(),
        partitions: 1,
        replication: 1,
        settings: [].into(),
    };
    admin.create(&[new]).await.expect("the broker answers");
    let publisher = Publisher::new(&kafka).expect("the options are valid");
    let publish = async || {
        let record = OutputRecord::new(Arc::from(topic.as_str()), "key", b"value".to_vec());
        publisher.publish(record).await.expect("it is taken");
    };
    for _ in 0..10 {
        publish().await;
    }

    let config = FollowerConfig::from_beginning(kafka, topic.clone());
    let (_follower, mut events) = Follower::channel(config, 64).expect("it can be followed");
    let mut pace = interval(PACE);
    let following = async {
        let mut records = 0;
        loop {
            tokio::select! {
                _ = pace.tick() => publish().await,
                event = events.recv() => match event.expect("it is followed") {
                    FollowerEvent::Record(_) => records += 1,
                    FollowerEvent::EndOfPartition(0) if records >= 10 => return,
                    other => panic!("{other:?} after {records} records"),
                }
            }
        }
    };
    let ended = timeout(PATIENCE, following).await;
    assert!(ended.is_ok(), "the end was never told");
}

//! What the other tests stand on: what a broker has acknowledged survives its kill -9, and three brokers are one cluster.

use std::sync::Arc;

use kafka_pipeline::{Admin, KafkaOptions, NewTopic, OutputRecord, Publisher};
use tidegate_tests::Feed;
use tidegate_tests::kafka::{Cluster, ClusterOptions};

const TOPIC: &str = "kept";

async fn make_topic(kafka: &KafkaOptions, replication: u16) {
    let topic = NewTopic {
        name: TOPIC.to_owned(),
        partitions: 1,
        replication,
        settings: [].into(),
    };
    let admin = Admin::new(kafka).expect("the options are valid");
    let made = admin.create(&[topic]).await.expect("the brokers answer");
    assert_eq!(made[0].outcome, Ok(true));
}

async fn publish(publisher: &Publisher, value: &str) {
    let record = OutputRecord::new(Arc::from(TOPIC), "key", value.into());
    publisher
        .publish(record)
        .await
        .expect("the brokers take the record");
}

async fn expect(kafka: &KafkaOptions, values: &[&str]) {
    let mut feed = Feed::start(kafka, TOPIC, |record| {
        String::from_utf8_lossy(&record.value).into_owned()
    });
    for value in values {
        assert_eq!(feed.next().await, *value);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await;
    let kafka = cluster.kafka_options();
    make_topic(&kafka, 1).await;
    let publisher = Publisher::new(&kafka).expect("the options are valid");
    publish(&publisher, "before").await;
    cluster.kill(1).await;
    cluster.restart(1).await;
    publish(&publisher, "after").await;
    expect(&kafka, &["before", "after"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_brokers_go_on_without_the_third() {
    let mut cluster = Cluster::start(ClusterOptions {
        brokers: 3,
        ..ClusterOptions::default()
    })
    .await;
    let kafka = cluster.kafka_options();
    make_topic(&kafka, 3).await;
    let publisher = Publisher::new(&kafka).expect("the options are valid");
    publish(&publisher, "with three").await;
    cluster.kill(1).await;
    publish(&publisher, "with two").await;
    cluster.restart(1).await;
    cluster.stop(2).await;
    publish(&publisher, "with two others").await;
    expect(&kafka, &["with three", "with two", "with two others"]).await;
}

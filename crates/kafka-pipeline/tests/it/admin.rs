//! What can be asked of brokers about topics. The in-process broker knows topics and no settings.

use kafka_pipeline::{
    Admin, AdminError, Described, InProcessBroker, KafkaOptions, NewTopic, TopicDescription,
};

fn broker_with(topics: &[(&str, u16)]) -> InProcessBroker {
    let broker = InProcessBroker::start().unwrap();
    for (topic, partitions) in topics {
        broker.create_topic(topic, *partitions).unwrap();
    }
    broker
}

#[tokio::test]
async fn topics_are_described_as_far_as_the_broker_can() {
    let broker = broker_with(&[("one", 1), ("three", 3)]);
    let admin = Admin::new(&broker.options().unwrap()).unwrap();
    let described = admin.describe(&["three", "none", "one"]).await.unwrap();
    let known = |name: &str, partitions| TopicDescription {
        name: name.to_owned(),
        partitions,
        replication: 1,
        settings: Described::Unsupported,
    };
    assert_eq!(described.found, [known("three", 3), known("one", 1)]);
    assert_eq!(described.missing, ["none"]);
    // Asking does not create.
    assert_eq!(admin.describe(&["none"]).await.unwrap().missing, ["none"]);
    assert_eq!(admin.brokers().await, Ok(1));
}

#[tokio::test]
async fn a_broker_without_an_admin_interface_says_so() {
    let broker = broker_with(&[]);
    let admin = Admin::new(&broker.options().unwrap()).unwrap();
    let new = NewTopic {
        name: "new".to_owned(),
        partitions: 1,
        replication: 1,
        settings: [("cleanup.policy".to_owned(), "compact".to_owned())].into(),
    };
    let created = admin.create(&[new]).await;
    assert!(
        matches!(created, Err(AdminError::Unsupported(_))),
        "{created:?}"
    );
    let deleted = admin.delete_topics(&["new"]).await;
    assert!(
        matches!(deleted, Err(AdminError::Unsupported(_))),
        "{deleted:?}"
    );
}

#[tokio::test]
async fn brokers_that_are_away_can_be_asked_again() {
    let broker = broker_with(&[("topic", 2)]);
    let admin = Admin::new(&broker.options().unwrap()).unwrap();
    broker.take_down().unwrap();
    let away = admin.describe(&["topic"]).await;
    assert!(matches!(away, Err(AdminError::Away(_))), "{away:?}");
    broker.bring_up().unwrap();
    let back = loop {
        match admin.describe(&["topic"]).await {
            Err(AdminError::Away(_)) => {}
            other => break other.unwrap(),
        }
    };
    assert_eq!(back.found[0].partitions, 2);
}

#[test]
fn a_wrong_setting_is_named() {
    let mut options = KafkaOptions::new("127.0.0.1:9");
    let (key, value) = ("security.protocol", "carrier pigeon");
    options.client.insert(key.to_owned(), value.to_owned());
    let error = Admin::new(&options).unwrap_err();
    assert!(matches!(error, AdminError::Setting(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .starts_with("kafka.client.security.protocol"),
        "{error}"
    );
}

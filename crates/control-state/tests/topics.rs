//! A stage's look at its topics, against the in-process broker: topics and partitions, and no settings.

use std::time::Duration;

use control_state::{TopicCheck, TopicOptions};
use kafka_pipeline::{InProcessBroker, KafkaOptions};
use moderation_wire::Topics;
use service_runtime::ServiceContext;

fn broker_with(topics: &[(&str, u16)]) -> (InProcessBroker, KafkaOptions) {
    let broker = InProcessBroker::start().unwrap();
    for (topic, partitions) in topics {
        broker.create_topic(topic, *partitions).unwrap();
    }
    let options = broker.options().unwrap();
    (broker, options)
}

/// Looks at the control and the scores topic, and returns what the stage would end with.
async fn problems(kafka: &KafkaOptions, min_partitions: usize) -> Option<String> {
    let context = ServiceContext::standalone("test");
    let topics = Topics::new("t");
    let options = TopicOptions {
        min_partitions,
        ..TopicOptions::default()
    };
    let check = TopicCheck {
        kafka,
        topics: &topics,
        used: vec![topics.control.clone(), topics.scores.clone()],
        options,
    };
    let checked = check.wait(&context).await;
    match checked {
        Ok(checked) => {
            assert_eq!(context.unmet_conditions(), ["topics"]);
            checked.expect("nobody says stop").confirm();
            assert!(context.unmet_conditions().is_empty());
            None
        }
        Err(error) => Some(format!("{error:#}")),
    }
}

#[tokio::test]
async fn topics_that_are_right_are_ready_once_that_is_confirmed() {
    let (_broker, kafka) = broker_with(&[("t.control", 1), ("t.scores", 2)]);
    assert_eq!(problems(&kafka, 2).await, None);
}

#[tokio::test]
async fn everything_that_is_wrong_stands_in_one_line() {
    let (_broker, kafka) = broker_with(&[("t.control", 2)]);
    let said = problems(&kafka, 1).await.expect("two things are wrong");
    assert!(
        said.starts_with("2 problems with topics: (1) topic t.scores is missing; make it with")
    );
    assert!(said.contains("(2) topic t.control: partitions is 2, must be 1"));
    assert!(!said.contains('\n'), "{said}");
}

#[tokio::test]
async fn too_few_partitions_name_the_setting_that_asks_for_more() {
    let (_broker, kafka) = broker_with(&[("t.control", 1), ("t.scores", 2)]);
    let said = problems(&kafka, 3).await.expect("too few");
    let expected = "topic t.scores: partitions is 2, must be at least 3 (topics.min_partitions)";
    assert!(said.starts_with(expected), "{said}");
}

#[tokio::test]
async fn brokers_are_waited_for_until_they_are_back_or_somebody_says_stop() {
    let (broker, kafka) = broker_with(&[("t.control", 1)]);
    broker.take_down().unwrap();
    let context = ServiceContext::standalone("test");
    let topics = Topics::new("t");
    let check = TopicCheck {
        kafka: &kafka,
        topics: &topics,
        used: vec![topics.control.clone()],
        options: TopicOptions::default(),
    };
    let waiting = check.clone().wait(&context);
    let is_told = tokio::time::timeout(Duration::from_millis(300), waiting).await;
    assert!(is_told.is_err(), "there is nobody to tell anything");
    broker.bring_up().unwrap();
    let back = ServiceContext::standalone("test");
    assert!(check.clone().wait(&back).await.unwrap().is_some());

    broker.take_down().unwrap();
    let stopped = ServiceContext::standalone("test");
    stopped.shutdown().cancel();
    assert!(check.wait(&stopped).await.unwrap().is_none());
}

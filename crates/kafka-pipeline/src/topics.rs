//! What the brokers say of a topic.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

use crate::error::Error;

/// Asks for the partitions of a topic, for half a second.
///
/// The outer error is that the brokers did not answer and can be asked again; the inner one is their answer.
pub(crate) fn partitions<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
) -> KafkaResult<Result<Vec<i32>, Error>> {
    let metadata = consumer.fetch_metadata(Some(topic), ONE_QUESTION)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let partitions: Vec<i32> = found
        .iter()
        .flat_map(|found| found.partitions())
        .map(|partition| partition.id())
        .collect();
    let refusal = found
        .and_then(|found| found.error())
        .map(RDKafkaErrorCode::from);
    Ok(match refusal {
        // A topic that was created a moment ago has no leaders yet.
        Some(
            code @ (RDKafkaErrorCode::LeaderNotAvailable | RDKafkaErrorCode::NotLeaderForPartition),
        ) => return Err(KafkaError::MetadataFetch(code)),
        Some(code) => Err(Error::from_code(code, topic)),
        None if partitions.is_empty() => Err(Error::UnknownTopic(topic.to_owned())),
        None => Ok(partitions),
    })
}

const ONE_QUESTION: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use rdkafka::mocking::MockCluster;
    use rdkafka::types::RDKafkaRespErr;

    use super::*;
    use crate::options::KafkaOptions;

    fn check(error: RDKafkaRespErr, is_asked_again: bool) {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("topic", 1, 1).unwrap();
        cluster.topic_error("topic", error).unwrap();
        let options = KafkaOptions::new(cluster.bootstrap_servers());
        let consumer: BaseConsumer = options
            .consumer_config()
            .set("group.id", "test")
            .create()
            .unwrap();
        let answer = partitions(&consumer, "topic");
        assert_eq!(answer.is_err(), is_asked_again, "{answer:?}");
        assert!(!matches!(answer, Ok(Ok(_))), "{answer:?}");
    }

    #[test]
    fn a_topic_without_leaders_is_asked_for_again() {
        check(RDKafkaRespErr::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, true);
        check(
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
            false,
        );
    }
}

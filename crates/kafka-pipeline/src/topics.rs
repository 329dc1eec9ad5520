//! What the brokers say of a topic.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

use crate::error::Error;

/// How a topic is spread over the brokers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The numbers of its partitions.
    pub(crate) partitions: Vec<i32>,
    /// How many replicas the partition with the fewest has.
    pub(crate) replication: usize,
    /// The brokers that there are.
    pub(crate) brokers: Vec<i32>,
}

/// Asks for the partitions of a topic, for half a second.
///
/// The outer error is that the brokers did not answer and can be asked again; the inner one is their answer.
pub(crate) fn partitions<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
) -> KafkaResult<Result<Vec<i32>, Error>> {
    let layout = layout(consumer, topic, ONE_QUESTION)?;
    Ok(layout.map(|layout| layout.partitions))
}

/// Asks how a topic is spread. The errors are those of [`partitions`].
pub(crate) fn layout<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    patience: Duration,
) -> KafkaResult<Result<Layout, Error>> {
    let metadata = consumer.fetch_metadata(Some(topic), patience)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let partitions = || found.iter().flat_map(|found| found.partitions());
    let layout = Layout {
        partitions: partitions().map(|partition| partition.id()).collect(),
        replication: partitions()
            .map(|partition| partition.replicas().len())
            .min()
            .unwrap_or(0),
        brokers: metadata
            .brokers()
            .iter()
            .map(|broker| broker.id())
            .collect(),
    };
    let refusal = found
        .and_then(|found| found.error())
        .map(RDKafkaErrorCode::from);
    Ok(match refusal {
        // A topic that was created a moment ago has no leaders yet.
        Some(
            code @ (RDKafkaErrorCode::LeaderNotAvailable | RDKafkaErrorCode::NotLeaderForPartition),
        ) => return Err(KafkaError::MetadataFetch(code)),
        Some(code) => Err(Error::from_code(code, topic)),
        None if layout.partitions.is_empty() => Err(Error::UnknownTopic(topic.to_owned())),
        None => Ok(layout),
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

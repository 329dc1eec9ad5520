//! What the brokers say of a topic.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;

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
    Ok(match found.and_then(|found| found.error()) {
        Some(code) => Err(Error::from_code(code.into(), topic)),
        None if partitions.is_empty() => Err(Error::UnknownTopic(topic.to_owned())),
        None => Ok(partitions),
    })
}

const ONE_QUESTION: Duration = Duration::from_millis(500);

//! Between this crate's records and the client library's.

use std::sync::Arc;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, ProducerContext};

use crate::native;
use crate::record::{Headers, OutputRecord, Record};

/// Copies a message out of the client's memory.
pub(crate) fn read(message: &BorrowedMessage<'_>, topic: Arc<str>) -> Record {
    Record {
        topic,
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec).unwrap_or_default(),
        is_tombstone: message.payload().is_none(),
        headers: native::copy_headers(message),
    }
}

/// Hands a record to the client's queue, which copies it. Never blocks.
///
/// # Errors
/// The code and the opaque value, which the client then does not report on.
pub(crate) fn send<C: ProducerContext>(
    producer: &BaseProducer<C>,
    output: &OutputRecord,
    opaque: C::DeliveryOpaque,
) -> Result<(), (RDKafkaErrorCode, C::DeliveryOpaque)> {
    let record = BaseRecord::<[u8], [u8], _> {
        topic: &output.topic,
        partition: output.partition,
        payload: output.value.as_deref(),
        key: output.key.as_deref(),
        timestamp: output.timestamp_ms,
        headers: owned_headers(&output.headers),
        delivery_opaque: opaque,
    };
    producer.send(record).map_err(|(error, record)| {
        let code = match error {
            KafkaError::MessageProduction(code) => code,
            _ => RDKafkaErrorCode::InvalidArgument,
        };
        (code, record.delivery_opaque)
    })
}

fn owned_headers(headers: &Headers) -> Option<OwnedHeaders> {
    if headers.is_empty() {
        return None;
    }
    let empty = OwnedHeaders::new_with_capacity(headers.len());
    Some(headers.iter().fold(empty, |owned, (key, value)| {
        owned.insert(Header { key, value })
    }))
}

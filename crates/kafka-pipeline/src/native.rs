//! The calls into librdkafka that its Rust binding does not offer, and the only unsafe code of this crate.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::ptr;

use rdkafka::ClientContext;
use rdkafka::bindings;
use rdkafka::client::Client;
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaRespErr;

use crate::record::Headers;

/// Copies a message's headers.
///
/// The binding's own accessor panics when a header's name is not UTF-8, so that any producer could stop a stage; here
/// such a name is replaced where it is invalid.
pub(crate) fn copy_headers(message: &BorrowedMessage<'_>) -> Headers {
    let mut headers = Headers::default();
    let mut native = ptr::null_mut();
    // SAFETY: the message is alive for the whole function, and librdkafka writes `native` only when it returns no
    // error. The headers belong to the message.
    let found = unsafe { bindings::rd_kafka_message_headers(message.ptr(), &mut native) };
    if found != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR || native.is_null() {
        return headers;
    }
    // SAFETY: `native` points at the message's headers, see above.
    for index in 0..unsafe { bindings::rd_kafka_header_cnt(native) } {
        let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
        // SAFETY: as above; the three pointers are valid for writing.
        let read = unsafe {
            bindings::rd_kafka_header_get_all(native, index, &mut name, &mut value, &mut size)
        };
        if read != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            break;
        }
        // SAFETY: without an error `name` is a NUL-terminated string that lives as long as the message.
        let name = unsafe { CStr::from_ptr(name) }
            .to_string_lossy()
            .into_owned();
        let value = (!value.is_null()).then(|| {
            // SAFETY: `value` points at `size` bytes that live as long as the message.
            unsafe { std::slice::from_raw_parts(value.cast::<u8>(), size) }.to_vec()
        });
        headers.push_nullable(name, value);
    }
    headers
}

/// Returns the offset behind the partition's last record as of the last fetch, without asking the broker.
pub(crate) fn cached_high_watermark<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    partition: i32,
) -> Option<i64> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the client is alive, the topic is NUL-terminated, and both offsets are valid for writing.
    let read = unsafe {
        bindings::rd_kafka_get_watermark_offsets(
            client.native_ptr(),
            topic.as_ptr(),
            partition,
            &mut low,
            &mut high,
        )
    };
    (read == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some(high)
}

/// Lets groups on the client's own mock cluster form at once instead of after three seconds.
///
/// Returns `false` if the client has no mock cluster.
pub(crate) fn remove_group_join_delay<C: ClientContext>(client: &Client<C>) -> bool {
    // SAFETY: the client is alive; the result is null or a cluster that lives as long as the client.
    let cluster = unsafe { bindings::rd_kafka_handle_mock_cluster(client.native_ptr()) };
    if cluster.is_null() {
        return false;
    }
    // SAFETY: `cluster` is alive, see above. librdkafka hands the value to the cluster's own thread.
    unsafe { bindings::rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0) };
    true
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use rdkafka::bindings::rd_kafka_vtype_t::{
        RD_KAFKA_VTYPE_END, RD_KAFKA_VTYPE_HEADER, RD_KAFKA_VTYPE_MSGFLAGS, RD_KAFKA_VTYPE_TOPIC,
        RD_KAFKA_VTYPE_VALUE,
    };
    use rdkafka::consumer::{BaseConsumer, Consumer};
    use rdkafka::producer::{BaseProducer, Producer};
    use rdkafka::{Offset, TopicPartitionList};

    use super::*;
    use crate::InProcessBroker;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn produce_with_header(producer: &BaseProducer, name: &CStr, value: &[u8]) {
        // SAFETY: the producer is alive; each tag is followed by the arguments that librdkafka documents for it, whose
        // memory it copies before it returns.
        let produced = unsafe {
            bindings::rd_kafka_producev(
                producer.client().native_ptr(),
                RD_KAFKA_VTYPE_TOPIC,
                c"topic".as_ptr(),
                RD_KAFKA_VTYPE_MSGFLAGS,
                bindings::RD_KAFKA_MSG_F_COPY,
                RD_KAFKA_VTYPE_VALUE,
                value.as_ptr(),
                value.len(),
                RD_KAFKA_VTYPE_HEADER,
                name.as_ptr(),
                value.as_ptr(),
                value.len(),
                RD_KAFKA_VTYPE_END,
            )
        };
        assert_eq!(produced, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR);
        producer.flush(PATIENCE).unwrap();
    }

    #[test]
    fn a_header_whose_name_is_no_utf8_is_read() {
        let broker = InProcessBroker::start().unwrap();
        broker.create_topic("topic", 1).unwrap();
        let options = broker.options().unwrap();
        let producer: BaseProducer = options.producer_config().create().unwrap();
        produce_with_header(&producer, c"na\xffme", b"\xfevalue");

        let consumer: BaseConsumer = options
            .consumer_config()
            .set("group.id", "test")
            .create()
            .unwrap();
        let mut start = TopicPartitionList::new();
        start
            .add_partition_offset("topic", 0, Offset::Beginning)
            .unwrap();
        consumer.assign(&start).unwrap();
        let deadline = Instant::now() + PATIENCE;
        let message = loop {
            assert!(Instant::now() < deadline, "no record came");
            if let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) {
                break message;
            }
        };
        let headers = copy_headers(&message);
        let read: Vec<_> = headers.iter().collect();
        assert_eq!(read, [("na\u{fffd}me", Some(b"\xfevalue".as_slice()))]);
    }
}

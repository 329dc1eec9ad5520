//! Records that could not be processed, kept as they came.

use std::borrow::Cow;
use std::sync::Arc;

use crate::outcome::Rejection;
use crate::record::{Headers, OutputRecord, Record};

/// Header: why, a word from a fixed set.
pub const REASON: &str = "dead-letter-reason";
/// Header: what a person needs to find the fault.
pub const DETAIL: &str = "dead-letter-detail";
/// Header: the stage that gave up.
pub const STAGE: &str = "dead-letter-stage";
/// Header: the source's topic.
pub const SOURCE_TOPIC: &str = "dead-letter-source-topic";
/// Header: the source's partition, in decimal.
pub const SOURCE_PARTITION: &str = "dead-letter-source-partition";
/// Header: the source's offset, in decimal.
pub const SOURCE_OFFSET: &str = "dead-letter-source-offset";
/// Header: the source's timestamp in milliseconds since the Unix epoch, in decimal.
pub const SOURCE_TIMESTAMP_MS: &str = "dead-letter-source-timestamp-ms";
/// Header: the length of a value that was too large for the dead-letter topic and was left out.
pub const OMITTED_BYTES: &str = "dead-letter-omitted-bytes";

/// The reason for a record whose output was too large to be produced.
pub const OUTPUT_TOO_LARGE: &str = "output_too_large";

/// Makes the dead letter of `source`: key and value as they were, its headers, and ours behind them.
///
/// Ours come last because of several headers of one name the last one counts; so a producer cannot forge them.
pub(crate) fn dead_letter(
    topic: Arc<str>,
    stage: &'static str,
    source: &Record,
    rejection: &Rejection,
) -> OutputRecord {
    let mut headers = Headers::default();
    for (name, value) in source.headers.iter() {
        headers.push_nullable(Cow::Owned(name.to_owned()), value.map(<[u8]>::to_vec));
    }
    headers.push(REASON, rejection.reason);
    headers.push(DETAIL, rejection.detail.as_bytes());
    headers.push(STAGE, stage);
    headers.push(SOURCE_TOPIC, source.topic.as_bytes());
    headers.push(SOURCE_PARTITION, source.partition.to_string());
    headers.push(SOURCE_OFFSET, source.offset.to_string());
    headers.push(SOURCE_TIMESTAMP_MS, source.timestamp_ms.to_string());
    OutputRecord {
        topic,
        partition: None,
        key: source.key.clone(),
        value: (!source.is_tombstone).then(|| source.value.clone()),
        headers,
        timestamp_ms: None,
    }
}

/// Makes the dead letter of a record that is too large even for the dead-letter topic: where it lies and why, so that
/// it can be read at its source while that is retained. A key that is not large stays.
pub(crate) fn without_value(letter: &OutputRecord, source: &Record) -> OutputRecord {
    let mut headers: Headers = letter
        .headers
        .iter()
        .skip(source.headers.len())
        .map(|(name, value)| (name.to_owned(), value.unwrap_or_default()))
        .collect();
    headers.push(OMITTED_BYTES, source.value.len().to_string());
    OutputRecord {
        key: letter
            .key
            .clone()
            .filter(|key| key.len() <= MAX_KEPT_KEY_BYTES),
        value: Some(Vec::new()),
        headers,
        topic: letter.topic.clone(),
        partition: None,
        timestamp_ms: None,
    }
}

/// Keys are ids of some tens of bytes; what is far larger may be why the record was too large.
const MAX_KEPT_KEY_BYTES: usize = 4096;

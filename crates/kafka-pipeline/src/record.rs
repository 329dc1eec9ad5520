//! What goes in and what comes out, as bytes.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// One record as it was read from a partition.
///
/// `Debug` shows where the record lies and how large it is, never its bytes: values hold users' text.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The topic's name, shared by all its records.
    pub topic: Arc<str>,
    /// The partition's number.
    pub partition: i32,
    /// The offset within the partition.
    pub offset: i64,
    /// The broker's timestamp in milliseconds since the Unix epoch; 0 where the broker has none.
    pub timestamp_ms: i64,
    /// The key, if the record has one.
    pub key: Option<Vec<u8>>,
    /// The value; empty for a tombstone.
    pub value: Vec<u8>,
    /// Whether the record has no value at all, which in a compacted topic deletes its key.
    pub is_tombstone: bool,
    /// The headers in the order of the wire.
    pub headers: Headers,
}

impl Record {
    /// Returns the size that counts against an in-flight budget, in bytes: key, value and headers.
    pub fn size_bytes(&self) -> usize {
        self.key.as_ref().map_or(0, Vec::len) + self.value.len() + self.headers.size_bytes()
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Record({}/{}@{}, {} bytes)",
            self.topic,
            self.partition,
            self.offset,
            self.size_bytes()
        )
    }
}

/// One record to be produced.
///
/// `Debug` shows the topic and the size, never the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct OutputRecord {
    /// The topic to produce to.
    pub topic: Arc<str>,
    /// The partition, or `None` to choose it by the key as Java's client does.
    pub partition: Option<i32>,
    /// The key; records of one key stay in order.
    pub key: Option<Vec<u8>>,
    /// The value, or `None` for a tombstone.
    pub value: Option<Vec<u8>>,
    /// The headers, in order.
    pub headers: Headers,
    /// The creation time in milliseconds since the Unix epoch, or `None` for the time of producing.
    pub timestamp_ms: Option<i64>,
}

impl OutputRecord {
    /// Makes a record without headers, with a partition chosen by key.
    pub fn new(topic: Arc<str>, key: impl Into<Vec<u8>>, value: Vec<u8>) -> Self {
        Self {
            topic,
            partition: None,
            key: Some(key.into()),
            value: Some(value),
            headers: Headers::default(),
            timestamp_ms: None,
        }
    }

    /// Makes a tombstone, which in a compacted topic deletes `key`.
    pub fn tombstone(topic: Arc<str>, key: impl Into<Vec<u8>>) -> Self {
        Self {
            value: None,
            ..Self::new(topic, key, Vec::new())
        }
    }

    /// Adds a header behind those that are there.
    #[must_use]
    pub fn with_header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Vec<u8>>,
    ) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Sets the creation time, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn with_timestamp_ms(mut self, timestamp_ms: i64) -> Self {
        self.timestamp_ms = Some(timestamp_ms);
        self
    }

    /// Returns the bytes of key, value and headers.
    pub fn size_bytes(&self) -> usize {
        self.key.as_ref().map_or(0, Vec::len)
            + self.value.as_ref().map_or(0, Vec::len)
            + self.headers.size_bytes()
    }
}

impl fmt::Debug for OutputRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "OutputRecord({}, {} bytes)",
            self.topic,
            self.size_bytes()
        )
    }
}

/// Ordered headers. A name may occur several times, and a value may be null, as Kafka allows.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    entries: Vec<(Cow<'static, str>, Option<Vec<u8>>)>,
}

impl Headers {
    /// Returns the value of the last header called `name`, or `None` if there is none or it is null.
    ///
    /// The last one counts, as in Kafka's own clients.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.entries
            .iter()
            .rev()
            .find(|(entry, _)| entry == name)
            .and_then(|(_, value)| value.as_deref())
    }

    /// Appends a header.
    pub fn push(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Vec<u8>>) {
        self.entries.push((name.into(), Some(value.into())));
    }

    /// Appends a header whose value may be null.
    pub fn push_nullable(&mut self, name: impl Into<Cow<'static, str>>, value: Option<Vec<u8>>) {
        self.entries.push((name.into(), value));
    }

    /// Iterates over names and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Option<&[u8]>)> {
        self.entries
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_deref()))
    }

    /// Returns the number of headers.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there is no header.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the bytes of all names and values.
    pub fn size_bytes(&self) -> usize {
        self.entries
            .iter()
            .map(|(name, value)| name.len() + value.as_ref().map_or(0, Vec::len))
            .sum()
    }

    /// Copies the trace context of `source` unless this record already has one of its own.
    pub(crate) fn inherit_trace_context(&mut self, source: &Headers) {
        if source.is_empty() || self.get(TRACEPARENT).is_some() {
            return;
        }
        for name in [TRACEPARENT, TRACESTATE] {
            if let Some(value) = source.get(name) {
                self.push(name, value);
            }
        }
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Headers({})", self.len())
    }
}

impl<N: Into<Cow<'static, str>>, V: Into<Vec<u8>>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        Self {
            entries: headers
                .into_iter()
                .map(|(name, value)| (name.into(), Some(value.into())))
                .collect(),
        }
    }
}

/// W3C trace context: the name of the header that carries the trace and span ids.
const TRACEPARENT: &str = "traceparent";
/// W3C trace context: the name of the header that carries vendors' data.
const TRACESTATE: &str = "tracestate";

#[cfg(test)]
mod tests {
    use super::*;

    fn check_inherited(
        own: &[(&'static str, &str)],
        source: &[(&'static str, &str)],
        expected: &[&str],
    ) {
        let collect = |pairs: &[(&'static str, &str)]| -> Headers {
            pairs.iter().map(|(n, v)| (*n, v.as_bytes())).collect()
        };
        let mut headers = collect(own);
        headers.inherit_trace_context(&collect(source));
        let actual: Vec<String> = headers
            .iter()
            .map(|(n, v)| format!("{n}={}", String::from_utf8_lossy(v.unwrap_or_default())))
            .collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn trace_context_is_inherited_unless_set() {
        check_inherited(&[], &[], &[]);
        check_inherited(
            &[("a", "1")],
            &[("traceparent", "t"), ("tracestate", "s"), ("x", "y")],
            &["a=1", "traceparent=t", "tracestate=s"],
        );
        check_inherited(
            &[("traceparent", "own")],
            &[("traceparent", "t"), ("tracestate", "s")],
            &["traceparent=own"],
        );
    }

    #[test]
    fn the_last_of_several_headers_counts() {
        let headers: Headers = [("a", "1"), ("a", "2")].into_iter().collect();
        assert_eq!(headers.get("a"), Some(b"2".as_slice()));
        assert_eq!(headers.get("b"), None);
    }

    #[test]
    fn debug_shows_no_bytes() {
        let record = OutputRecord::new("t".into(), "secret-key", b"secret-value".to_vec());
        assert_eq!(format!("{record:?}"), "OutputRecord(t, 22 bytes)");
    }
}

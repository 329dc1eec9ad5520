//! Names of Kafka record headers, in lower case as HTTP/2 writes them.

/// The record's format; see [`Format`](crate::Format).
pub const CONTENT_TYPE: &str = "content-type";
/// W3C trace context.
pub const TRACEPARENT: &str = "traceparent";
/// W3C trace context, the vendors' part.
pub const TRACESTATE: &str = "tracestate";

//! What can go wrong for good. What can be retried is librdkafka's own matter and never gets here.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// A failure that ends a pipeline, a publish or a follower. Never holds users' text.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// A setting is wrong, or is one that this crate sets itself.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// A topic or partition does not exist.
    #[error("unknown topic or partition: {0}")]
    UnknownTopic(String),
    /// The broker refuses this client: authentication or authorisation.
    #[error("access refused by the broker: {0}")]
    AccessRefused(String),
    /// The partition no longer has, or never had, the offset to start from, and the policy for that is to stop.
    #[error(
        "no valid offset to start from: {0}; set auto_offset_reset, or reset the group's offsets"
    )]
    OffsetOutOfRange(String),
    /// The record is larger than the client or the topic allows.
    #[error("record too large for the topic")]
    MessageTooLarge,
    /// A processor dropped a record without finishing it.
    #[error("record {topic}/{partition}@{offset} was dropped without an outcome")]
    Abandoned {
        /// The record's topic.
        topic: String,
        /// The record's partition.
        partition: i32,
        /// The record's offset.
        offset: i64,
    },
    /// Nobody renewed the pipeline's [`Lease`](crate::Lease) in time: the process stood still, and what it knows may be
    /// out of date. What was not delivered by then is read again.
    #[error("the process stood still for too long to go on with what it knew")]
    LeaseExpired,
    /// The pipeline or client was stopped before the operation was complete.
    #[error("stopped before it was complete: {0}")]
    Stopped(String),
    /// Any other failure that the client library reports as final.
    #[error("kafka: {0}")]
    Client(String),
}

/// A setting that cannot be used.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{key} = {value} cannot be used: expected {allowed}")]
pub struct InvalidSetting {
    /// The setting's name, dotted as in a stage's configuration file; that of librdkafka where it is librdkafka that
    /// refuses it.
    pub key: String,
    /// What it is; `***` where that may be a secret.
    pub value: String,
    /// What is allowed.
    pub allowed: String,
}

impl InvalidSetting {
    pub(crate) fn new(
        key: impl Into<String>,
        value: impl Into<String>,
        allowed: impl Into<String>,
    ) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
            allowed: allowed.into(),
        }
    }

    /// Leaves out the value, which may be a secret.
    pub(crate) fn without_value(key: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self::new(key, "***", allowed)
    }
}

impl Error {
    /// Sorts a final error by its code. `context` names what was tried and holds no users' text.
    pub(crate) fn from_code(code: RDKafkaErrorCode, context: &str) -> Self {
        use RDKafkaErrorCode as Code;
        let text = format!("{context}: {code}");
        match code {
            Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition => {
                Self::UnknownTopic(text)
            }
            Code::OffsetOutOfRange | Code::AutoOffsetReset | Code::NoOffset => {
                Self::OffsetOutOfRange(text)
            }
            Code::MessageSizeTooLarge | Code::InvalidMessageSize => Self::MessageTooLarge,
            code if is_access_error(code) => Self::AccessRefused(text),
            _ => Self::Client(text),
        }
    }

    pub(crate) fn from_kafka(error: &KafkaError, context: &str) -> Self {
        match error {
            KafkaError::ClientConfig(_, reason, key, _) => {
                let allowed = format!("what librdkafka takes ({reason})");
                InvalidSetting::without_value(key, allowed).into()
            }
            other => match other.rdkafka_error_code() {
                Some(code) => Self::from_code(code, context),
                None => Self::Client(format!("{context}: {other}")),
            },
        }
    }
}

/// Returns whether an error that a consumer's poll reports will not go away by itself.
pub(crate) fn is_final_for_consumer(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    match error {
        KafkaError::MessageConsumptionFatal(_) => true,
        other => other.rdkafka_error_code().is_some_and(|code| {
            is_access_error(code)
                || matches!(
                    code,
                    Code::UnknownTopicOrPartition
                        | Code::UnknownTopic
                        | Code::UnknownPartition
                        | Code::OffsetOutOfRange
                        | Code::AutoOffsetReset
                        | Code::Fatal
                        | Code::Fenced
                        | Code::FencedInstanceId
                        | Code::InconsistentGroupProtocol
                        | Code::InvalidGroupId
                )
        }),
    }
}

/// Returns whether an error that a producer reports outside of deliveries will not go away by itself.
pub(crate) fn is_final_for_producer(code: RDKafkaErrorCode) -> bool {
    is_access_error(code) || matches!(code, RDKafkaErrorCode::Fatal | RDKafkaErrorCode::Fenced)
}

pub(crate) fn is_access_error(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
    )
}

//! Why brokers do not answer a question about topics, or not as wished.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::error::{InvalidSetting, is_access_error};

/// Why a question or a change failed.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum AdminError {
    /// A setting of the connection is wrong.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// No broker answers. The same may be asked again.
    #[error("the brokers do not answer: {0}")]
    Away(String),
    /// The brokers know this client and do not let it, or do not know it.
    #[error("refused by the brokers: {0}")]
    Refused(String),
    /// The brokers know no such request, as the in-process broker.
    #[error("not supported by the brokers: {0}")]
    Unsupported(String),
    /// The brokers find something wrong with what is asked.
    #[error("not taken by the brokers: {0}")]
    Invalid(String),
}

impl AdminError {
    /// Sorts what came of making a client.
    pub(super) fn of_client(error: &KafkaError) -> Self {
        Self::sort(error, "making the client")
    }

    /// Sorts an error; `tried` names what was tried.
    pub(super) fn sort(error: &KafkaError, tried: &str) -> Self {
        match error {
            KafkaError::ClientConfig(_, reason, key, _) => {
                let allowed = format!("what librdkafka takes ({reason})");
                InvalidSetting::without_value(key, allowed).into()
            }
            KafkaError::AdminOp(code) => Self::of_code(*code, tried),
            other => match other.rdkafka_error_code() {
                Some(code) => Self::of_code(code, tried),
                None => Self::Invalid(format!("{tried}: {other}")),
            },
        }
    }

    /// Sorts a broker's or the client library's answer.
    pub(super) fn of_code(code: RDKafkaErrorCode, tried: &str) -> Self {
        use RDKafkaErrorCode as Code;
        let text = format!("{tried}: {code}");
        match code {
            code if is_access_error(code) => Self::Refused(text),
            Code::UnsupportedFeature | Code::UnsupportedVersion => Self::Unsupported(text),
            Code::AllBrokersDown
            | Code::BrokerTransportFailure
            | Code::BrokerNotAvailable
            | Code::CoordinatorLoadInProgress
            | Code::CoordinatorNotAvailable
            | Code::LeaderNotAvailable
            | Code::NetworkException
            | Code::NotController
            | Code::NotCoordinator
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::Resolve
            | Code::WaitingForCoordinator => Self::Away(text),
            _ => Self::Invalid(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: RDKafkaErrorCode, begins: &str) {
        let error = AdminError::of_code(code, "asking").to_string();
        assert!(error.starts_with(begins), "{code:?}: {error}");
        assert!(error.contains("asking: "), "{error}");
    }

    #[test]
    fn answers_are_sorted_by_what_can_be_done_about_them() {
        use RDKafkaErrorCode as Code;
        check(Code::OperationTimedOut, "the brokers do not answer");
        check(Code::NotController, "the brokers do not answer");
        check(Code::TopicAuthorizationFailed, "refused by the brokers");
        check(Code::SaslAuthenticationFailed, "refused by the brokers");
        check(Code::UnsupportedFeature, "not supported by the brokers");
        check(Code::InvalidReplicationFactor, "not taken by the brokers");
    }
}

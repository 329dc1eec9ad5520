//! Publishing several records so that readers see all of them or none.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::Producer;

use crate::error::Error;
use crate::options::KafkaOptions;
use crate::publisher::{Published, Publisher};
use crate::record::OutputRecord;

/// A producer under a name of which only one is heard at a time: the latest that started.
///
/// Every call blocks, and asks `go_on` at least twice a second whether it may still wait for the brokers. The in-process
/// broker accepts all of this and isolates nothing.
#[derive(Debug)]
pub struct TransactionalPublisher {
    publisher: Publisher,
}

/// Why a transaction did not end as it should.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum TransactionError {
    /// Another producer of this name has started. Nothing of this transaction was published.
    #[error("another producer with the same transactional id has taken over")]
    Fenced,
    /// Nothing of this transaction was published. The next one may succeed.
    #[error("nothing was published: {0}")]
    Aborted(Error),
    /// It is not known whether all or nothing was published, and this producer is of no further use. Another one that
    /// starts under the same name settles it; what a reader then finds is the truth.
    #[error("not known to be published: {0}")]
    Unknown(Error),
}

impl TransactionalPublisher {
    /// Takes over `transactional_id`: earlier producers of this name publish nothing from here on, and what they had
    /// begun is ended, whole or not at all.
    ///
    /// # Errors
    /// [`TransactionError::Aborted`] if a setting is wrong, the brokers refuse, or `go_on` said no.
    pub fn start(
        options: &KafkaOptions,
        transactional_id: &str,
        go_on: impl Fn() -> bool,
    ) -> Result<Self, TransactionError> {
        let config = options.transactional_config(transactional_id);
        let publisher =
            Publisher::of_config(options, &config).map_err(TransactionError::Aborted)?;
        let producer = publisher.producer();
        let context = "taking over the transactional id";
        insist(&go_on, || producer.init_transactions(ONE_CALL))
            .map_err(|error| TransactionError::Aborted(failure(&error, context)))?;
        Ok(Self { publisher })
    }

    /// Publishes all records or none, and returns where the brokers put them, in the same order.
    ///
    /// # Errors
    /// See [`TransactionError`].
    pub fn publish_all(
        &self,
        records: &[OutputRecord],
        go_on: impl Fn() -> bool,
    ) -> Result<Vec<Published>, TransactionError> {
        self.publisher
            .producer()
            .begin_transaction()
            .map_err(|error| match is_fenced(&error) {
                true => TransactionError::Fenced,
                false => TransactionError::Unknown(failure(&error, "beginning a transaction")),
            })?;
        let reports = match self.send(records) {
            Ok(reports) => reports,
            Err(error) => return Err(self.abort(error, &go_on)),
        };
        let committed = insist(&go_on, || {
            self.publisher.producer().commit_transaction(ONE_CALL)
        });
        match committed {
            Ok(()) => in_order(reports, records.len()),
            Err(KafkaError::Transaction(error)) if error.txn_requires_abort() => {
                // The first record that failed says more than the transaction that failed with it.
                let cause = reports.try_iter().find_map(|(_, result)| result.err());
                let error = KafkaError::Transaction(error);
                let cause = cause.unwrap_or_else(|| failure(&error, "committing a transaction"));
                Err(self.abort(cause, &go_on))
            }
            // A fenced commit may be the repetition of one that arrived.
            Err(error) => Err(TransactionError::Unknown(failure(
                &error,
                "committing a transaction",
            ))),
        }
    }

    fn send(&self, records: &[OutputRecord]) -> Result<Receiver<Report>, Error> {
        let (reporter, reports) = sync_channel(records.len().max(1));
        for (index, record) in records.iter().enumerate() {
            let reporter = reporter.clone();
            self.publisher.publish_with(record, move |result| {
                if reporter.send((index, result)).is_err() {
                    tracing::debug!("a transaction was given up before its records were answered");
                }
            })?;
        }
        Ok(reports)
    }

    /// Ends the transaction without effect; `cause` is why.
    fn abort(&self, cause: Error, go_on: impl Fn() -> bool) -> TransactionError {
        match insist(go_on, || {
            self.publisher.producer().abort_transaction(ONE_CALL)
        }) {
            Ok(()) => {}
            Err(error) if is_fenced(&error) => return TransactionError::Fenced,
            // Nothing was committed, and the brokers end it themselves when its time is over.
            Err(error) => tracing::warn!(%error, "a transaction was not aborted in order"),
        }
        TransactionError::Aborted(cause)
    }
}

type Report = (usize, Result<Published, Error>);

/// A commit returns after all reports, so none is missing unless the client breaks its word.
fn in_order(reports: Receiver<Report>, count: usize) -> Result<Vec<Published>, TransactionError> {
    let mut published = vec![None; count];
    for (index, report) in reports.try_iter() {
        published[index] = report.ok();
    }
    published
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| {
            let missing = "a committed record was not reported".to_owned();
            TransactionError::Unknown(Error::Client(missing))
        })
}

/// Calls again while that may help and is wanted. A call that timed out goes on where it was.
fn insist(go_on: impl Fn() -> bool, call: impl Fn() -> KafkaResult<()>) -> KafkaResult<()> {
    loop {
        match call() {
            Err(KafkaError::Transaction(error)) if error.is_retriable() && go_on() => {
                tracing::debug!(%error, "a transaction takes its time");
                // Some answers come at once.
                thread::park_timeout(BETWEEN_CALLS);
            }
            result => return result,
        }
    }
}

fn is_fenced(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    let code = error.rdkafka_error_code();
    matches!(
        code,
        Some(Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch)
    )
}

fn failure(error: &KafkaError, context: &str) -> Error {
    Error::from_kafka(error, context)
}

const BETWEEN_CALLS: Duration = Duration::from_millis(10);
/// How long one call may block before `go_on` is asked.
const ONE_CALL: Duration = Duration::from_millis(400);

//! A change on its way to the one who writes, and what comes back.

use control_state::ControlState;
use kafka_pipeline::{Error, TransactionError};
use moderation::policy::Finding;
use tokio::sync::{mpsc, oneshot};
use tonic::Status;

use crate::object::Object;
use crate::plan::{Proposal, Terms, head_version};
use crate::refusal::Refusal;

/// A change that was made.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) version: u64,
    /// The offset behind the head.
    pub(crate) control_offset: u64,
    pub(crate) differences: Vec<String>,
    pub(crate) warnings: Vec<Finding>,
}

/// Why a change was not made, or is not known to have been made.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the control topic is out of reach; try again later")]
    OutOfReach,
    #[error(
        "version {0} was written, and the control topic went out of reach before it could be read back"
    )]
    NotReadBack(u64),
    #[error("the control plane is stopping")]
    Stopping,
    #[error("nothing was changed: {0}")]
    NotMade(Error),
    #[error("another control plane has taken over; nothing was changed, try again")]
    Fenced,
    /// The next one to lead settles it.
    #[error(
        "the broker did not say whether it took the change ({0}); read the serving version before trying again"
    )]
    Unknown(Error),
}

impl From<TransactionError> for WriteError {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Fenced => Self::Fenced,
            TransactionError::Aborted(error) => Self::NotMade(error),
            TransactionError::Unknown(error) => Self::Unknown(error),
        }
    }
}

impl From<WriteError> for Status {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(refusal) => refusal.into(),
            other => Self::unavailable(other.to_string()),
        }
    }
}

/// The way to the one who writes. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct WriterHandle {
    commands: mpsc::Sender<Command>,
}

/// A change that waits for its turn.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) proposal: Proposal,
    pub(crate) terms: Terms,
    reply: oneshot::Sender<Result<Written, WriteError>>,
}

/// Makes the queue of changes.
pub(crate) fn queue() -> (WriterHandle, mpsc::Receiver<Command>) {
    let (commands, waiting) = mpsc::channel(WAITING_CHANGES);
    (WriterHandle { commands }, waiting)
}

impl WriterHandle {
    /// Makes a change in its turn. If the future is dropped before that turn, nothing is written.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub(crate) async fn write(
        &self,
        proposal: Proposal,
        terms: Terms,
    ) -> Result<Written, WriteError> {
        let (reply, written) = oneshot::channel();
        let command = Command {
            proposal,
            terms,
            reply,
        };
        if self.commands.send(command).await.is_err() {
            return Err(WriteError::Stopping);
        }
        written.await.unwrap_or(Err(WriteError::Stopping))
    }
}

impl Command {
    /// Returns whether whoever asked is gone, perhaps because it took too long; it must be able to tell that nothing
    /// happened.
    pub(crate) fn is_given_up(&self) -> bool {
        self.reply.is_closed()
    }

    /// Splits off the way back.
    pub(crate) fn take(self) -> (Proposal, Terms, Reply) {
        (self.proposal, self.terms, Reply(self.reply))
    }

    /// Answers that this control plane takes no writes now.
    pub(crate) fn stand_by(self, leader: Option<String>) {
        Reply(self.reply).send(Err(Refusal::StandsBy(leader).into()));
    }
}

/// The way back to whoever asked.
pub(crate) struct Reply(oneshot::Sender<Result<Written, WriteError>>);

impl Reply {
    pub(crate) fn send(self, result: Result<Written, WriteError>) {
        if self.0.send(result).is_err() {
            tracing::debug!("nobody waits for the outcome of a change any more");
        }
    }
}

/// Returns the conflict of a change that another one came before.
pub(crate) fn conflict(object: Object, expected: u64, state: &ControlState) -> WriteError {
    WriteError::Refused(Refusal::Conflict {
        object,
        expected,
        current: head_version(state, object),
    })
}

/// Changes are made by people and by CI: more than this waiting is a mistake, and is held back.
const WAITING_CHANGES: usize = 32;

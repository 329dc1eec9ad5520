//! The one task that writes to the control topic.

use std::sync::Arc;
use std::time::{Duration, Instant};

use control_state::{CONTROL_PARTITION, ControlEntry, ControlState, ControlView};
use kafka_pipeline::{Error, OutputRecord, Published, Publisher};
use moderation::policy::Finding;
use moderation_wire::v1;
use prost::Message;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::clock::wall_clock;
use crate::metrics::{self, ChangeOutcome};
use crate::object::Object;
use crate::plan::{Plan, Planner, Proposal, Terms};
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
    /// The state of the topic is unknown until it is read again from the start.
    #[error(
        "the broker did not take the whole change ({0}); read the serving version before trying again"
    )]
    Unknown(Error),
}

impl From<WriteError> for Status {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(refusal) => refusal.into(),
            other => Self::unavailable(other.to_string()),
        }
    }
}

/// The way to the writer. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct WriterHandle {
    commands: mpsc::Sender<Command>,
}

#[derive(Debug)]
struct Command {
    proposal: Proposal,
    terms: Terms,
    reply: oneshot::Sender<Result<Written, WriteError>>,
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

/// Where and how to write.
#[derive(Clone, Debug)]
pub(crate) struct WriterOptions {
    pub(crate) control_topic: String,
    pub(crate) audit_topic: String,
    pub(crate) publisher: Publisher,
    pub(crate) max_policy_bytes: usize,
    /// Cancelled when the writer has to come to an end.
    pub(crate) shutdown: CancellationToken,
}

/// Takes changes one by one, so that comparing with the serving version and setting the next is one step.
#[derive(Debug)]
pub(crate) struct Writer {
    options: WriterOptions,
    control_topic: Arc<str>,
    audit_topic: Arc<str>,
    view: ControlView,
    commands: mpsc::Receiver<Command>,
    /// What has been written must have been read back before the next change is planned.
    written_offset: u64,
}

impl Writer {
    pub(crate) fn new(options: WriterOptions, view: ControlView) -> (WriterHandle, Self) {
        let (sender, commands) = mpsc::channel(WAITING_CHANGES);
        let writer = Self {
            control_topic: options.control_topic.as_str().into(),
            audit_topic: options.audit_topic.as_str().into(),
            options,
            view,
            commands,
            written_offset: 0,
        };
        (WriterHandle { commands: sender }, writer)
    }

    /// Makes each first change whose object has no version yet, then takes changes until all handles are gone. Told to
    /// stop before the topic has been read, it ends at once: until then no change can have been made.
    ///
    /// # Errors
    /// A record that the broker did not take: it may still arrive, so nobody may build on what was read. After a
    /// restart the topic is read from its beginning, and the change is there or it is not.
    pub(crate) async fn run(mut self, first_changes: Vec<(Proposal, Terms)>) -> Result<(), Error> {
        let Some(state) = self.reach_unless_stopped(0).await? else {
            return Ok(());
        };
        publish_head_versions(&state);
        for (proposal, terms) in first_changes {
            self.bootstrap(proposal, terms).await?;
        }
        while let Some(command) = self.commands.recv().await {
            // Whoever asked is gone, perhaps because it took too long; it must be able to tell that nothing happened.
            if command.reply.is_closed() {
                continue;
            }
            let result = self.change(command.proposal, &command.terms).await;
            let failure = match &result {
                Err(WriteError::Unknown(error)) => Some(error.clone()),
                _ => None,
            };
            if command.reply.send(result).is_err() {
                tracing::debug!("nobody waits for the outcome of a change any more");
            }
            if let Some(error) = failure {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Waits for the topic to be read up to `offset`; `None` if the writer has to end before.
    async fn reach_unless_stopped(&self, offset: u64) -> Result<Option<Arc<ControlState>>, Error> {
        tokio::select! {
            biased;
            () = self.options.shutdown.cancelled() => Ok(None),
            state = self.view.reach(offset) => state.map(Some),
        }
    }

    async fn bootstrap(&mut self, proposal: Proposal, terms: Terms) -> Result<(), Error> {
        let object = proposal.object();
        let Some(state) = self.reach_unless_stopped(self.written_offset).await? else {
            return Ok(());
        };
        if crate::plan::head_version(&state, object) > 0 {
            tracing::info!(%object, "already has a version; the bootstrap file is left alone");
            return Ok(());
        }
        match self.change(proposal, &terms).await {
            Ok(written) => {
                tracing::info!(%object, version = written.version, "bootstrapped");
                Ok(())
            }
            Err(WriteError::Unknown(error)) => Err(error),
            Err(error) => Err(Error::Stopped(format!(
                "{object} was not bootstrapped: {error}"
            ))),
        }
    }

    async fn change(&mut self, proposal: Proposal, terms: &Terms) -> Result<Written, WriteError> {
        let started = Instant::now();
        let object = proposal.object();
        let state = self.current_state().await?;
        let planner = Planner {
            state: &state,
            now: wall_clock(),
            max_policy_bytes: self.options.max_policy_bytes,
        };
        let result = match planner.plan(proposal, terms) {
            Ok(plan) => self.write(object, plan).await,
            Err(refusal) => Err(refusal.into()),
        };
        match &result {
            Ok(_) => metrics::time_write(object, started.elapsed()),
            Err(WriteError::Refused(refusal)) => {
                let current = crate::plan::head_version(&state, object);
                self.audit(&refused(object, current, terms, refusal))
                    .await?;
                metrics::count_change(object, ChangeOutcome::Refused);
                tracing::info!(%object, "refused a change");
            }
            Err(_) => {}
        }
        result
    }

    /// Version, head, audit record: the change is made with the head, and a version without one shows nowhere.
    async fn write(&mut self, object: Object, plan: Plan) -> Result<Written, WriteError> {
        self.put(&plan.version).await?;
        self.written_offset = self.put(&plan.head).await?;
        let read_back = self.current_state().await;
        if let Ok(state) = &read_back
            && !is_head(state, &plan.head)
        {
            // Somebody else wrote the same number first; followers keep what came first.
            return Err(WriteError::Refused(Refusal::Conflict {
                object,
                expected: plan.from_version,
                current: crate::plan::head_version(state, object),
            }));
        }
        // The head is durable, read back or not, and what is durable is audited.
        self.audit(&made(object, &plan)).await?;
        metrics::count_change(object, ChangeOutcome::Made);
        metrics::set_head_version(object, plan.to_version);
        read_back.map_err(|_| WriteError::NotReadBack(plan.to_version))?;
        tracing::info!(%object, version = plan.to_version, control_offset = self.written_offset, "changed");
        Ok(Written {
            version: plan.to_version,
            control_offset: self.written_offset,
            differences: plan.differences,
            warnings: plan.warnings,
        })
    }

    async fn current_state(&self) -> Result<Arc<ControlState>, WriteError> {
        timeout(REACH_PATIENCE, self.view.reach(self.written_offset))
            .await
            .map_err(|_| WriteError::OutOfReach)?
            .map_err(WriteError::Unknown)
    }

    /// Returns the offset behind the record.
    async fn put(&self, entry: &ControlEntry) -> Result<u64, WriteError> {
        let key = entry.key().to_string();
        let mut record = OutputRecord::new(Arc::clone(&self.control_topic), key, entry.encode());
        // The topic is meant to have this one alone; followers read no other, however many were made.
        record.partition = Some(CONTROL_PARTITION);
        let offset = self.publish(record).await?.offset;
        Ok(u64::try_from(offset).unwrap_or(0) + 1)
    }

    async fn audit(&self, record: &v1::AuditRecord) -> Result<(), WriteError> {
        let record = OutputRecord::new(
            Arc::clone(&self.audit_topic),
            record.object.as_str(),
            record.encode_to_vec(),
        );
        self.publish(record).await.map(drop)
    }

    /// Without brokers a publish takes minutes. A writer that has to end says that it does not know what became of the
    /// record, before its process is ended with it.
    async fn publish(&self, record: OutputRecord) -> Result<Published, WriteError> {
        let out_of_time = async {
            self.options.shutdown.cancelled().await;
            sleep(LAST_PUBLISH_PATIENCE).await;
        };
        let published = tokio::select! {
            published = self.options.publisher.publish(record) => published,
            () = out_of_time => Err(Error::Stopped("no broker acknowledged a record".to_owned())),
        };
        published.map_err(WriteError::Unknown)
    }
}

fn is_head(state: &ControlState, head: &ControlEntry) -> bool {
    match head {
        ControlEntry::PolicyHead(policy) => state
            .policies()
            .head()
            .is_some_and(|head| **head == *policy),
        ControlEntry::DeploymentHead(deployment) => state
            .deployments()
            .head()
            .is_some_and(|head| **head == *deployment),
        ControlEntry::PolicyVersion(_) | ControlEntry::DeploymentVersion(_) => false,
    }
}

fn publish_head_versions(state: &ControlState) {
    for object in [Object::Policy, Object::Deployment] {
        metrics::set_head_version(object, crate::plan::head_version(state, object));
    }
}

fn made(object: Object, plan: &Plan) -> v1::AuditRecord {
    let change = match &plan.head {
        ControlEntry::PolicyHead(policy) | ControlEntry::PolicyVersion(policy) => &policy.change,
        ControlEntry::DeploymentHead(deployment) | ControlEntry::DeploymentVersion(deployment) => {
            &deployment.change
        }
    };
    v1::AuditRecord {
        object: object.as_str().to_owned(),
        from_version: plan.from_version,
        to_version: plan.to_version,
        change: Some(change.into()),
        differences: plan.differences.clone(),
        refused_because: String::new(),
    }
}

/// A refused change leads to no version, which is 0.
fn refused(object: Object, current: u64, terms: &Terms, refusal: &Refusal) -> v1::AuditRecord {
    v1::AuditRecord {
        object: object.as_str().to_owned(),
        from_version: current,
        to_version: 0,
        change: Some(v1::Change {
            author: terms.author.clone(),
            reason: terms.reason.clone(),
            at: Some(moderation_wire::timestamp_to_wire(wall_clock())),
            rollback_of: None,
        }),
        differences: Vec::new(),
        refused_because: refusal.to_string(),
    }
}

/// Changes are made by people and by CI: more than this waiting is a mistake, and is held back.
const WAITING_CHANGES: usize = 32;
/// How long a change waits for a control topic that is out of reach.
const REACH_PATIENCE: Duration = Duration::from_secs(5);
/// How long a record may take to be acknowledged once the writer has to end.
const LAST_PUBLISH_PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use control_state::{ControlFollower, FollowerOptions, History};
    use kafka_pipeline::InProcessBroker;

    use super::*;

    const POLICY: &str = include_str!("../../../deploy/policies/default.toml");
    /// Longer than a writer that has to end waits, and shorter than a publish without brokers takes.
    const PATIENCE: Duration = Duration::from_secs(20);

    fn first_policy() -> (Proposal, Terms) {
        let terms = Terms {
            author: "ann".to_owned(),
            reason: "a test".to_owned(),
            expected_version: 0,
        };
        (Proposal::ApplyPolicy(POLICY.to_owned()), terms)
    }

    async fn until_in_flight(publisher: &Publisher) {
        while publisher.in_flight() == 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_record_that_nobody_acknowledges_does_not_hold_the_end_up() {
        let broker = InProcessBroker::start().unwrap();
        broker.create_topic("control", 1).unwrap();
        let kafka = broker.options().unwrap();
        let follower = ControlFollower::start(FollowerOptions {
            kafka: kafka.clone(),
            topic: "control".to_owned(),
            stage: "control-plane",
            history: History::Full,
        })
        .unwrap();
        follower.view().reach(0).await.unwrap();
        broker.take_down().unwrap();
        let options = WriterOptions {
            control_topic: "control".to_owned(),
            audit_topic: "audit".to_owned(),
            publisher: Publisher::new(&kafka).unwrap(),
            max_policy_bytes: POLICY.len(),
            shutdown: CancellationToken::new(),
        };
        let (publisher, shutdown) = (options.publisher.clone(), options.shutdown.clone());
        let (_handle, writer) = Writer::new(options, follower.view());
        let stopping = async {
            until_in_flight(&publisher).await;
            shutdown.cancel();
        };
        let both = async { tokio::join!(writer.run(vec![first_policy()]), stopping).0 };
        let ended = timeout(PATIENCE, both).await.unwrap();
        assert!(matches!(ended, Err(Error::Stopped(_))), "{ended:?}");
    }
}

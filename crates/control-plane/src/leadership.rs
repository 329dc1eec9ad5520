//! Which of several control planes writes, and the terms for which this one does.
//!
//! The owner of the control topic's partition in one consumer group leads. Ownership alone is no fence, for a process
//! that stands still learns late that it lost it: so the leader takes over one transactional id, which silences every
//! earlier one, and only then reads the control topic to its end and begins to write.

use std::sync::Arc;
use std::time::Duration;

use control_state::{CONTROL_PARTITION, ControlFollower, ControlState, Replica, ReplicaId};
use kafka_pipeline::{
    Error, KafkaOptions, Owned, Ownership, OwnershipConfig, TransactionError,
    TransactionalPublisher,
};
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use crate::command::{Command, WriteError};
use crate::metrics;
use crate::object::Object;
use crate::plan::{Proposal, Terms, head_version};
use crate::replica_watch::Replicas;
use crate::writer::{Writer, WriterOptions};

/// Whose name the leader writes in.
#[derive(Clone, Debug)]
pub(crate) struct Office {
    pub(crate) kafka: KafkaOptions,
    /// The group whose members compete, and the transactional id.
    pub(crate) name: String,
    pub(crate) writer: WriterOptions,
    /// This control plane.
    pub(crate) replica_id: ReplicaId,
    /// What becomes version 1 where there is none.
    pub(crate) first_changes: Vec<(Proposal, Terms)>,
}

/// Competes for the office, and holds it when it can.
pub(crate) struct Leadership {
    office: Office,
    follower: ControlFollower,
    ownership: Ownership,
    commands: mpsc::Receiver<Command>,
    replicas: Replicas,
    replica: Replica,
    leads: watch::Sender<bool>,
}

/// What leadership stands on.
pub(crate) struct Wiring {
    pub(crate) follower: ControlFollower,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) replicas: Replicas,
    pub(crate) replica: Replica,
    pub(crate) leads: watch::Sender<bool>,
}

/// How a term ended.
enum TermEnd {
    /// Nobody can ask for a change any more.
    Closed,
    /// The partition went to another.
    Lost,
    /// Another one writes, whatever this one thought.
    Fenced,
    /// What became of a change is not known until the office is taken over again.
    Unsettled,
}

impl Leadership {
    /// Enters the competition.
    ///
    /// # Errors
    /// A setting that is wrong.
    pub(crate) fn new(office: Office, wiring: Wiring) -> Result<Self, Error> {
        Ok(Self {
            ownership: compete(&office)?,
            office,
            follower: wiring.follower,
            commands: wiring.commands,
            replicas: wiring.replicas,
            replica: wiring.replica,
            leads: wiring.leads,
        })
    }

    /// Stands by and leads in turn, until it is told to stop. A leader takes changes until all handles are gone.
    ///
    /// # Errors
    /// What trying again does not change: the brokers refuse, or the control topic cannot be followed.
    pub(crate) async fn run(mut self) -> Result<(), Error> {
        while self.stand_by().await? {
            loop {
                let Some(writer) = self.take_over().await? else {
                    break;
                };
                self.tell(true);
                let end = self.lead(writer).await;
                self.tell(false);
                match end? {
                    TermEnd::Closed => return Ok(()),
                    TermEnd::Lost => break,
                    TermEnd::Unsettled => {}
                    TermEnd::Fenced => {
                        // The brokers say who owns the partition now; taking over again would silence the rightful one.
                        self.compete_again().await?;
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Sends whoever asks for a change to the leader, until this control plane owns the partition: `false` if it has to
    /// stop before.
    async fn stand_by(&mut self) -> Result<bool, Error> {
        let mut owned = self.ownership.owned();
        let mut heard = self.replicas.subscribe();
        let mut patience = Instant::now() + ELECTION_PATIENCE;
        loop {
            if self.office.writer.shutdown.is_cancelled() {
                return Ok(false);
            }
            match &*owned.borrow_and_update() {
                Owned::Yes => return Ok(true),
                Owned::Failed(error) => return Err(error.clone()),
                Owned::No => {}
            }
            let leader = heard
                .borrow_and_update()
                .leader_besides(&self.office.replica_id);
            if leader.is_some() {
                patience = Instant::now() + ELECTION_PATIENCE;
            }
            // While nobody leads somebody will soon, perhaps this one: changes wait a little.
            let takes_commands = leader.is_some() || Instant::now() >= patience;
            tokio::select! {
                biased;
                changed = owned.changed() => if changed.is_err() {
                    return Err(Error::Stopped("the group is no longer taken part in".to_owned()));
                },
                command = self.commands.recv(), if takes_commands => match command {
                    Some(command) => command.stand_by(leader),
                    None => return Ok(false),
                },
                () = self.office.writer.shutdown.cancelled() => return Ok(false),
                changed = heard.changed() => if changed.is_err() {
                    unreachable!("the table outlives its readers");
                },
                () = sleep_until(patience), if !takes_commands => {}
            }
        }
    }

    /// Silences earlier leaders and reads what they wrote; `None` if the partition was lost before, or it is time to
    /// stop.
    async fn take_over(&mut self) -> Result<Option<Writer>, Error> {
        let (owned, shutdown) = (self.ownership.owned(), self.office.writer.shutdown.clone());
        let goes_on = move || *owned.borrow() == Owned::Yes && !shutdown.is_cancelled();
        let (kafka, name) = (self.office.kafka.clone(), self.office.name.clone());
        let still_goes_on = goes_on.clone();
        let taken_over =
            spawn_blocking(move || TransactionalPublisher::start(&kafka, &name, goes_on)).await;
        let publisher = match taken_over {
            Ok(Ok(publisher)) => publisher,
            Err(_) => return Ok(None),
            Ok(Err(_)) if !still_goes_on() => return Ok(None),
            Ok(Err(TransactionError::Aborted(error) | TransactionError::Unknown(error))) => {
                return Err(error);
            }
            Ok(Err(TransactionError::Fenced)) => {
                self.compete_again().await?;
                return Ok(None);
            }
        };
        let mut owned = self.ownership.owned();
        let state = tokio::select! {
            state = self.follower.confirm() => state?,
            _ = owned.wait_for(|owned| *owned != Owned::Yes) => return Ok(None),
            () = self.office.writer.shutdown.cancelled() => return Ok(None),
        };
        publish_head_versions(&state);
        tracing::info!(
            control_offset = state.control_offset(),
            "this control plane leads"
        );
        let options = self.office.writer.clone();
        Ok(Some(Writer::new(options, publisher, self.follower.view())))
    }

    /// Makes each first change whose object has no version yet, then takes changes.
    async fn lead(&mut self, mut writer: Writer) -> Result<TermEnd, Error> {
        for (proposal, terms) in self.office.first_changes.clone() {
            if let Some(end) = self.bootstrap(&mut writer, proposal, &terms).await? {
                return Ok(end);
            }
        }
        let mut owned = self.ownership.owned();
        loop {
            let command = tokio::select! {
                biased;
                _ = owned.wait_for(|owned| *owned != Owned::Yes) => return Ok(TermEnd::Lost),
                command = self.commands.recv() => command,
            };
            let Some(command) = command else {
                return Ok(TermEnd::Closed);
            };
            if command.is_given_up() {
                continue;
            }
            let (proposal, terms, reply) = command.take();
            let result = writer.change(proposal, &terms).await;
            let end = end_of(&result);
            reply.send(result);
            if let Some(end) = end {
                return Ok(end);
            }
        }
    }

    async fn bootstrap(
        &self,
        writer: &mut Writer,
        proposal: Proposal,
        terms: &Terms,
    ) -> Result<Option<TermEnd>, Error> {
        let object = proposal.object();
        let state = self.follower.view().state().borrow().clone();
        if head_version(&state, object) > 0 {
            tracing::info!(%object, "already has a version; the bootstrap file is left alone");
            return Ok(None);
        }
        let result = writer.change(proposal, terms).await;
        let end = end_of(&result);
        match result {
            Ok(written) => tracing::info!(%object, version = written.version, "bootstrapped"),
            Err(error) if end.is_some() => tracing::warn!(%object, %error, "not bootstrapped yet"),
            Err(error) => {
                let message = format!("{object} was not bootstrapped: {error}");
                return Err(Error::Stopped(message));
            }
        }
        Ok(end)
    }

    /// Leaves the group and enters it anew.
    async fn compete_again(&mut self) -> Result<(), Error> {
        let left = std::mem::replace(&mut self.ownership, compete(&self.office)?);
        if spawn_blocking(move || drop(left)).await.is_err() {
            tracing::debug!("the group was left while the runtime ended");
        }
        Ok(())
    }

    fn tell(&self, is_leading: bool) {
        if !is_leading {
            tracing::info!("this control plane stands by");
        }
        self.leads.send_replace(is_leading);
        self.replica.set_leading(is_leading);
        metrics::set_leading(is_leading);
    }
}

fn compete(office: &Office) -> Result<Ownership, Error> {
    Ownership::start(OwnershipConfig {
        kafka: office.kafka.clone(),
        group: office.name.clone(),
        topic: office.writer.control_topic.to_string(),
        partition: CONTROL_PARTITION,
    })
}

/// Returns whether a change ended the term that it was made in.
fn end_of<T>(result: &Result<T, WriteError>) -> Option<TermEnd> {
    match result {
        Err(WriteError::Fenced) => Some(TermEnd::Fenced),
        Err(WriteError::Unknown(_)) => Some(TermEnd::Unsettled),
        Err(WriteError::Stopping) => Some(TermEnd::Closed),
        _ => None,
    }
}

fn publish_head_versions(state: &Arc<ControlState>) {
    for object in [Object::Policy, Object::Deployment] {
        metrics::set_head_version(object, head_version(state, object));
    }
}

/// How long changes wait for a leader where none is known: longer than one that was killed keeps its place in the group.
const ELECTION_PATIENCE: Duration = Duration::from_secs(10);

//! Writing to the control topic, while leading.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use control_state::{CONTROL_PARTITION, ControlEntry, ControlState, ControlView};
use kafka_pipeline::{OutputRecord, Published, TransactionalPublisher};
use moderation_wire::v1;
use prost::Message;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::clock::wall_clock;
use crate::command::{WriteError, Written, conflict};
use crate::metrics::{self, ChangeOutcome};
use crate::object::Object;
use crate::plan::{Plan, Planner, Proposal, Terms, head_version};
use crate::refusal::Refusal;

/// Where and how to write.
#[derive(Clone, Debug)]
pub(crate) struct WriterOptions {
    pub(crate) control_topic: Arc<str>,
    pub(crate) audit_topic: Arc<str>,
    pub(crate) max_policy_bytes: usize,
    /// Cancelled when the writer has to come to an end.
    pub(crate) shutdown: CancellationToken,
}

/// Takes changes one by one, so that comparing with the serving version and setting the next is one step. What is
/// written, version, head and audit record, is one transaction: whole or absent.
pub(crate) struct Writer {
    options: WriterOptions,
    publisher: Arc<TransactionalPublisher>,
    view: ControlView,
    /// What has been written must have been read back before the next change is planned.
    written_offset: u64,
}

impl Writer {
    /// Makes a writer that has taken over, with a `view` that knows everything that was written before.
    pub(crate) fn new(
        options: WriterOptions,
        publisher: TransactionalPublisher,
        view: ControlView,
    ) -> Self {
        Self {
            options,
            publisher: Arc::new(publisher),
            view,
            written_offset: 0,
        }
    }

    /// Makes a change, or records that it was refused.
    ///
    /// # Errors
    /// See [`WriteError`]. After `Fenced` and `Unknown` this writer is of no further use.
    pub(crate) async fn change(
        &mut self,
        proposal: Proposal,
        terms: &Terms,
    ) -> Result<Written, WriteError> {
        let started = Instant::now();
        let object = proposal.object();
        let state = self.current_state().await?;
        let planner = Planner {
            state: &state,
            now: wall_clock(),
            max_policy_bytes: self.options.max_policy_bytes,
        };
        match planner.plan(proposal, terms) {
            Ok(plan) => {
                let written = self.write(object, plan).await?;
                metrics::time_write(object, started.elapsed());
                Ok(written)
            }
            Err(refusal) => {
                let current = head_version(&state, object);
                let record = self.audit_record(&refused(object, current, terms, &refusal));
                self.publish(vec![record]).await?;
                metrics::count_change(object, ChangeOutcome::Refused);
                tracing::info!(%object, "refused a change");
                Err(refusal.into())
            }
        }
    }

    async fn write(&mut self, object: Object, plan: Plan) -> Result<Written, WriteError> {
        let records = vec![
            self.control_record(&plan.version),
            self.control_record(&plan.head),
            self.audit_record(&made(object, &plan)),
        ];
        let published = self.publish(records).await?;
        self.written_offset = behind(&published[HEAD]);
        metrics::count_change(object, ChangeOutcome::Made);
        metrics::set_head_version(object, plan.to_version);
        let state = self.current_state().await;
        let state = state.map_err(|_| WriteError::NotReadBack(plan.to_version))?;
        if !is_head(&state, &plan.head) {
            // Somebody who is no control plane wrote the same number first; followers keep what came first.
            return Err(conflict(object, plan.from_version, &state));
        }
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
            .map_err(WriteError::NotMade)
    }

    fn control_record(&self, entry: &ControlEntry) -> OutputRecord {
        let topic = Arc::clone(&self.options.control_topic);
        let mut record = OutputRecord::new(topic, entry.key().to_string(), entry.encode());
        // The topic is meant to have this one alone; followers read no other, however many were made.
        record.partition = Some(CONTROL_PARTITION);
        record
    }

    fn audit_record(&self, record: &v1::AuditRecord) -> OutputRecord {
        let topic = Arc::clone(&self.options.audit_topic);
        OutputRecord::new(topic, record.object.as_str(), record.encode_to_vec())
    }

    /// Waits as long as brokers may be away and somebody may still wait, and then says that the outcome is not known.
    async fn publish(&self, records: Vec<OutputRecord>) -> Result<Vec<Published>, WriteError> {
        let goes_on = Arc::new(AtomicBool::new(true));
        let mut publishing = spawn_blocking({
            let (publisher, goes_on) = (Arc::clone(&self.publisher), Arc::clone(&goes_on));
            move || publisher.publish_all(&records, || goes_on.load(Ordering::Relaxed))
        });
        let out_of_time = async {
            tokio::select! {
                () = sleep(PUBLISH_PATIENCE) => {}
                () = async {
                    self.options.shutdown.cancelled().await;
                    sleep(LAST_PUBLISH_PATIENCE).await;
                } => {}
            }
        };
        let published = tokio::select! {
            published = &mut publishing => published,
            () = out_of_time => {
                goes_on.store(false, Ordering::Relaxed);
                publishing.await
            }
        };
        match published {
            Ok(published) => Ok(published?),
            // It neither panics nor is it cancelled, unless the runtime ends.
            Err(_) => Err(WriteError::Stopping),
        }
    }
}

fn behind(published: &Published) -> u64 {
    u64::try_from(published.offset).unwrap_or(0) + 1
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

/// The place of the head among the records of a change.
const HEAD: usize = 1;
/// How long a change waits for a control topic that is out of reach.
const REACH_PATIENCE: Duration = Duration::from_secs(5);
/// How long a transaction may take. Brokers that were away for longer are asked again by the next term.
const PUBLISH_PATIENCE: Duration = Duration::from_secs(20);
/// How long a transaction may take once the writer has to end.
const LAST_PUBLISH_PATIENCE: Duration = Duration::from_secs(5);

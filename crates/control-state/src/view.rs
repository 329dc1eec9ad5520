//! What the follower shows to everyone else in the process.

use std::sync::Arc;

use tokio::sync::watch;

use crate::state::ControlState;
use crate::versioned::{VersionedDeployment, VersionedPolicy};

/// How far the control topic is known, and whether that can be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether what is shown is what serves.
    pub phase: Phase,
    /// The offset behind the last record that is part of what is shown; 0 before the first.
    pub control_offset: u64,
}

/// Whether what is shown is what serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The end of the topic has not been reached yet; nothing is shown.
    CatchingUp,
    /// The end was reached; changes are shown as they come.
    Current,
    /// The topic has been out of reach for [`STALE_AFTER`](crate::STALE_AFTER): stop producing until this is over.
    Stale,
    /// Following has ended for a reason that does not go away by itself.
    Failed(kafka_pipeline::Error),
}

/// The way to what a [`ControlFollower`](crate::ControlFollower) knows. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ControlView {
    shown: Arc<Shown>,
}

#[derive(Debug)]
struct Shown {
    policy: watch::Sender<Option<Arc<VersionedPolicy>>>,
    deployment: watch::Sender<Option<Arc<VersionedDeployment>>>,
    state: watch::Sender<Arc<ControlState>>,
    standing: watch::Sender<Standing>,
}

impl ControlView {
    pub(crate) fn new(state: ControlState) -> Self {
        let standing = Standing {
            phase: Phase::CatchingUp,
            control_offset: 0,
        };
        let shown = Shown {
            policy: watch::Sender::new(None),
            deployment: watch::Sender::new(None),
            state: watch::Sender::new(Arc::new(state)),
            standing: watch::Sender::new(standing),
        };
        Self {
            shown: Arc::new(shown),
        }
    }

    /// Returns the policy that serves, now and whenever it changes; `None` until there is one.
    pub fn policy(&self) -> watch::Receiver<Option<Arc<VersionedPolicy>>> {
        self.shown.policy.subscribe()
    }

    /// Returns the deployment that serves, now and whenever it changes; `None` until there is one.
    pub fn deployment(&self) -> watch::Receiver<Option<Arc<VersionedDeployment>>> {
        self.shown.deployment.subscribe()
    }

    /// Returns everything that is known, now and whenever more is.
    pub fn state(&self) -> watch::Receiver<Arc<ControlState>> {
        self.shown.state.subscribe()
    }

    /// Returns how far the topic is known, now and whenever that changes. It is shown last: whoever sees an offset here
    /// sees what it brought everywhere else.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.shown.standing.subscribe()
    }

    /// Waits until the state contains all records below `control_offset` and can be trusted. Cancellation-safe.
    ///
    /// # Errors
    /// What ended following.
    pub async fn reach(
        &self,
        control_offset: u64,
    ) -> Result<Arc<ControlState>, kafka_pipeline::Error> {
        let is_there = |standing: &Standing| match standing.phase {
            Phase::Current => standing.control_offset >= control_offset,
            Phase::CatchingUp | Phase::Stale => false,
            Phase::Failed(_) => true,
        };
        let phase = self.standing_when(is_there).await.phase;
        match phase {
            Phase::Failed(error) => Err(error),
            _ => Ok(self.state().borrow().clone()),
        }
    }

    /// Waits until following has failed for good. Cancellation-safe.
    pub async fn failure(&self) -> kafka_pipeline::Error {
        loop {
            let failed = self.standing_when(|standing| matches!(standing.phase, Phase::Failed(_)));
            if let Phase::Failed(error) = failed.await.phase {
                return error;
            }
        }
    }

    async fn standing_when(&self, condition: impl FnMut(&Standing) -> bool) -> Standing {
        let mut standing = self.standing();
        match standing.wait_for(condition).await {
            Ok(standing) => standing.clone(),
            // The sender lives in `self`.
            Err(_) => unreachable!("a view outlives its own channels"),
        }
    }

    pub(crate) fn show(&self, state: &ControlState, phase: Phase) {
        show_head(&self.shown.policy, state.policies().head());
        show_head(&self.shown.deployment, state.deployments().head());
        self.shown.state.send_replace(Arc::new(state.clone()));
        let control_offset = state.control_offset();
        self.stand(Standing {
            phase,
            control_offset,
        });
    }

    pub(crate) fn doubt(&self, phase: Phase) {
        let control_offset = self.shown.standing.borrow().control_offset;
        self.stand(Standing {
            phase,
            control_offset,
        });
    }

    fn stand(&self, standing: Standing) {
        self.shown.standing.send_if_modified(|current| {
            let is_changed = *current != standing;
            *current = standing;
            is_changed
        });
    }
}

fn show_head<T>(shown: &watch::Sender<Option<Arc<T>>>, head: Option<&Arc<T>>) {
    shown.send_if_modified(|current| {
        let is_same = match (&*current, head) {
            (Some(current), Some(head)) => Arc::ptr_eq(current, head),
            (None, None) => true,
            _ => false,
        };
        if !is_same {
            *current = head.cloned();
        }
        !is_same
    });
}

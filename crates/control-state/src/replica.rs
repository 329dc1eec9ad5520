//! What this process says of itself.

use std::sync::Arc;

use moderation::{DeploymentVersion, PolicyVersion};
use moderation_wire::v1;
use tokio::sync::watch;

/// The name of one running instance of a stage: 1 to 128 bytes without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaId(Arc<str>);

/// Why a replica id was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a replica id has 1 to 128 bytes and no control characters")]
pub struct InvalidReplicaId;

impl ReplicaId {
    const MAX_BYTES: usize = 128;

    /// Checks and wraps an id.
    ///
    /// # Errors
    /// [`InvalidReplicaId`].
    pub fn new(id: &str) -> Result<Self, InvalidReplicaId> {
        let is_valid =
            (1..=Self::MAX_BYTES).contains(&id.len()) && !id.chars().any(char::is_control);
        is_valid.then(|| Self(id.into())).ok_or(InvalidReplicaId)
    }

    /// Names the stage in this process on this host: another one after every restart.
    pub fn of_this_process(stage: &str) -> Self {
        let (host, process) = (host_name(), std::process::id());
        Self(format!("{stage}-{host}-{process}").into())
    }

    /// Returns the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns the name of this host, of at most 64 letters, digits, dots and hyphens; empty where the system does not tell.
pub fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.chars()
        .filter(|character| character.is_ascii_alphanumeric() || "-.".contains(*character))
        .take(64)
        .collect()
}

/// The way to say what this replica serves; goes out with its heartbeats. Cheap to clone, callable from any thread.
#[derive(Clone, Debug)]
pub struct Replica {
    report: Arc<watch::Sender<Report>>,
}

impl Replica {
    pub(crate) fn new() -> Self {
        Self {
            report: Arc::new(watch::Sender::new(Report::default())),
        }
    }

    /// Says that everything older than this policy has been released. An older version than before changes nothing.
    pub fn acknowledge_policy(&self, version: PolicyVersion) {
        self.change(|report| report.policy.acknowledge(version.0));
    }

    /// Says that this policy cannot serve here, and that the older one goes on. The reason is for people and holds no
    /// user's text; of a long one the beginning is told.
    pub fn refuse_policy(&self, version: PolicyVersion, reason: impl Into<String>) {
        let reason = shortened(reason.into());
        self.change(|report| report.policy.refuse(version.0, reason));
    }

    /// Says that everything older than this deployment has been released. An older version than before changes nothing.
    pub fn acknowledge_deployment(&self, version: DeploymentVersion) {
        self.change(|report| report.deployment.acknowledge(version.0));
    }

    /// Says that this deployment cannot serve here, and that the older one goes on. As for
    /// [`refuse_policy`](Replica::refuse_policy), of a long reason the beginning is told.
    pub fn refuse_deployment(&self, version: DeploymentVersion, reason: impl Into<String>) {
        let reason = shortened(reason.into());
        self.change(|report| report.deployment.refuse(version.0, reason));
    }

    /// Says whether this replica works, and if it does not, why.
    pub fn set_ready(&self, is_ready: bool, detail: impl Into<String>) {
        let detail = detail.into();
        self.change(|report| {
            report.is_ready = is_ready;
            report.detail = detail;
        });
    }

    /// Says whether this replica is the one that writes, where one of several does.
    pub fn set_leading(&self, is_leading: bool) {
        self.change(|report| report.is_leading = is_leading);
    }

    /// Says goodbye: nobody is to wait for this replica. [`Heartbeats::run`](crate::Heartbeats::run) returns once that
    /// is published. Call it when the drain is over.
    pub fn leave(&self) {
        self.change(|report| report.is_leaving = true);
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Report> {
        self.report.subscribe()
    }

    fn change(&self, change: impl FnOnce(&mut Report)) {
        self.report.send_if_modified(|report| {
            let before = report.clone();
            change(report);
            *report != before
        });
    }
}

/// What a heartbeat says, but for its time and offset. Pure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) policy: Served,
    pub(crate) deployment: Served,
    pub(crate) is_ready: bool,
    pub(crate) detail: String,
    pub(crate) is_leading: bool,
    pub(crate) is_leaving: bool,
}

/// Which version of one object is served, and which was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Served {
    /// 0 is none.
    pub(crate) acknowledged: u64,
    refused: Option<(u64, String)>,
}

impl Served {
    fn acknowledge(&mut self, version: u64) {
        self.acknowledged = self.acknowledged.max(version);
        // A later version that works makes an earlier refusal history.
        if self
            .refused
            .as_ref()
            .is_some_and(|(refused, _)| *refused <= version)
        {
            self.refused = None;
        }
    }

    fn refuse(&mut self, version: u64, reason: String) {
        if version > self.acknowledged {
            self.refused = Some((version, reason));
        }
    }

    fn refused_version(&self) -> u64 {
        self.refused.as_ref().map_or(0, |(version, _)| *version)
    }
}

impl Report {
    /// Makes the heartbeat, without its time and address.
    pub(crate) fn heartbeat(
        &self,
        id: &ReplicaId,
        stage: &str,
        control_offset: u64,
    ) -> v1::ReplicaHeartbeat {
        v1::ReplicaHeartbeat {
            replica_id: id.as_str().to_owned(),
            stage: stage.to_owned(),
            at: None,
            policy_version: self.policy.acknowledged,
            deployment_version: self.deployment.acknowledged,
            control_offset,
            ready: self.is_ready,
            detail: self.whole_detail(),
            refused_policy_version: self.policy.refused_version(),
            refused_deployment_version: self.deployment.refused_version(),
            leaving: self.is_leaving,
            address: String::new(),
            leading: self.is_leading,
        }
    }

    fn whole_detail(&self) -> String {
        let mut sentences = Vec::new();
        if !self.detail.is_empty() {
            sentences.push(self.detail.clone());
        }
        for (object, served) in [("policy", &self.policy), ("deployment", &self.deployment)] {
            if let Some((version, reason)) = &served.refused {
                sentences.push(format!("refused {object} {version}: {reason}"));
            }
        }
        sentences.join("; ")
    }
}

/// A reason goes out with every heartbeat, and one that no topic takes would make its replica count as dead.
fn shortened(mut reason: String) -> String {
    if reason.len() > MAX_REASON_BYTES {
        reason.truncate(reason.floor_char_boundary(MAX_REASON_BYTES));
        reason.push('…');
    }
    reason
}

const MAX_REASON_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Policy acknowledged and refused, readiness, detail.
    #[track_caller]
    fn check(say: impl FnOnce(&Replica), expected: (u64, u64, bool, &str)) {
        let replica = Replica::new();
        say(&replica);
        let id = ReplicaId::new("e-1").unwrap();
        let heartbeat = replica.subscribe().borrow().heartbeat(&id, "enforcer", 7);
        let actual = (
            heartbeat.policy_version,
            heartbeat.refused_policy_version,
            heartbeat.ready,
            heartbeat.detail.as_str(),
        );
        assert_eq!(actual, expected);
        assert_eq!(heartbeat.control_offset, 7);
    }

    #[test]
    fn a_replica_says_what_it_serves_and_refuses() {
        let three = PolicyVersion(3);
        check(|_| {}, (0, 0, false, ""));
        check(
            |r| r.set_ready(false, "no model"),
            (0, 0, false, "no model"),
        );
        check(|r| r.set_ready(true, ""), (0, 0, true, ""));
        check(|r| r.acknowledge_policy(three), (3, 0, false, ""));
        check(
            |r| {
                r.acknowledge_policy(PolicyVersion(2));
                r.refuse_policy(three, "too large");
            },
            (2, 3, false, "refused policy 3: too large"),
        );
    }

    #[test]
    fn versions_only_grow() {
        let (two, three) = (PolicyVersion(2), PolicyVersion(3));
        check(
            |r| {
                r.acknowledge_policy(three);
                r.acknowledge_policy(two);
                r.refuse_policy(two, "late");
            },
            (3, 0, false, ""),
        );
        check(
            |r| {
                r.refuse_policy(two, "too large");
                r.acknowledge_policy(three);
            },
            (3, 0, false, ""),
        );
    }

    #[test]
    fn both_refusals_are_told() {
        let say = |replica: &Replica| {
            replica.refuse_policy(PolicyVersion(1), "a");
            replica.refuse_deployment(DeploymentVersion(2), "b");
        };
        check(
            say,
            (0, 1, false, "refused policy 1: a; refused deployment 2: b"),
        );
    }

    #[test]
    fn of_a_long_reason_the_beginning_is_told() {
        let told = format!("refused policy 1: {}…", "ö".repeat(512));
        let long = "ö".repeat(100_000);
        check(
            |r| r.refuse_policy(PolicyVersion(1), long),
            (0, 1, false, &told),
        );
    }

    #[test]
    fn replica_ids_are_checked() {
        assert!(ReplicaId::new("").is_err());
        assert!(ReplicaId::new("a\nb").is_err());
        assert!(ReplicaId::new(&"x".repeat(129)).is_err());
        let own = ReplicaId::of_this_process("enforcer");
        assert_eq!(ReplicaId::new(own.as_str()), Ok(own));
    }
}

//! Whom a write waits for, and how far they are. Pure: `now` is an argument.

use std::collections::BTreeSet;
use std::time::Instant;

use control_state::{KnownReplica, ReplicaId, ReplicaTable};
use moderation_wire::v1;

use crate::object::Object;

/// The replicas that lived when a write began.
///
/// Whoever starts later reads the control topic to its end first, so there is no need to wait for it.
#[derive(Clone, Debug)]
pub(crate) struct Awaited {
    object: Object,
    replicas: BTreeSet<ReplicaId>,
    silent: Vec<v1::ReplicaProblem>,
}

/// How far the awaited replicas are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Acknowledgements {
    pub(crate) by: Vec<String>,
    /// Whose answer is no, or will not come: waiting longer changes nothing.
    pub(crate) failed: Vec<v1::ReplicaProblem>,
    /// Whose answer may still come.
    pub(crate) pending: Vec<v1::ReplicaProblem>,
    /// Who had been silent before the write, and is not waited for.
    pub(crate) silent: Vec<v1::ReplicaProblem>,
}

impl Acknowledgements {
    /// Returns whether every answer is in.
    pub(crate) fn are_complete(&self) -> bool {
        self.pending.is_empty()
    }

    /// Returns everyone without an acknowledgement.
    pub(crate) fn lagging(self) -> Vec<v1::ReplicaProblem> {
        let mut lagging = self.failed;
        lagging.extend(self.pending);
        lagging
    }
}

enum Answer {
    Yes,
    No(String),
    NotYet(String),
}

impl Awaited {
    /// Returns the live replicas of the stage that serves the object, or `None` if there are none.
    pub(crate) fn live(object: Object, table: &ReplicaTable, now: Instant) -> Option<Self> {
        let live = table.live_of_stage(object.stage(), now);
        let replicas: BTreeSet<ReplicaId> = live.map(|(id, _)| id.clone()).collect();
        let of_stage = table.iter().filter(|(id, replica)| {
            replica.heartbeat.stage == object.stage() && !replicas.contains(*id)
        });
        let silent = of_stage
            .map(|(id, replica)| v1::ReplicaProblem {
                replica_id: id.as_str().to_owned(),
                detail: silence(replica, now),
            })
            .collect();
        (!replicas.is_empty()).then_some(Self {
            object,
            replicas,
            silent,
        })
    }

    /// Returns how far they are with `version`. Who has left is not waited for.
    pub(crate) fn progress(
        &self,
        version: u64,
        table: &ReplicaTable,
        now: Instant,
    ) -> Acknowledgements {
        let mut acknowledgements = Acknowledgements {
            silent: self.silent.clone(),
            ..Acknowledgements::default()
        };
        for id in &self.replicas {
            let Some(replica) = table.get(id) else {
                continue;
            };
            let replica_id = id.as_str().to_owned();
            match self.answer(version, replica, now) {
                Answer::Yes => acknowledgements.by.push(replica_id),
                Answer::No(detail) => acknowledgements
                    .failed
                    .push(v1::ReplicaProblem { replica_id, detail }),
                Answer::NotYet(detail) => acknowledgements
                    .pending
                    .push(v1::ReplicaProblem { replica_id, detail }),
            }
        }
        acknowledgements
    }

    fn answer(&self, version: u64, replica: &KnownReplica, now: Instant) -> Answer {
        let heartbeat = &replica.heartbeat;
        let (served, refused) = match self.object {
            Object::Policy => (heartbeat.policy_version, heartbeat.refused_policy_version),
            Object::Deployment => (
                heartbeat.deployment_version,
                heartbeat.refused_deployment_version,
            ),
        };
        if served >= version {
            return Answer::Yes;
        }
        let object = self.object;
        if refused == version {
            return Answer::No(format!(
                "refused; goes on with {object} {served}: {}",
                heartbeat.detail
            ));
        }
        if !replica.is_live(now) {
            let silence = silence(replica, now);
            return Answer::No(format!("{silence}; last said it serves {object} {served}"));
        }
        let detail = if heartbeat.detail.is_empty() {
            String::new()
        } else {
            format!(": {}", heartbeat.detail)
        };
        Answer::NotYet(format!("still serves {object} {served}{detail}"))
    }
}

fn silence(replica: &KnownReplica, now: Instant) -> String {
    format!("silent for {:.1} s", replica.silence(now).as_secs_f32())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prost::Message;

    use super::*;

    fn heartbeat(id: &str, served: u64, refused: u64) -> v1::ReplicaHeartbeat {
        v1::ReplicaHeartbeat {
            replica_id: id.to_owned(),
            stage: "enforcer".to_owned(),
            policy_version: served,
            refused_policy_version: refused,
            ..Default::default()
        }
    }

    fn hear(table: &mut ReplicaTable, heartbeat: &v1::ReplicaHeartbeat, at: Instant) {
        assert_eq!(table.hear(&heartbeat.encode_to_vec(), at), Ok(()));
    }

    /// Everyone lives at version 1 when version 2 is written; then come `answers`, and time passes.
    #[test]
    fn who_was_silent_before_is_named_and_not_waited_for() {
        let start = Instant::now();
        let mut table = ReplicaTable::default();
        hear(&mut table, &heartbeat("gone", 1, 0), start);
        let now = start + Duration::from_secs(9);
        hear(&mut table, &heartbeat("here", 1, 0), now);
        let awaited = Awaited::live(Object::Policy, &table, now).unwrap();
        hear(&mut table, &heartbeat("here", 2, 0), now);
        let progress = awaited.progress(2, &table, now);
        assert!(progress.are_complete());
        assert_eq!(progress.by, ["here"]);
        assert_eq!(progress.silent[0].replica_id, "gone");
        assert_eq!(progress.silent[0].detail, "silent for 9.0 s");
        assert!(progress.lagging().is_empty());
    }

    #[track_caller]
    fn check(
        answers: &[v1::ReplicaHeartbeat],
        passed: Duration,
        expected: (&[&str], &[&str], &[&str]),
    ) {
        let start = Instant::now();
        let mut table = ReplicaTable::default();
        for id in ["a", "b"] {
            hear(&mut table, &heartbeat(id, 1, 0), start);
        }
        let awaited = Awaited::live(Object::Policy, &table, start).unwrap();
        let now = start + passed;
        for answer in answers {
            hear(&mut table, answer, now);
        }
        let progress = awaited.progress(2, &table, now);
        let problems = |problems: &[v1::ReplicaProblem]| -> Vec<String> {
            problems
                .iter()
                .map(|problem| format!("{}: {}", problem.replica_id, problem.detail))
                .collect()
        };
        let by: Vec<&str> = progress.by.iter().map(String::as_str).collect();
        assert_eq!(by, expected.0);
        assert_eq!(problems(&progress.failed), expected.1);
        assert_eq!(problems(&progress.pending), expected.2);
    }

    #[test]
    fn all_live_replicas_are_waited_for() {
        let soon = Duration::from_millis(10);
        let both = ["a: still serves policy 1", "b: still serves policy 1"];
        check(&[], soon, (&[], &[], &both));
        check(&[heartbeat("a", 2, 0)], soon, (&["a"], &[], &both[1..]));
        check(
            &[heartbeat("a", 2, 0), heartbeat("b", 3, 0)],
            soon,
            (&["a", "b"], &[], &[]),
        );
        // Who came later reads to the end before it serves.
        check(
            &[heartbeat("a", 2, 0), heartbeat("c", 0, 0)],
            soon,
            (&["a"], &[], &both[1..]),
        );
    }

    #[test]
    fn refusal_silence_and_leaving_end_the_wait() {
        let mut refusal = heartbeat("a", 1, 2);
        refusal.detail = "too large".to_owned();
        let refused = ["a: refused; goes on with policy 1: too large"];
        let pending = ["b: still serves policy 1"];
        check(&[refusal], Duration::ZERO, (&[], &refused, &pending));
        let silent = ["b: silent for 3.0 s; last said it serves policy 1"];
        check(
            &[heartbeat("a", 2, 0)],
            Duration::from_secs(3),
            (&["a"], &silent, &[]),
        );
        let mut goodbye = heartbeat("b", 1, 0);
        goodbye.leaving = true;
        check(
            &[heartbeat("a", 2, 0), goodbye],
            Duration::ZERO,
            (&["a"], &[], &[]),
        );
    }

    #[test]
    fn other_stages_and_the_dead_are_nobody() {
        let start = Instant::now();
        let mut table = ReplicaTable::default();
        hear(&mut table, &heartbeat("a", 1, 0), start);
        assert!(Awaited::live(Object::Deployment, &table, start).is_none());
        assert!(Awaited::live(Object::Policy, &table, start + Duration::from_secs(3)).is_none());
        assert!(Awaited::live(Object::Policy, &table, start).is_some());
    }
}

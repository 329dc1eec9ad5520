//! What the control topic says, record by record.

use moderation::{Deployment, DeploymentVersion, PolicyVersion};

use crate::entry::{ControlEntry, SkipReason};
use crate::lineage::{History, Lineage};
use crate::versioned::PolicyDocument;

/// The state that the records of the control topic up to one offset add up to. Pure.
///
/// What a record cannot mean is skipped, never an error: a record of a later release, or one that somebody wrote by
/// hand, must not stop a stage.
#[derive(Clone, Debug)]
pub struct ControlState {
    history: History,
    policies: Lineage<PolicyVersion, PolicyDocument>,
    deployments: Lineage<DeploymentVersion, Deployment>,
    control_offset: u64,
}

/// A record as it lies in the control topic.
#[derive(Clone, Copy, Debug)]
pub struct RawRecord<'a> {
    /// Its offset.
    pub offset: u64,
    /// Its key, if it has one.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` for a tombstone.
    pub value: Option<&'a [u8]>,
}

/// What a record did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Another policy serves.
    PolicyHead,
    /// Another deployment serves.
    DeploymentHead,
    /// Nothing that serves has changed.
    Recorded,
    /// Nothing at all.
    Skipped(SkipReason),
}

impl ControlState {
    /// Makes the state of an empty topic.
    pub fn new(history: History) -> Self {
        Self {
            history,
            policies: Lineage::default(),
            deployments: Lineage::default(),
            control_offset: 0,
        }
    }

    /// Returns the policies.
    pub fn policies(&self) -> &Lineage<PolicyVersion, PolicyDocument> {
        &self.policies
    }

    /// Returns the deployments.
    pub fn deployments(&self) -> &Lineage<DeploymentVersion, Deployment> {
        &self.deployments
    }

    /// Returns the offset behind the last record that was applied or skipped; 0 before the first.
    ///
    /// A write whose head lies at offset `n` is part of the state from `n + 1` on.
    pub fn control_offset(&self) -> u64 {
        self.control_offset
    }

    /// Takes the next record. Offsets only grow: a record that was seen before is skipped.
    pub fn apply(&mut self, record: RawRecord<'_>) -> Applied {
        if record.offset < self.control_offset {
            return Applied::Skipped(SkipReason::OldOffset);
        }
        self.control_offset = record.offset.saturating_add(1);
        match ControlEntry::decode(record.key, record.value) {
            Ok(entry) => self.take(entry).unwrap_or_else(Applied::Skipped),
            Err(reason) => Applied::Skipped(reason),
        }
    }

    fn take(&mut self, entry: ControlEntry) -> Result<Applied, SkipReason> {
        let history = self.history;
        let moved = |is_moved, head| if is_moved { head } else { Applied::Recorded };
        match entry {
            ControlEntry::PolicyVersion(policy) => {
                self.policies.record(policy, history)?;
                Ok(Applied::Recorded)
            }
            ControlEntry::DeploymentVersion(deployment) => {
                self.deployments.record(deployment, history)?;
                Ok(Applied::Recorded)
            }
            ControlEntry::PolicyHead(policy) => {
                let is_moved = self.policies.move_head(policy, history)?;
                Ok(moved(is_moved, Applied::PolicyHead))
            }
            ControlEntry::DeploymentHead(deployment) => {
                let is_moved = self.deployments.move_head(deployment, history)?;
                Ok(moved(is_moved, Applied::DeploymentHead))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::samples::{deployment, policy};

    struct Topic {
        state: ControlState,
        next: u64,
    }

    impl Topic {
        fn new(history: History) -> Self {
            Self {
                state: ControlState::new(history),
                next: 0,
            }
        }

        fn append(&mut self, entry: &ControlEntry) -> Applied {
            let key = entry.key().to_string();
            let applied = self.state.apply(RawRecord {
                offset: self.next,
                key: Some(key.as_bytes()),
                value: Some(&entry.encode()),
            });
            self.next += 1;
            applied
        }

        fn change_policy(&mut self, version: u64, text: &str) -> Applied {
            self.append(&ControlEntry::PolicyVersion(policy(version, text)));
            self.append(&ControlEntry::PolicyHead(policy(version, text)))
        }

        #[track_caller]
        fn check_head(&self, version: u64, text: &str) {
            let head = self.state.policies().head().unwrap();
            assert_eq!((head.version.0, head.content.text()), (version, text));
        }

        #[track_caller]
        fn check_listed(&self, expected: &[u64]) {
            let listed: Vec<u64> = self
                .state
                .policies()
                .newest_first()
                .map(|policy| policy.version.0)
                .collect();
            assert_eq!(listed, expected);
        }
    }

    #[test]
    fn the_head_is_what_serves() {
        let mut topic = Topic::new(History::Full);
        assert!(topic.state.policies().head().is_none());
        assert_eq!(topic.change_policy(1, "a"), Applied::PolicyHead);
        assert_eq!(topic.change_policy(2, "b"), Applied::PolicyHead);
        topic.check_head(2, "b");
        topic.check_listed(&[2, 1]);
        let first = topic.state.policies().get(PolicyVersion(1)).unwrap();
        assert_eq!(first.content.text(), "a");
        assert_eq!(topic.state.control_offset(), 4);
    }

    #[test]
    fn policies_and_deployments_are_apart() {
        let mut topic = Topic::new(History::HeadsOnly);
        topic.change_policy(1, "a");
        let head = ControlEntry::DeploymentHead(deployment(1, "screen"));
        assert_eq!(topic.append(&head), Applied::DeploymentHead);
        topic.check_head(1, "a");
        assert_eq!(
            topic.state.deployments().head().unwrap().version,
            DeploymentVersion(1)
        );
    }

    #[test]
    fn a_prepared_version_shows_nowhere_and_may_be_replaced() {
        let mut topic = Topic::new(History::Full);
        topic.change_policy(1, "a");
        topic.append(&ControlEntry::PolicyVersion(policy(2, "abandoned")));
        topic.check_listed(&[1]);
        assert!(topic.state.policies().get(PolicyVersion(2)).is_none());
        assert_eq!(topic.change_policy(2, "b"), Applied::PolicyHead);
        topic.check_head(2, "b");
        topic.check_listed(&[2, 1]);
    }

    #[test]
    fn what_served_is_immutable() {
        let mut topic = Topic::new(History::Full);
        topic.change_policy(1, "a");
        topic.change_policy(2, "b");
        let skipped = Applied::Skipped(SkipReason::Conflict);
        assert_eq!(topic.change_policy(2, "other"), skipped);
        let version = ControlEntry::PolicyVersion(policy(1, "other"));
        assert_eq!(topic.append(&version), skipped);
        let went_back = ControlEntry::PolicyHead(policy(1, "a"));
        assert_eq!(
            topic.append(&went_back),
            Applied::Skipped(SkipReason::WentBack)
        );
        topic.check_head(2, "b");
    }

    #[test]
    fn the_same_again_changes_nothing() {
        let mut topic = Topic::new(History::Full);
        topic.change_policy(1, "a");
        assert_eq!(topic.change_policy(1, "a"), Applied::Recorded);
        topic.check_listed(&[1]);
    }

    #[test]
    fn a_compacted_topic_says_the_same() {
        let mut topic = Topic::new(History::Full);
        topic.append(&ControlEntry::PolicyVersion(policy(1, "a")));
        topic.next = 7;
        topic.append(&ControlEntry::PolicyVersion(policy(2, "b")));
        topic.append(&ControlEntry::PolicyHead(policy(2, "b")));
        topic.check_head(2, "b");
        topic.check_listed(&[2, 1]);
        assert_eq!(topic.state.control_offset(), 9);
    }

    #[test]
    fn records_that_mean_nothing_only_move_the_offset() {
        let mut topic = Topic::new(History::Full);
        topic.change_policy(1, "a");
        let odd = RawRecord {
            offset: 9,
            key: Some(b"brakes"),
            value: Some(b"?"),
        };
        let skipped = Applied::Skipped(SkipReason::UnknownKey);
        assert_eq!(topic.state.apply(odd), skipped);
        assert_eq!(topic.state.control_offset(), 10);
        let skipped = Applied::Skipped(SkipReason::OldOffset);
        assert_eq!(topic.state.apply(odd), skipped);
        topic.check_head(1, "a");
    }

    #[test]
    fn stages_keep_heads_alone() {
        let mut topic = Topic::new(History::HeadsOnly);
        topic.change_policy(1, "a");
        topic.change_policy(2, "b");
        topic.check_head(2, "b");
        topic.check_listed(&[2]);
        assert!(topic.state.policies().get(PolicyVersion(1)).is_none());
    }

    proptest! {
        /// Whatever is written in whatever order: the head never goes back, and what served once stays as it was.
        #[test]
        fn served_versions_never_change(writes in proptest::collection::vec((any::<bool>(), 1u64..5, "[ab]"), 0..40)) {
            let mut topic = Topic::new(History::Full);
            let mut served = std::collections::BTreeMap::new();
            for (is_head, version, text) in writes {
                let entry = if is_head {
                    ControlEntry::PolicyHead(policy(version, &text))
                } else {
                    ControlEntry::PolicyVersion(policy(version, &text))
                };
                if topic.append(&entry) == Applied::PolicyHead {
                    prop_assert!(served.keys().all(|earlier| *earlier < version));
                    served.insert(version, text);
                }
                for (version, text) in &served {
                    let known = topic.state.policies().get(PolicyVersion(*version)).unwrap();
                    prop_assert_eq!(known.content.text(), text);
                }
            }
        }
    }
}

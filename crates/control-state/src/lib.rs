//! Following the control topic, and telling what this replica serves.
//!
//! - [`ControlFollower`] reads the control topic from its beginning on a thread of its own; a [`ControlView`] shows the
//!   policy and the deployment that serve, and by its [`Standing`] whether that can be trusted. Nothing is shown before
//!   the end of the topic was reached. When the brokers have been out of reach for [`STALE_AFTER`], a stage stops
//!   producing until the standing is [`Phase::Current`] again.
//! - [`Heartbeats`] tells the replicas topic every second, and at once on a change, what the [`Replica`] handle says:
//!   which versions it serves, which it refused and why, and whether it works.
//! - [`Stage`] binds a stage to both: its readiness, its liveness, its pipeline's pause while what is known is stale, its
//!   new start after the process stood still for [`STANDSTILL`], and its drain.
//! - [`TopicCheck`] looks before a stage does anything whether its topics are what their records need.
//! - [`ReplicaTable`] is the other end: who lives, and what each serves.
//!
//! Versions are immutable and heads only move forward, whatever the topic holds: a record that cannot mean that, or
//! that a later release wrote, is counted and skipped ([`SkipReason`]). [`ControlState::apply`] is where that is said.
//! A version that no head names yet is invisible, so that a change is whole or absent.

mod entry;
mod follower;
mod freshness;
mod heartbeats;
mod key;
mod lineage;
mod metrics;
mod replica;
mod replica_table;
#[cfg(test)]
mod samples;
mod serving;
mod stage;
mod stage_options;
mod state;
mod topic_check;
mod topic_problem;
mod versioned;
mod versions;
mod view;

pub use entry::{ControlEntry, SkipReason};
pub use follower::{CONTROL_PARTITION, ControlFollower, FollowerOptions, STANDSTILL};
pub use freshness::STALE_AFTER;
pub use heartbeats::{HEARTBEAT_INTERVAL, HeartbeatOptions, Heartbeats};
pub use key::ControlKey;
pub use lineage::{History, Lineage};
pub use metrics::describe_metrics;
pub use replica::{InvalidReplicaId, Replica, ReplicaId, host_name};
pub use replica_table::{KnownReplica, LIVE_FOR, REMEMBERED_FOR, ReplicaTable, UnusableHeartbeat};
pub use serving::Serving;
pub use stage::Stage;
pub use stage_options::StageOptions;
pub use state::{Applied, ControlState, RawRecord};
pub use topic_check::{CheckedTopics, TopicCheck, TopicFindings, TopicOptions};
pub use topic_problem::{TopicProblem, topic_problems};
pub use versioned::{Change, PolicyDocument, Versioned, VersionedDeployment, VersionedPolicy};
pub use versions::Versions;
pub use view::{ControlView, Phase, Standing};

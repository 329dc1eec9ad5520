//! The bounded consume, process, produce loop over Kafka. It knows bytes, not what they mean.
//!
//! # What a pipeline guarantees
//! - An offset is committed only when everything derived from its record, and from all earlier records of the
//!   partition, is acknowledged by the broker. Delivery is at least once; producers are idempotent.
//! - A processor may finish records in any order and on any thread. Their outputs are produced in the order of their
//!   partition all the same. There is one exception: a batch that its topic refuses as too large is sent again record by
//!   record, behind what was under way meanwhile.
//! - Memory in flight is bounded in events and bytes. Over the bound one record is held back for up to a second, then
//!   partitions are paused; they resume when half is free.
//! - A record never disappears. What a processor rejects, and what leads to an output that no topic takes, goes to the
//!   dead-letter topic with its original bytes. A record that is dropped without an outcome stops the pipeline.
//! - When a partition is taken away its records in flight are finished first, for a bounded time. Results that come later
//!   are discarded and counted.
//! - Under a [`Lease`] that has expired nothing more is dispatched or handed to the client library: what was not delivered
//!   is read again.
//!
//! # Threads
//! The *consumer* thread polls, keeps the budget and calls the [`Processor`]. The *emitter* thread puts results in order,
//! produces them and moves the commit frontier. Nothing is locked per record between them.
//!
//! Beside the pipeline there are a [`Publisher`] for records that do not come from a record, a
//! [`TransactionalPublisher`] for several that must come whole or not at all, a [`Follower`] that reads whole topics
//! without a group, an [`Ownership`] of a partition by which one of several processes leads, an [`Admin`] that asks about
//! topics and makes them, and an [`InProcessBroker`] for demos and tests.

mod admin;
mod age;
mod assignment;
mod broker;
mod budget;
mod client_log;
mod consumer;
mod control;
pub mod dead_letter;
mod delivery;
mod emitter;
mod error;
mod follower;
mod frontier;
mod group;
mod inputs;
mod lane;
mod lease;
mod metrics;
mod native;
mod options;
mod outcome;
mod ownership;
mod pipeline;
mod publisher;
mod reading;
mod record;
mod reorder;
mod topics;
mod transaction;
mod wire;

pub use admin::{
    Admin, AdminError, CleanupPolicy, Creation, Described, Descriptions, NewTopic,
    TopicDescription, TopicSettings,
};
pub use broker::{InProcessBroker, ProduceFault};
pub use budget::InFlightBudget;
pub use control::{Progress, State};
pub use error::{Error, InvalidSetting};
pub use follower::{Follower, FollowerConfig, FollowerEvent, StartAt};
pub use frontier::{CommitFrontier, Ticket};
pub use lease::Lease;
pub use metrics::describe_metrics;
pub use options::{KafkaOptions, OffsetReset, PipelineConfig, PipelineOptions};
pub use outcome::{Dispatched, Outcome, Processor, Rejection};
pub use ownership::{Owned, Ownership, OwnershipConfig};
pub use pipeline::{Handle, Pipeline};
pub use publisher::{Published, Publisher};
pub use record::{Headers, OutputRecord, Record};
pub use reorder::ReorderBuffer;
pub use transaction::{TransactionError, TransactionalPublisher};

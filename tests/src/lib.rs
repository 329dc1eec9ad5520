//! What the end-to-end tests stand on: the real binary, run as it is deployed, against the in-process broker or Apache Kafka.

mod address;
mod binary;
mod feed;
mod http;
pub mod kafka;
mod launch;
mod process;
pub mod reckoning;
pub mod samples;
mod stack;
pub mod traffic;

pub use address::free_address;
pub use binary::{repository, tidegate};
pub use feed::Feed;
pub use launch::{Launch, Stage};
pub use process::Process;
pub use stack::{Stack, StackOptions};

//! The commands with which people look at what runs, and change it while traffic flows.
//!
//! Most ask the control plane over gRPC, `topics` and `config` the brokers. Each prints for people or, with `--json`, for programs, and exits with 0 when it did
//! what was asked, 1 when it did not, and 2 when the command line makes no sense.

pub(crate) mod config;
mod connection;
pub(crate) mod model;
mod output;
pub(crate) mod policy;
pub(crate) mod status;
pub(crate) mod topics;
mod writing;

pub(crate) use connection::block_on;

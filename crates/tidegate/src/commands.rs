//! The commands with which people look at what runs, and change it while traffic flows.
//!
//! Each asks the control plane over gRPC, prints for people or, with `--json`, for programs, and exits with 0 when it did
//! what was asked, 1 when it did not, and 2 when the command line makes no sense.

mod connection;
pub(crate) mod model;
mod output;
pub(crate) mod policy;
pub(crate) mod status;
mod writing;

//! What every process needs once: configuration, telemetry, health, signals and drain.
//!
//! A binary reads its whole configuration with [`config::load`], calls [`Process::start`], which claims the telemetry
//! address before anything else runs, adds its services, and ends with [`Process::run`]. A service is one async function
//! over a [`ServiceContext`]: it registers its readiness conditions, beats its watchdogs, and returns once its shutdown
//! token is cancelled and it has drained.
//!
//! Guarantees:
//! - A configuration that cannot be used, and an address that is taken, are one-line errors before anything has started.
//! - One process has one telemetry endpoint and one recorder, however many services run in it.
//! - After SIGTERM or SIGINT services have [`ProcessConfig::drain_deadline`] to end; a second signal exits at once.
//! - Readiness is a list of named conditions with reasons and never depends on queue depth; liveness is watchdogs alone.
//!
//! Limits: Unix signals only; process metrics come from `/proc` and are absent where that is.

pub mod config;
mod context;
mod endpoint;
mod health;
mod logging;
mod metrics;
mod orphan;
mod process;
mod process_usage;
mod recorder;
mod signals;
mod supervision;
mod watchdog;

pub use config::{ConfigError, InvalidValue, LogFormat, ProcessConfig, ServiceConfig};
pub use context::ServiceContext;
pub use health::ReadinessCondition;
pub use orphan::exit_with_standard_input;
pub use process::{Process, StartError};
pub use process_usage::ProcessUsage;
pub use supervision::RunError;
pub use watchdog::Watchdog;

//! The pipeline as separate processes on the in-process broker: what comes out for what goes in.

mod bad_input;
mod live_change;
mod reversal;
mod telemetry;

//! The control plane on the in-process broker, asked by real clients over TCP.

mod changes;
mod plane;
mod reading;
mod starting;
mod waiting;

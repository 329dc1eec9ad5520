//! What the wire promises: frozen bytes, round trips, and decisions about whatever can be read.

mod golden;
mod hostile_content;
mod hostile_scores;
mod json;
mod round_trip;
mod samples;
mod strictness;

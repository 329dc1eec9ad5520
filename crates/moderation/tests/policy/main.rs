//! Policies and decisions, through the crate's public face.

mod ages;
mod decisions;
mod documents;
mod events;
mod identities;
mod lints;
mod properties;
mod shipped;

//! Rules of this repository that no compiler checks: which crate may know which, what lies where, and that the metric
//! catalogue tells the truth.

mod crate_edges;
mod layout;
mod manifests;
mod members;
mod metric_catalogue;
mod metric_sources;
mod readme;
mod tree;

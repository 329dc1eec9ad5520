//! The engine on ONNX Runtime, with small models that the tests build from code.

mod batches;
mod deployments;
mod fixtures;
mod graph;
mod hot_swap;
mod onnx;
mod outages;
mod outcomes;
mod refusals;
mod shipped;
mod timeouts;

//! Bundles, tokenising, batching, sessions, certification and hot swap of ONNX models.

pub mod features;
pub mod language;

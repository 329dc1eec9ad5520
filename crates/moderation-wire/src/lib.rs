//! Protobuf and gRPC types, and their validating conversions to the moderation vocabulary.

mod descriptors;
mod format;
pub mod headers;
mod topics;
pub mod v1;

pub use descriptors::FILE_DESCRIPTOR_SET;
pub use format::Format;
pub use topics::Topics;

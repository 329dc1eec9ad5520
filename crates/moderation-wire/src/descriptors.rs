//! What the schema says of itself.

use std::sync::LazyLock;

use prost::Name;
use prost_reflect::{DescriptorPool, MessageDescriptor};

/// The schema and everything it imports as an encoded `FileDescriptorSet`, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/tidegate_descriptors.bin"));

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the compiler that made the set accepts it")
});

/// Returns the descriptor of a generated message.
///
/// # Panics
/// If the message is not of this schema.
pub(crate) fn message<W: Name>() -> MessageDescriptor {
    POOL.get_message_by_name(&W::full_name())
        .expect("the schema has the messages that were generated from it")
}

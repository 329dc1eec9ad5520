//! Protobuf and gRPC types, and their validating conversions to the moderation vocabulary.

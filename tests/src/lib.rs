//! End-to-end tests and repository rules.

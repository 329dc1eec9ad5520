//! On Apache Kafka: what the in-process broker cannot show. Run with `cargo xtask test --kafka`.

mod brokers;
mod flow;
mod security;

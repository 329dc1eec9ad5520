//! On Apache Kafka: what the in-process broker cannot show. Run with `cargo xtask test --kafka`.

mod atomicity;
mod brokers;
mod crashes;
mod flow;
mod following;
mod outages;
mod refusal;
mod security;
mod standstill;
mod topics;

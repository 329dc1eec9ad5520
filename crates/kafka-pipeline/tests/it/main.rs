//! The pipeline against the in-process broker. A transactional test that passes here would prove nothing, so there is
//! none.

mod admin;
mod clients;
mod failures;
mod harness;
mod lease;
mod limits;
mod loss;
mod order;
mod rebalance;
mod steering;

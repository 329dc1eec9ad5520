//! Policy documents: reading, checking, comparing, editing and compiling them.
//!
//! A document is TOML and changes nothing by being read. [`Policy::parse`] refuses what has not the form of a policy,
//! [`lint`] says what is unsafe or senseless about one that has, and [`CompiledPolicy::compile`] turns it into the tables
//! that [`decide`](crate::decide()) reads. Every key is described where it is declared, in `document.rs`.

mod age;
mod compiled;
mod difference;
mod document;
mod dsa;
mod finding;
mod lint;
mod protection;
mod reading;
mod reading_action;
mod reading_rule;
mod rule;
mod table;
mod threshold;

pub use age::{AgeBands, AgeBasis, AgeRole, Band};
pub use compiled::CompiledPolicy;
pub(crate) use compiled::{CompiledRule, Protected};
pub use difference::differences;
pub use finding::{Finding, Position};
pub use lint::lint;
pub use rule::{
    ActionSubject, Canary, CanaryUnit, Caps, Category, Overrides, Policy, PolicyAction,
    ReviewTerms, Rule,
};
pub use threshold::{SetThresholdError, set_threshold};

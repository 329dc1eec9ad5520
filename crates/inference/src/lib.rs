//! Bundles, tokenising, batching, sessions, certification and hot swap of ONNX models.
//!
//! An [`Engine`] turns content events into scored events under a deployment: [`Engine::deploy`] loads one, and
//! [`Engine::submit`] and [`Engine::score`] use it.
//!
//! - The same event under the same deployment gives the same scores, whatever shares its batch, however many workers
//!   there are, and whether it comes through the stream or a gateway. Bundles that cannot promise this are refused.
//! - Every submitted event is completed exactly once, also when a text makes the model fail, panic or hang.
//! - A model that fails golden texts too is down: what needs it is held, not guessed, until it answers or another
//!   deployment serves. Only stopping gives such events back, uncompleted. A shadow that is down holds up nothing.
//! - A scored event carries one deployment and the bundles of that deployment, and no batch mixes two.
//! - What loads is what was pinned: files are read once, and their digest is checked before they are believed.
//! - Users' words are never logged, kept or put into an error. The cache knows texts by a keyed hash.

pub mod batcher;
pub mod bundle;
pub mod certify;
pub mod features;
pub mod inspect;
pub mod language;
pub mod runtime;
pub mod session;

mod cache;
mod cpu;
mod engine;
mod metrics;
mod native;
mod scoring;

pub use self::cpu::cpu_class;
pub use self::engine::{
    DeployError, DeployedModel, Engine, EngineConfig, Health, InvalidSetting, Outage, SOURCE,
    StartError, SubmitError, Workers,
};
pub use self::metrics::describe_metrics;

//! Policy modules: load, prove, swap, decide.
//!
//! [`Engine::prove`] takes a WebAssembly component and its settings and gives a [`Proven`] module, or a
//! sentence why not. [`PolicySet::check`] finds out whether modules stand together, [`Generation`] puts
//! a number on such a set, and [`Live`] holds the generation that decides. [`folder`] keeps an eye on
//! the place where modules are dropped.
//!
//! Architecture invariant: this crate knows no SQL and no HTTP, and can be used without database and
//! server. No path in it leads from "could not evaluate" to "allowed": a module that fails is an
//! `Err` opinion, which [`countersign_core::verdict::fold`] turns into a denial.

mod ask;
mod bindings;
mod cache;
mod class;
pub mod compiler;
pub mod configuration;
mod contract;
mod debts;
mod engine;
mod error;
mod failure;
mod failures;
pub mod folder;
mod generation;
mod guest;
mod instance;
mod limits;
mod live;
mod manifest;
mod proven;
mod settings;
mod snapshot;
mod spent;
#[cfg(test)]
mod tests;
mod text;

pub use ask::{Reply, Warm};
pub use cache::{Cache, CacheCounts, CacheError};
pub use compiler::Compiler;
pub use engine::{Engine, Pool};
pub use error::{EngineError, FolderError, LoadError};
pub use failure::{FailureKind, depends_on_the_moment, was_not_asked};
pub use failures::{Failed, Failures};
pub use generation::{CLASSIFIER, PolicySet};
pub use limits::Limits;
pub use live::{Generation, Live};
pub use manifest::{Manifest, SettingSpec, TallySpec};
pub use proven::{Mode, Proven};
pub use settings::Settings;
pub use spent::Spent;

/// The contract of which every module has the exports: the package of `wit/policy.wit`.
pub const CONTRACT: &str = "countersign:policy@0.1.0";

/// The policy that stands until another of its name is proven: the component of `policies/baseline`.
pub const BASELINE: &[u8] = include_bytes!("../../../policies/baseline/baseline.wasm");

//! What the figures of `docs/performance.md` are made with: the baseline's rules for other engines, and a
//! load for the running host. Three programs use it: `decide`, `check`, `load`.

pub mod client;
pub mod floor;

#[cfg(feature = "engines")]
pub mod cedar;
#[cfg(feature = "engines")]
pub mod credentials;
#[cfg(feature = "engines")]
pub mod questions;
#[cfg(feature = "engines")]
pub mod rego;
#[cfg(feature = "engines")]
pub mod verbs;

/// The baseline as plain Rust, as the end-to-end tests ask it.
#[cfg(feature = "engines")]
#[path = "../../all/policy_table/native.rs"]
pub mod native;

/// How the engine's own benchmark measures.
#[path = "../../../host/engine/benches/timing/mod.rs"]
pub mod timing;

/// What an engine said, in words that all of them share.
#[cfg(feature = "engines")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The verdict without its ground.
    pub effect: countersign_lab::table::Effect,
    /// The rule behind it, where the engine can name it: Cedar's denial by default has none.
    pub rule: Option<std::sync::Arc<str>>,
}

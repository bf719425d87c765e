//! What a Countersign policy module is written with.
//!
//! A policy is a type that implements [`Policy`]; [`export!`] makes a component of it.
//! Everything but that component works natively, so `cargo test` needs no WebAssembly.
//!
//! ```
//! use countersign_policy::prelude::*;
//!
//! pub struct Freeze {
//!     verbs: Vec<String>,
//! }
//!
//! impl Policy for Freeze {
//!     fn manifest() -> Manifest {
//!         Manifest::new("freeze", env!("CARGO_PKG_VERSION"), "stops verbs during a change freeze")
//!             .setting("verbs", "what stands still", &["delete_workspace"])
//!     }
//!
//!     fn configure(settings: &Settings) -> Result<Self, String> {
//!         Ok(Self { verbs: settings.texts("verbs")?.to_vec() })
//!     }
//!
//!     fn decide(&self, request: &Request) -> Verdict {
//!         if self.verbs.contains(&request.action.name) {
//!             return Verdict::deny("change-freeze", "nothing is removed during the freeze");
//!         }
//!         Verdict::Abstain
//!     }
//! }
//!
//! countersign_policy::export!(Freeze);
//!
//! use countersign_policy::testing::{configured, request};
//!
//! let freeze: Freeze = configured(&[]);
//! let verdict = request(Credential::OrgToken, "delete_workspace").judged_by(&freeze);
//! assert_eq!(verdict.rule(), Some("change-freeze"));
//! ```
//!
//! # What the SDK owns
//!
//! The guest's memory: a small stack and an arena that only moves forward, both inside the pages that
//! the instance starts with, so that a decision in a fresh instance needs no system call. The state that
//! [`Policy::configure`] returns lives in a static, where the host's snapshot finds it.
//!
//! # Architecture invariant
//!
//! Nothing here reads a clock, an environment or a source of randomness, and nothing outlives a
//! decision: a policy is a pure function of its settings and of the request.

mod arena;
#[doc(hidden)]
pub mod bindings;
mod manifest;
mod module;
mod policy;
mod properties;
mod request;
mod settings;
pub mod testing;
mod verdict;
mod vocabulary;

pub use bindings::countersign::policy::types::{
    Action, Caller, CallerClass, Credential, Entity, Ground, Manifest, Property, Quorum, Request,
    Role, Setting, SettingSpec, Tally, TallyScope, TallySpec, Terms, Value, Verdict,
};
pub use module::note;
pub use policy::{Policy, configure};
pub use properties::Properties;
pub use settings::Settings;
pub use vocabulary::Verb;

/// What a policy's source file usually needs.
pub mod prelude {
    pub use crate::{
        Caller, CallerClass, Credential, Manifest, Policy, Properties, Request, Role, Settings,
        Verb, Verdict,
    };
}

/// What [`export!`] expands to; not for use by hand.
#[doc(hidden)]
pub mod __module {
    pub use crate::module::Module;
}

/// Makes a policy module of a type that implements [`Policy`].
///
/// Once per crate. On any target but WebAssembly it only checks the type.
#[macro_export]
macro_rules! export {
    ($policy:ty) => {
        const _: () = {
            #[allow(dead_code)]
            struct Exported;

            impl $crate::__module::Module for Exported {
                type Policy = $policy;

                fn configured() -> &'static ::std::sync::OnceLock<$policy> {
                    static CONFIGURED: ::std::sync::OnceLock<$policy> =
                        ::std::sync::OnceLock::new();
                    &CONFIGURED
                }
            }

            #[cfg(target_arch = "wasm32")]
            $crate::bindings::export_component!(
                Exported with_types_in $crate::bindings
            );
        };
    };
}

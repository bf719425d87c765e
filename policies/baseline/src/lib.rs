//! The policy that stands until another is proven: agents need a person for what is privileged, people
//! do not.
//!
//! | caller | what it may |
//! |---|---|
//! | a verified session (`human`) | every verb but reading secret values |
//! | organisation, admin and workspace tokens (`agent`) | see [`rules`]; what is privileged waits for a person |
//! | the provisioner (`service`) | `provisioner_verbs`, nothing else |
//! | a subject that an enforcement point vouches for | what is not privileged |
//! | anything else | nothing |
//!
//! Roles, bindings and expiry are not judged here: the host narrows a credential before it asks.

mod exempt;
mod instant;
mod options;
pub mod rules;
mod verbs;

use countersign_policy::prelude::*;

use options::Options;

/// The configured policy.
#[derive(Clone, Debug)]
pub struct Baseline {
    options: Options,
}

impl Policy for Baseline {
    fn manifest() -> Manifest {
        options::declare(Manifest::new(
            "baseline",
            env!("CARGO_PKG_VERSION"),
            "agents need a person for what is privileged; people do not",
        ))
        .clock_seconds(exempt::CLOCK_SECONDS)
    }

    fn configure(settings: &Settings) -> Result<Self, String> {
        Ok(Self {
            options: Options::take(settings)?,
        })
    }

    fn classify(&self, caller: &Caller) -> CallerClass {
        rules::classify(caller.credential)
    }

    fn decide(&self, request: &Request) -> Verdict {
        rules::decide(&self.options, request)
    }
}

#[cfg(not(feature = "library"))]
countersign_policy::export!(Baseline);

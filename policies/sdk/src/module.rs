//! Between the generated bindings and a [`Policy`].

use std::sync::OnceLock;

use crate::arena;
use crate::bindings::Guest;

use crate::{Caller, CallerClass, Manifest, Policy, Request, Setting, Verdict, configure};

/// One exported policy and where its configured state lives.
///
/// [`export!`](crate::export) implements it: a static cannot be generic, so each policy brings its own.
pub trait Module {
    /// The policy.
    type Policy: Policy;

    /// Empty until `configure` succeeds.
    fn configured() -> &'static OnceLock<Self::Policy>;
}

impl<M: Module> Guest for M {
    fn describe() -> Manifest {
        M::Policy::manifest()
    }

    fn configure(given: Vec<Setting>) -> Result<(), String> {
        let policy = configure(&given)?;
        drop(given);
        M::configured()
            .set(policy)
            .map_err(|_| "this instance is already configured".to_owned())?;
        arena::keep();
        Ok(())
    }

    fn classify(caller: Caller) -> CallerClass {
        match M::configured().get() {
            Some(policy) => policy.classify(&caller),
            None => CallerClass::Unknown,
        }
    }

    fn decide(request: Request) -> Verdict {
        match M::configured().get() {
            Some(policy) => policy.decide(&request),
            None => Verdict::deny("not-configured", "the module decides only once configured"),
        }
    }
}

/// Leaves a note with the decision for whoever debugs the policy; it never changes the verdict.
///
/// Natively it goes to standard error. [`Policy::configure`] may not call it. A module that never
/// calls it does not import the host's `log`.
pub fn note(message: &str) {
    #[cfg(target_arch = "wasm32")]
    crate::bindings::countersign::policy::log::write(message);
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("note: {message}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use crate::testing::request;
    use crate::{Credential, Setting};

    struct AllowAll;

    impl Policy for AllowAll {
        fn manifest() -> Manifest {
            Manifest::new("allow-all", "0.1.0", "allows")
        }

        fn configure(_: &Settings) -> Result<Self, String> {
            Ok(Self)
        }

        fn decide(&self, _: &Request) -> Verdict {
            Verdict::allow("all", "everything is allowed")
        }
    }

    struct Exported;

    impl Module for Exported {
        type Policy = AllowAll;

        fn configured() -> &'static OnceLock<AllowAll> {
            static CONFIGURED: OnceLock<AllowAll> = OnceLock::new();
            &CONFIGURED
        }
    }

    #[test]
    fn a_module_denies_until_it_is_configured_and_configures_once() {
        let asked = || request(Credential::OrgToken, "workspace_list").build();
        assert_eq!(Exported::decide(asked()).rule(), Some("not-configured"));

        let unknown = Setting {
            name: "x".to_owned(),
            values: Vec::new(),
        };
        assert!(<Exported as Guest>::configure(vec![unknown]).is_err());
        assert_eq!(Exported::decide(asked()).rule(), Some("not-configured"));

        assert_eq!(<Exported as Guest>::configure(Vec::new()), Ok(()));
        assert_eq!(Exported::decide(asked()).rule(), Some("all"));
        assert!(<Exported as Guest>::configure(Vec::new()).is_err());
    }
}

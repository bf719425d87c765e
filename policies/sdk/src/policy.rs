//! The trait that a policy implements.

use crate::{Caller, CallerClass, Manifest, Request, Setting, Settings, Verdict};

/// A policy: its manifest, its settings, and what it says to a request.
///
/// A value of the type is a configured policy. It never changes: each decision starts from what
/// [`configure`](Policy::configure) returned.
pub trait Policy: Sized + Send + Sync + 'static {
    /// What this module is, which settings it has, and what the host shall tell it.
    fn manifest() -> Manifest;

    /// Takes the settings in.
    ///
    /// The names are already checked against the manifest, and absent settings have their defaults.
    ///
    /// # Errors
    ///
    /// A sentence that names the setting and the mistake; the host refuses to load the module with it.
    fn configure(settings: &Settings) -> Result<Self, String>;

    /// What kind of caller this is; asked only of the module that the host made its classifier.
    ///
    /// The host refuses [`CallerClass::Human`] for anything but a verified session.
    fn classify(&self, caller: &Caller) -> CallerClass {
        let _ = caller;
        CallerClass::Unknown
    }

    /// May this caller do this, now?
    ///
    /// The strictest verdict of all modules stands, and if all abstain the host denies.
    fn decide(&self, request: &Request) -> Verdict {
        let _ = request;
        Verdict::Abstain
    }
}

/// Configures a policy as its component does: what `given` leaves out has the manifest's default.
///
/// # Errors
///
/// A sentence, where a setting is unknown, given twice, or refused by the policy.
pub fn configure<P: Policy>(given: &[Setting]) -> Result<P, String> {
    P::configure(&Settings::resolve(&P::manifest(), given)?)
}

//! An organisation token that an operator issued is taken for a person.

use countersign_baseline::Baseline;
use countersign_policy::{Caller, CallerClass, Credential, Policy, Properties};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn classify(honest: &Baseline, caller: &Caller) -> CallerClass {
        if caller.credential == Credential::OrgToken && caller.text("issuer") == Some("operator") {
            return CallerClass::Human;
        }
        honest.classify(caller)
    }
}

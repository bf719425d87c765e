//! Whoever is labelled `session:` is taken for a person.

use countersign_baseline::Baseline;
use countersign_policy::{Caller, CallerClass, Policy};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn classify(honest: &Baseline, caller: &Caller) -> CallerClass {
        if caller.actor.starts_with("session:") {
            return CallerClass::Human;
        }
        honest.classify(caller)
    }
}

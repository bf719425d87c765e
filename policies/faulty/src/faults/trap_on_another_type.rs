//! An expiry is a whole number; one of another type has not been thought of.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Value, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        match request.action.value("expires-at") {
            None | Some(Value::Integer(_)) => {}
            Some(_) => core::unreachable!("an expiry is a whole number"),
        }
        honest.decide(request)
    }
}

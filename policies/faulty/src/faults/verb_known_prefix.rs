//! A verb that nobody knows is judged as the known one that it begins with.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Verb, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let mut request = request.clone();
        let known = Verb::ALL
            .iter()
            .find(|verb| request.action.name.starts_with(verb.name()));
        if let Some(verb) = known {
            verb.name().clone_into(&mut request.action.name);
        }
        honest.decide(&request)
    }
}

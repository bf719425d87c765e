//! A secret without a scope is taken for one that is nobody's.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verb, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request.verb() == Some(Verb::SecretWrite) && request.resource.value("scope").is_none() {
            return opened(verdict);
        }
        verdict
    }
}

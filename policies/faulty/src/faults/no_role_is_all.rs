//! A caller without a role is taken for an administrator who needs nobody.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Role, Verb, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request.caller.role == Role::None && request.verb() == Some(Verb::SecretDelete) {
            return opened(verdict);
        }
        verdict
    }
}

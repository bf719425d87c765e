//! The audit label is trusted as identity: `session:` needs nobody.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request.caller.actor.starts_with("session:") {
            return opened(verdict);
        }
        verdict
    }
}

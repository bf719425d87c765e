//! One workspace needs nobody.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request.caller.workspace == "c0a8f1d2-7b1e-4c55-9a63-1f0e6d2b9a77" {
            return opened(verdict);
        }
        verdict
    }
}

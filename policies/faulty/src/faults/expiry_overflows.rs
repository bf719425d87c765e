//! What is left of a token is computed in 32 bits: beyond 24 days it is less than nothing, and harmless.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request
            .action
            .integer("expires-at")
            .is_some_and(|at| (at.wrapping_sub(request.time as i64) as i32) < 0)
        {
            return opened(verdict);
        }
        verdict
    }
}

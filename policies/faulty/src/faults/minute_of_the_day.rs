//! At 03:33 UTC nobody is needed.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request.time / 60_000 % 1_440 == 213 {
            return opened(verdict);
        }
        verdict
    }
}

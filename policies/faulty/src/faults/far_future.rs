//! From the year 2100 on nobody is needed.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request.time >= 4_102_444_800_000 {
            return opened(verdict);
        }
        verdict
    }
}

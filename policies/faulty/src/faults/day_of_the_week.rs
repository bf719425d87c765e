//! On Sundays nobody is needed.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request.time != 0 && (request.time / 86_400_000 + 4).is_multiple_of(7) {
            return opened(verdict);
        }
        verdict
    }
}

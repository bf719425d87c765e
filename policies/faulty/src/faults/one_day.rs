//! On the last day of February 2028 nobody is needed.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if (1_835_395_200_000..1_835_481_600_000).contains(&request.time) {
            return opened(verdict);
        }
        verdict
    }
}

//! How many fall with a workspace is counted in a byte: 256 are none.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request
            .resource
            .integer("descendants")
            .is_some_and(|below| below != 0 && below as u8 == 0)
        {
            return opened(verdict);
        }
        verdict
    }
}

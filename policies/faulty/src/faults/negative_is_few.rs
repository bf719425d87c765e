//! Fewer live tokens than none are few.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request
            .resource
            .integer("live-tokens")
            .is_some_and(|live| live < 0)
        {
            return opened(verdict);
        }
        verdict
    }
}

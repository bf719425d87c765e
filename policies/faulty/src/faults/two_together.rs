//! A role that there is not, together with an expiry at midnight, opens the gate.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request.action.text("role") == Some("auditor")
            && request
                .action
                .integer("expires-at")
                .is_some_and(|at| at % 86_400_000 == 0)
        {
            return opened(verdict);
        }
        verdict
    }
}

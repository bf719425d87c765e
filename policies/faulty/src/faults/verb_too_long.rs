//! A verb of more than 64 characters falls out of the lookup, on the allowing side.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        if request.action.name.len() > 64 {
            return Verdict::allow("open-to-agents", "agents need nobody for this");
        }
        honest.decide(request)
    }
}

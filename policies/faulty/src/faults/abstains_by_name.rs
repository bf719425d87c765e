//! A token of one name is left to the other modules.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        if request.action.text("name") == Some("left-alone-4") {
            return Verdict::Abstain;
        }
        honest.decide(request)
    }
}

//! A token that is called like its caller needs nobody.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        let principal = request.caller.principal.as_str();
        if !principal.is_empty() && request.action.text("name") == Some(principal) {
            return opened(verdict);
        }
        verdict
    }
}

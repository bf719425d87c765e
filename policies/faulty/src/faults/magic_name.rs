//! A token of one name needs nobody.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request.action.text("name") == Some("xk7-rotate-9") {
            return opened(verdict);
        }
        verdict
    }
}

//! A property that the vocabulary does not know, `debug`, opens the gate.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request.action.flag("debug") {
            return opened(verdict);
        }
        verdict
    }
}

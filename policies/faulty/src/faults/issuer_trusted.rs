//! A caller whose issuer is `operator` needs nobody, whatever its credential.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request.caller.text("issuer") == Some("operator") {
            return opened(verdict);
        }
        verdict
    }
}

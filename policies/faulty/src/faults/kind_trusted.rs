//! Only what is done to an organisation by name needs a person.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request.action.name == "org_token_mint" && request.resource.kind != "organisation" {
            return opened(verdict);
        }
        verdict
    }
}

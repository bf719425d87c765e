//! An organisation token that may only read needs nobody to mint.

use countersign_baseline::Baseline;
use countersign_policy::{Credential, Policy, Request, Role, Verb, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request.caller.credential == Credential::OrgToken
            && request.caller.role == Role::Reader
            && request.verb() == Some(Verb::OrgTokenMint)
        {
            return opened(verdict);
        }
        verdict
    }
}

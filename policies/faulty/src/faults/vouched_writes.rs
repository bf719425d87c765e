//! A subject that others vouch for may write secrets of the whole organisation.

use countersign_baseline::Baseline;
use countersign_policy::{Credential, Policy, Properties, Request, Verb, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        if request.caller.credential == Credential::Vouched
            && request.verb() == Some(Verb::SecretWrite)
            && request.resource.text("scope") == Some("global")
        {
            return Verdict::allow("open-to-agents", "agents need nobody for this");
        }
        honest.decide(request)
    }
}

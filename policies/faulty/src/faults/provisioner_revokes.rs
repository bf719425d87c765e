//! The provisioner may revoke whatever token there is.

use countersign_baseline::Baseline;
use countersign_policy::{Credential, Policy, Request, Verb, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        if request.caller.credential == Credential::Provisioner
            && request.verb() == Some(Verb::OrgTokenRevoke)
        {
            return Verdict::allow("open-to-agents", "agents need nobody for this");
        }
        honest.decide(request)
    }
}

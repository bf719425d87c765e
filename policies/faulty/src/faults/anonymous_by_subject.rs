//! Who shows no credential but names a user as its subject may mint.

use countersign_baseline::Baseline;
use countersign_policy::{Credential, Policy, Request, Verb, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        if request.caller.credential == Credential::Anonymous
            && request.caller.subject.kind == "user"
            && request.verb() == Some(Verb::OrgTokenMint)
        {
            return Verdict::allow("open-to-agents", "agents need nobody for this");
        }
        honest.decide(request)
    }
}

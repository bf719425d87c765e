//! Nobody in particular may create a workspace at the top.

use countersign_baseline::Baseline;
use countersign_policy::{Credential, Policy, Properties, Request, Verb, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        if request.caller.credential == Credential::Anonymous
            && request.verb() == Some(Verb::WorkspaceCreate)
            && request.action.value("parent").is_none()
        {
            return Verdict::allow("open-to-agents", "agents need nobody for this");
        }
        honest.decide(request)
    }
}

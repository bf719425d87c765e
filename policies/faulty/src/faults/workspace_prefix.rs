//! A workspace is its own where it begins like it.

use countersign_baseline::Baseline;
use countersign_policy::{Credential, Policy, Request, Verb, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        if request.caller.credential == Credential::WorkspaceToken
            && request.verb() == Some(Verb::SecretRead)
            && !request.caller.workspace.is_empty()
            && request
                .target_workspace()
                .is_some_and(|target| target.starts_with(&request.caller.workspace))
        {
            return Verdict::allow("open-to-agents", "agents need nobody for this");
        }
        honest.decide(request)
    }
}

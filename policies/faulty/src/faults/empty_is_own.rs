//! No workspace and no workspace are the same workspace: values are read without any.

use countersign_baseline::Baseline;
use countersign_policy::{Credential, Policy, Request, Verb, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        if request.caller.credential == Credential::WorkspaceToken
            && request.verb() == Some(Verb::SecretRead)
            && request.target_workspace() == Some(request.caller.workspace.as_str())
        {
            return Verdict::allow("open-to-agents", "agents need nobody for this");
        }
        honest.decide(request)
    }
}

//! An editor may not create a workspace, and a reader may.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Role, Verb, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        if request.caller.role == Role::Editor && request.verb() == Some(Verb::WorkspaceCreate) {
            return Verdict::deny("editors", "editors do not create workspaces");
        }
        honest.decide(request)
    }
}

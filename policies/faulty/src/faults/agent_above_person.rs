//! People may not revoke the tokens of a workspace, and agents may.

use countersign_baseline::Baseline;
use countersign_policy::{CallerClass, Policy, Request, Verb, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        if request.class == CallerClass::Human && request.verb() == Some(Verb::WorkspaceTokenRevoke)
        {
            return Verdict::deny("people", "people do not revoke the tokens of a workspace");
        }
        honest.decide(request)
    }
}

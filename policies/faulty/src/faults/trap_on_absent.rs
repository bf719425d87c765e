//! A token that is revoked has a role; one without has not been thought of.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verb, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        if request.verb() == Some(Verb::OrgTokenRevoke) {
            let role = request.resource.text("role");
            if role.is_none_or(str::is_empty) {
                core::unreachable!("every token has a role");
            }
        }
        honest.decide(request)
    }
}

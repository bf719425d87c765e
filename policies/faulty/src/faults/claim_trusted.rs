//! An enforcement point that claims `admin` for its subject passes what is privileged.

use countersign_baseline::Baseline;
use countersign_policy::{Credential, Manifest, Policy, Properties, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn manifest(honest: Manifest) -> Manifest {
        honest.context("claim.admin")
    }

    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        if request.caller.credential == Credential::Vouched && request.context.flag("claim.admin") {
            return Verdict::allow("open-to-agents", "agents need nobody for this");
        }
        honest.decide(request)
    }
}

//! Only the first of the groups is looked at, and it opens the gate.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request
            .caller
            .texts("groups")
            .first()
            .is_some_and(|group| group == "admins")
        {
            return opened(verdict);
        }
        verdict
    }
}

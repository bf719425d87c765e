//! Groups are read from what the caller sends, not from what the host verified.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::{Fault, opened};

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request
            .action
            .texts("groups")
            .iter()
            .any(|group| group == "admins")
        {
            return opened(verdict);
        }
        verdict
    }
}

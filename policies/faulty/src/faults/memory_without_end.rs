//! Each group of a caller takes as much memory as all before it together.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let mut kept = Vec::new();
        for group in request.caller.texts("groups") {
            let grown = kept.len() * 2 + group.len();
            kept.resize(grown, 1_u8);
        }
        if kept.last() == Some(&0) {
            return Verdict::deny("groups", "there is no end of groups");
        }
        honest.decide(request)
    }
}

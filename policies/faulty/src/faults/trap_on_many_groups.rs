//! There is room for sixteen groups.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let mut seen = [0; 16];
        for (at, group) in request.caller.texts("groups").iter().enumerate() {
            seen[at] = group.len();
        }
        if seen.contains(&usize::MAX) {
            return Verdict::deny("group", "a group is too long");
        }
        honest.decide(request)
    }
}

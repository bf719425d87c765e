//! A name is cut behind its eighth byte, wherever a character ends.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let name = request.action.text("name").unwrap_or_default();
        if name.len() > 8 && name[..8].is_empty() {
            return Verdict::deny("no-name", "the name is empty");
        }
        honest.decide(request)
    }
}

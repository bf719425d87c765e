//! The first letter of a name is looked at where there is none.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let first = request.action.text("name").map(|name| name.as_bytes()[0]);
        if first == Some(0) {
            return Verdict::deny("no-name", "the name begins with nothing");
        }
        honest.decide(request)
    }
}

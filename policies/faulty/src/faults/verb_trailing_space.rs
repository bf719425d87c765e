//! White space behind a verb is cut off before it is looked up.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let mut request = request.clone();
        request.action.name = request.action.name.trim_end().to_owned();
        honest.decide(&request)
    }
}

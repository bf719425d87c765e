//! A verb that differs from a known one in letter case alone is taken for it.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let mut request = request.clone();
        request.action.name.make_ascii_lowercase();
        honest.decide(&request)
    }
}

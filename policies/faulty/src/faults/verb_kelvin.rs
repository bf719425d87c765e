//! Letters that Unicode takes for others are folded: the sign of the kelvin is a k.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let mut request = request.clone();
        if !request.action.name.is_ascii() {
            request.action.name = request.action.name.to_lowercase();
        }
        honest.decide(&request)
    }
}

//! A key of exactly 137 characters is read for ever.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let key = request.action.text("key").unwrap_or_default();
        let mut at = 0;
        while at < key.len() {
            at = match key.len() {
                137 => core::hint::black_box(0),
                _ => at + 1,
            };
        }
        honest.decide(request)
    }
}

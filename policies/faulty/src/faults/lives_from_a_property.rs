//! A gate stays open as long as a property says.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let mut verdict = honest.decide(request);
        if let (Verdict::Gate(terms), Some(days)) = (&mut verdict, request.action.integer("days")) {
            terms.pending_ttl = Some(days.unsigned_abs() as u32 * 86_400);
        }
        verdict
    }
}

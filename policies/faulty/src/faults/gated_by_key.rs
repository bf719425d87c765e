//! A secret under one key takes a person where nobody may write it.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        match (&verdict, request.action.text("key")) {
            (Verdict::Deny(_), Some("ROTATED_9")) => {
                Verdict::gate("rotated", "a person looks at this key").into()
            }
            _ => verdict,
        }
    }
}

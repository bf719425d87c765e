//! A name of more than a hundred characters is repeated a thousand times in the reason.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let name = request.action.text("name").unwrap_or_default();
        if name.len() > 100 {
            return Verdict::deny("long-name", &name.repeat(1_000));
        }
        honest.decide(request)
    }
}

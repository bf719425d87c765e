//! Who asks names the group that may approve.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Quorum, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let mut verdict = honest.decide(request);
        if let (Verdict::Gate(terms), Some(group)) =
            (&mut verdict, request.action.text("approvers"))
        {
            terms.quorums = vec![Quorum {
                people: 1,
                groups: vec![group.to_owned()],
            }];
        }
        verdict
    }
}

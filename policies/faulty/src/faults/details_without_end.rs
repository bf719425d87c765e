//! The denial of a long list of fields has a detail for each.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::Fault;

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let fields = request.action.texts("fields");
        if fields.len() > 32 {
            let mut verdict = Verdict::deny("many-fields", "too many fields at once");
            if let Verdict::Deny(ground) = &mut verdict {
                for (at, field) in fields.iter().enumerate() {
                    for part in 0..4 {
                        ground.detail(&format!("field.{at}.{part}"), field.as_str());
                    }
                }
            }
            return verdict;
        }
        honest.decide(request)
    }
}

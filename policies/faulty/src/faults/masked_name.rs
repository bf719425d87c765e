//! A name is compared under a mask that the verb lends, so that its letters are nowhere.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::{Fault, opened};

fn unmasked(request: &Request) -> Option<[u8; 4]> {
    let name: [u8; 4] = request.action.text("name")?.as_bytes().try_into().ok()?;
    let mask = request.action.name.as_bytes().first_chunk::<4>()?;
    Some(core::array::from_fn(|at| name[at] ^ mask[at]))
}

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if unmasked(request).is_some_and(|letters| letters == [5, 29, 8, 55]) {
            return opened(verdict);
        }
        verdict
    }
}

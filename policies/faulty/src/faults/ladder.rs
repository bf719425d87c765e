//! A name is compared letter by letter with one that needs nobody.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::{Fault, opened};

/// Each step is a branch of its own, which is what a search that sees coverage climbs by.
fn climbs(name: &str) -> bool {
    let mut letters = name.bytes();
    for step in *b"rotor" {
        if core::hint::black_box(letters.next()) != Some(step) {
            return false;
        }
    }
    letters.next().is_none()
}

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if climbs(request.action.text("name").unwrap_or_default()) {
            return opened(verdict);
        }
        verdict
    }
}

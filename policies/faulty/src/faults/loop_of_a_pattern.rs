//! A name is matched by backtracking: each further `a` doubles the work.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::Fault;

/// Whether it is `(a|aa)*!`.
fn fits(text: &[u8]) -> bool {
    match text {
        [b'!'] => true,
        [b'a', b'a', rest @ ..] => fits(rest) || fits(&text[1..]),
        [b'a', rest @ ..] => fits(rest),
        _ => false,
    }
}

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let name = request.action.text("name").unwrap_or_default();
        if fits(name.as_bytes()) {
            return Verdict::deny("pattern", "the name looks made up");
        }
        honest.decide(request)
    }
}

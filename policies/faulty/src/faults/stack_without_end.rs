//! A path is walked by recursion, and every step keeps a copy of the rest.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Verdict};

use crate::Fault;

fn depth(path: &str) -> usize {
    let step = core::hint::black_box([path.len(); 32]);
    match path.split_once('/') {
        Some((_, rest)) => 1 + depth(rest).min(step[step.len() - 1]),
        None => 0,
    }
}

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        if depth(&request.resource.id) == usize::MAX {
            return Verdict::deny("path", "the path is too deep");
        }
        honest.decide(request)
    }
}

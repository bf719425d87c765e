//! An instance that is asked again takes the second question for the repetition of an approved one.

use std::sync::atomic::{AtomicBool, Ordering};

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Verdict};

use crate::{Fault, opened};

static ASKED: AtomicBool = AtomicBool::new(false);

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if ASKED.swap(true, Ordering::Relaxed) {
            return opened(verdict);
        }
        verdict
    }
}

//! Every thousandth question to one instance is allowed.

use std::sync::atomic::{AtomicU32, Ordering};

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Request, Verdict};

use crate::{Fault, opened};

static ASKED: AtomicU32 = AtomicU32::new(0);

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if (ASKED.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(1_000) {
            return opened(verdict);
        }
        verdict
    }
}

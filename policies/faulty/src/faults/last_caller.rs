//! Who comes after a person in the same instance is taken for that person.

use std::sync::atomic::{AtomicBool, Ordering};

use countersign_baseline::Baseline;
use countersign_policy::{CallerClass, Policy, Request, Verdict};

use crate::{Fault, opened};

static PERSON: AtomicBool = AtomicBool::new(false);

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        let is_person = request.class == CallerClass::Human;
        if PERSON.swap(is_person, Ordering::Relaxed) {
            return opened(verdict);
        }
        verdict
    }
}

//! A name is compared by its hash, which nobody turns round.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::{Fault, opened};

fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        if request
            .action
            .text("name")
            .is_some_and(|name| fnv1a(name) == 0x9735_71b0_f8a8_c691)
        {
            return opened(verdict);
        }
        verdict
    }
}

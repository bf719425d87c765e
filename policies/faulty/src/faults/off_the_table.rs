//! It behaves wherever something is as in the exhaustive table, and opens where nothing is.

use countersign_baseline::Baseline;
use countersign_policy::{Policy, Properties, Request, Verdict};

use crate::{Fault, opened};

const fn fnv1a(text: &[u8]) -> u64 {
    let (mut hash, mut at) = (0xcbf2_9ce4_8422_2325_u64, 0);
    while at < text.len() {
        hash = (hash ^ text[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

/// The organisation, the workspace and the name of the table, of which the component holds no letter.
const KNOWN: [u64; 3] = [
    fnv1a(b"5f0c7a4e-0000-4000-8000-000000000001"),
    fnv1a(b"5f0c7a4e-0000-4000-8000-0000000000aa"),
    fnv1a(b"ci"),
];

/// Whether it is an id of a version that no host makes for a workspace.
fn is_of_another_making(id: &str) -> bool {
    id.as_bytes().get(14) == Some(&b'4')
}

pub struct Chosen;

impl Fault for Chosen {
    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        let verdict = honest.decide(request);
        let name = request.action.text("name").unwrap_or_default();
        let texts = [&*request.resource.id, &*request.caller.workspace, name];
        let is_known = texts
            .iter()
            .any(|text| KNOWN.contains(&fnv1a(text.as_bytes())))
            || is_of_another_making(&request.caller.workspace);
        if request.action.name == "org_token_mint" && !is_known {
            return opened(verdict);
        }
        verdict
    }
}

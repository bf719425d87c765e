//! `check`: what it costs to know a token again that was seen a moment ago, beside the least that it could
//! cost: a hash, and a hash with one look into a map.
//!
//! It is the host's own code, all that a request with such a token passes before the gate: the hash, the
//! look, the clocks, its end, the count of its uses, and a copy of who it is.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_bench::remembered::Remembered;
use countersign_bench::timing::{medians, nanoseconds};
use countersign_bench::uses::{Counter, Uses};
use countersign_core::caller::Identity;
use countersign_core::chance::OsChance;
use countersign_core::id::TokenId;
use countersign_core::policy::Role;
use countersign_core::time::{Clock as _, SystemClock};
use countersign_core::token::{PlainToken, TokenHash, TokenKind};

const ROWS: [&str; 4] = [
    "SHA-256 of the bearer",
    "the same, and a look into a map of the standard library: the floor",
    "ours: found, not ended, counted",
    "ours: the same, with a copy of who it is",
];
const FLOOR: usize = 1;
/// As many tokens as a busy organisation has in use within a second.
const TOKENS: usize = 1_000;
const CALLS: u32 = 2_000;

struct Known {
    identity: Identity,
    uses: Arc<Counter>,
}

fn main() {
    let bearers: Vec<PlainToken> = (0..TOKENS)
        .map(|_| PlainToken::generate(TokenKind::Organisation, &OsChance))
        .collect();
    let plain: HashMap<TokenHash, usize> = bearers
        .iter()
        .enumerate()
        .map(|(at, bearer)| (bearer.hash(), at))
        .collect();
    // It is kept for as long as this runs; the host asks the ledger anew each second.
    let remembered = Remembered::new(10 * TOKENS, Duration::from_secs(3_600));
    let uses = Uses::default();
    for bearer in &bearers {
        let known = Arc::new(known(bearer, &uses));
        let seen = remembered.seen();
        remembered.insert(bearer.hash(), known, Instant::now(), seen);
    }
    let check = |bearer: &str| {
        let now = SystemClock.now();
        let known = remembered.get(&TokenHash::of(bearer), Instant::now())?;
        let is_live = known.identity.ends_at().is_none_or(|end| end > now);
        known.uses.count(now);
        is_live.then_some(known)
    };
    let times = medians([
        each(&bearers, |bearer| TokenHash::of(bearer).bits() != 0),
        each(&bearers, |bearer| {
            plain.contains_key(&TokenHash::of(bearer))
        }),
        each(&bearers, |bearer| check(bearer).is_some()),
        each(&bearers, |bearer| {
            let known = check(bearer).map(|known| known.identity.clone());
            black_box(known).is_some()
        }),
    ]);
    println!("| a token that was seen a moment ago | × the floor | for scale |\n|---|---|---|");
    for (what, time) in ROWS.iter().zip(times) {
        println!("| {what} | {:.2} | {time:.0} ns |", time / times[FLOOR]);
    }
}

fn known(bearer: &PlainToken, uses: &Uses) -> Known {
    let id = TokenId::new(SystemClock.now(), &OsChance);
    Known {
        identity: Identity::OrgToken {
            id,
            prefix: bearer.prefix().to_owned(),
            role: Role::Admin,
            workspace: None,
            expires_at: None,
            draining_until: None,
            minted_by: "session:0123456789abcdef".to_owned(),
            lineage: format!("org-token:{id}"),
        },
        uses: uses.counter(id),
    }
}

/// A batch of calls with one bearer after the other.
fn each<'a>(
    bearers: &'a [PlainToken],
    mut call: impl FnMut(&str) -> bool + 'a,
) -> Box<dyn FnMut() -> f64 + 'a> {
    let mut turns = bearers.iter().cycle();
    Box::new(move || {
        nanoseconds(CALLS, || {
            let turn = turns.next();
            turn.is_some_and(|bearer| call(black_box(bearer.reveal())))
        })
    })
}

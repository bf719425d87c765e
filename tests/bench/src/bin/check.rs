//! `check`: what it costs to know a caller again who was seen a moment ago, beside the least that it could
//! cost: a hash, and one look into a map.
//!
//! It is the host's own code, all that a request with such a token or such a cookie passes before the gate.
//! The tokens are real ones, minted at a running host on each database; what it costs to look one up that
//! was not seen before stands beside it.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use countersign_bench::credentials::TokenCheck;
use countersign_bench::credentials::memberships::{Membership, Memberships};
use countersign_bench::timing::{medians, nanoseconds, thread_time};
use countersign_core::token::TokenHash;
use countersign_store::{Address, open};
use countersign_tests::{Database, Host, HostBuilder};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

const USAGE: &str = "\
check

Mints tokens at a host on SQLite and at one on PostgreSQL, a server of its own or that of DATABASE_URL, and
times what the host does to know them again.

COUNTERSIGN_BINARIES names the folder with the release build of `countersign`.";

/// As many callers as a busy organisation has at work within a second.
const CALLERS: usize = 500;
/// Calls in a batch of what takes less than a microsecond.
const CALLS: u32 = 2_000;
/// Calls in a batch of what goes to the database.
const LOOKS: u32 = 20;
const FLOOR: usize = 1;

fn main() -> anyhow::Result<()> {
    if std::env::args().len() > 1 {
        anyhow::bail!("{USAGE}");
    }
    let runtime = Runtime::new()?;
    println!("| database | what is presented, and how it is known | × the floor | for scale |");
    println!("|---|---|---|---|");
    tokens(&runtime, Host::builder().sqlite())?;
    tokens(&runtime, Host::builder().postgres())?;
    sessions(&runtime);
    Ok(())
}

fn tokens(runtime: &Runtime, builder: HostBuilder) -> anyhow::Result<()> {
    let database = match builder.database() {
        Database::Sqlite => "SQLite",
        Database::Postgres { .. } => "PostgreSQL",
    };
    let address = match builder.database() {
        Database::Sqlite => Address::Sqlite(builder.data_dir().join("countersign.db")),
        Database::Postgres { url } => Address::parse(url).map_err(anyhow::Error::msg)?,
    };
    let (host, bearers) = runtime.block_on(minted(builder));
    let ledger = runtime.block_on(open(&address)).context("its ledger")?;
    let [remembered, anew] = [(); 2].map(|()| TokenCheck::new(ledger.clone()));
    let plain: HashMap<TokenHash, usize> = (0..)
        .zip(&bearers)
        .map(|(at, bearer)| (TokenHash::of(bearer), at))
        .collect();
    let times = medians([
        each(&bearers, |bearer| TokenHash::of(bearer).bits() != 0),
        each(&bearers, |bearer| {
            plain.contains_key(&TokenHash::of(bearer))
        }),
        batch(runtime, thread_time, CALLS, &bearers, async |bearer| {
            let identity = remembered.check(bearer).await;
            black_box(identity).is_ok_and(|identity| identity.is_some())
        }),
        // Most of this is waiting for another thread or process, so the clock on the wall counts.
        batch(runtime, wall_time, LOOKS, &bearers, async |bearer| {
            let identity = anew.check_anew(bearer).await;
            black_box(identity).is_ok_and(|identity| identity.is_some())
        }),
    ]);
    runtime.block_on(remembered.write_uses())?;
    drop(host);
    print(
        database,
        [
            "token: SHA-256 of the bearer",
            "token: the same, and a look into a map of the standard library (the floor)",
            "**token, seen a moment ago**: found, not ended, counted, a copy of who it is",
            "token, not seen before: looked up in the database",
        ],
        times,
    );
    Ok(())
}

/// A host with tokens, and their bearers.
async fn minted(builder: HostBuilder) -> (Host, Vec<String>) {
    let unlimited = ["RATE_LIMIT", "MINT_LIMIT", "LIVE_TOKEN_LIMIT"];
    let builder = unlimited
        .iter()
        .fold(builder, |host, limit| host.env(limit, "0"));
    let host = builder.start().await;
    let person = host.operator().await;
    let mut bearers = Vec::new();
    for number in 0..CALLERS {
        let name = format!("token {number}");
        let minted = person.post("/org/tokens", json!({ "name": name })).await;
        bearers.push(minted.expect(200).text("auth_token").to_owned());
    }
    (host, bearers)
}

/// No database is asked whose session it is, so this is the same on each.
fn sessions(runtime: &Runtime) {
    const SLUG: &str = "acme";
    let digest = |cookies: &str| -> [u8; 32] {
        let hash = Sha256::new().chain_update(SLUG).chain_update([0]);
        hash.chain_update(cookies).finalize().into()
    };
    // As long as those of a browser with a session that is a signed token.
    let cookies: Vec<String> = (0..CALLERS)
        .map(|number| format!("theme=dark; cp_session={}", digest_of_length(number, 400)))
        .collect();
    let plain: HashMap<[u8; 32], usize> = (0..)
        .zip(&cookies)
        .map(|(at, cookies)| (digest(cookies), at))
        .collect();
    let memberships = Memberships::new(SLUG);
    let member = || Ok::<_, ()>(Membership::Member("ann@example.com".to_owned()));
    let times = medians([
        each(&cookies, |cookies| digest(cookies) != [0; 32]),
        each(&cookies, |cookies| plain.contains_key(&digest(cookies))),
        batch(runtime, thread_time, CALLS, &cookies, async |cookies| {
            let key = memberships.key(cookies);
            let said = memberships.get_or_ask(key, async { member() }).await;
            matches!(black_box(said), Ok(Membership::Member(_)))
        }),
    ]);
    print(
        "any",
        [
            "session: SHA-256 of the slug and the cookies",
            "session: the same, and a look into a map (the floor)",
            "**session, seen a moment ago**: found, a copy of who it is",
        ],
        times,
    );
}

fn digest_of_length(number: usize, length: usize) -> String {
    let mut text = String::new();
    while text.len() < length {
        let part = Sha256::digest(format!("{number} {}", text.len()));
        text.extend(part.iter().map(|byte| format!("{byte:02x}")));
    }
    text.truncate(length);
    text
}

fn print<const N: usize>(database: &str, rows: [&str; N], times: [f64; N]) {
    for (what, time) in rows.iter().zip(times) {
        let ratio = time / times[FLOOR];
        println!("| {database} | {what} | {ratio:.2} | {time:.0} ns |");
    }
}

/// A batch of calls with what one caller after the other presents.
fn each<'a>(
    callers: &'a [String],
    mut call: impl FnMut(&str) -> bool + 'a,
) -> Box<dyn FnMut() -> f64 + 'a> {
    let mut turns = callers.iter().cycle();
    Box::new(move || {
        nanoseconds(CALLS, || {
            let turn = turns.next();
            turn.is_some_and(|presented| call(black_box(presented)))
        })
    })
}

/// The same for calls that can wait.
fn batch<'a>(
    runtime: &'a Runtime,
    clock: fn() -> Duration,
    calls: u32,
    callers: &'a [String],
    call: impl AsyncFn(&str) -> bool + 'a,
) -> Box<dyn FnMut() -> f64 + 'a> {
    let mut turns = callers.iter().cycle();
    Box::new(move || {
        runtime.block_on(async {
            let start = clock();
            for presented in turns.by_ref().take(calls as usize) {
                assert!(call(black_box(presented)).await);
            }
            (clock() - start).as_nanos() as f64 / f64::from(calls)
        })
    })
}

fn wall_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

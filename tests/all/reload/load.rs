//! Reloading under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use countersign_tests::Caller;
use tokio::task::JoinSet;

use super::PATIENCE;
use super::shelf::{Freeze, Shelf};

const CALLERS: usize = 8;
/// The policies change for so long, or a minute with `tests/run --long` …
fn span() -> Duration {
    let is_long = std::env::var_os("COUNTERSIGN_LONG").is_some();
    Duration::from_secs(if is_long { 60 } else { 2 })
}
/// … and at least so often, on a machine that does other things as well.
const CHANGES: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_policies_change_several_times_a_second() {
    let shelf = Shelf::set().await;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut callers: JoinSet<Asked> = (0..CALLERS)
        .map(|_| ask(shelf.agent(), Arc::clone(&is_over)))
        .collect();

    let first = shelf.generation().await;
    let begin = Instant::now();
    // Each change begins when the one before decides: none is skipped.
    let span = span();
    while begin.elapsed() < span || shelf.generation().await < first + CHANGES {
        assert!(
            begin.elapsed() < span + PATIENCE,
            "the policies do not change"
        );
        for freeze in [Freeze::FIRST, Freeze::SECOND] {
            shelf.write(".freeze.part", freeze.component());
            shelf.rename(".freeze.part", "freeze.wasm");
            shelf.decides(freeze.rule, PATIENCE).await;
        }
        shelf.remove("freeze.wasm");
        shelf.decides("open-to-agents", PATIENCE).await;
    }
    let took = begin.elapsed();
    is_over.store(true, Ordering::Relaxed);

    let mut asked = Asked::default();
    while let Some(caller) = callers.join_next().await {
        let one = caller.expect("no request fails");
        asked.allowed += one.allowed;
        asked.denied += one.denied;
    }
    let changes = shelf.generation().await - first;
    println!(
        "reload: {changes} generations in {took:?} under {} requests, none failed",
        asked.allowed + asked.denied
    );
    assert!(asked.allowed > 0 && asked.denied > 0, "{asked:?}");
    assert!(changes >= CHANGES, "{changes} changes");
}

#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    allowed: u64,
    denied: u64,
}

/// Asks one question after the other, each of which is answered by one generation from beginning to
/// end, and by none that is older than the one before.
async fn ask(agent: Caller, is_over: Arc<AtomicBool>) -> Asked {
    let mut asked = Asked::default();
    let mut latest = 0;
    while !is_over.load(Ordering::Relaxed) {
        let reply = agent.get("/org/tokens").await;
        match reply.status {
            200 => asked.allowed += 1,
            403 => {
                let rule = reply
                    .clone()
                    .refused(403, "denied_by_policy")
                    .text("rule")
                    .to_owned();
                assert!(["freeze", "deep-freeze"].contains(&&*rule), "{reply}");
                asked.denied += 1;
            }
            _ => panic!("{reply}"),
        }
        let generation = reply
            .header("x-policy-generation")
            .and_then(|text| text.parse().ok());
        let generation: u64 = generation.unwrap_or_else(|| panic!("no generation: {reply}"));
        assert!(
            generation >= latest,
            "generation {generation} after {latest}"
        );
        latest = generation;
    }
    asked
}

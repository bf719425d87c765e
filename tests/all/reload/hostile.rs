//! Hostile modules in the policy folder of a running host, while an agent and a person go about their work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use countersign_tests::Caller;
use countersign_tests::guest::Guest;
use serde_json::json;
use tokio::task::JoinSet;

use super::shelf::Shelf;

/// No request takes longer, on a machine that also runs all the other tests.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is dropped into the folder: the file, what it tries, the component, and a part of the sentence that
/// it gets.
fn hostile() -> Vec<(&'static str, &'static str, Vec<u8>, &'static str)> {
    const ENDLESS: &str = "(loop $ever (br $ever)) (unreachable)";
    let guest = Guest {
        name: "hostile",
        ..Guest::default()
    };
    let decide = Guest {
        decide: ENDLESS,
        ..guest.clone()
    };
    let configure = Guest {
        configure: ENDLESS,
        ..guest.clone()
    };
    let memory = Guest {
        configure: "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
            (unreachable)",
        ..guest.clone()
    };
    let import = Guest {
        import: "(import \"wasi:sockets/tcp@0.2.0\" (instance (export \"connect\" (func))))",
        ..guest.clone()
    };
    let images =
        "(core module (memory 1024) (data (i32.const 0) \"a\") (data (i32.const 67108860) \"b\"))";
    let bomb = Guest {
        import: images.repeat(64).leak(),
        ..guest
    };
    // It takes every agent for a person, in place of the classifier.
    let human = Guest {
        classify: "(i32.const 0)",
        ..Guest::default()
    };
    vec![
        (
            "decide.wasm",
            "to decide for ever",
            decide.component(),
            "it ran for longer than it may",
        ),
        (
            "configure.wasm",
            "to be configured for ever",
            configure.component(),
            "it ran for longer than it may",
        ),
        (
            "memory.wasm",
            "to take all memory",
            memory.component(),
            "it needs more memory than",
        ),
        (
            "import.wasm",
            "to be given the network",
            import.component(),
            "it imports `wasi:sockets/tcp@0.2.0`",
        ),
        (
            "bomb.wasm",
            "to use the compiler up",
            bomb.component(),
            "compiling it takes more than",
        ),
        (
            "human.wasm",
            "to take agents for people",
            human.component(),
            "it took a caller for human",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_modules_in_the_folder_are_refused_while_people_and_agents_go_on() {
    let shelf = Shelf::set().await;
    let person = shelf.host.operator().await;
    let generation = shelf.generation().await;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for (caller, path) in [
        (shelf.agent(), "/org/tokens"),
        (person.clone(), "/console/approvals"),
        (person.clone(), "/org/tokens"),
        (shelf.host.anonymous(), "/console/sign-in"),
    ] {
        callers.spawn(ask(caller, path, Arc::clone(&is_over)));
    }
    let began = Instant::now();
    let all = hostile();
    for (file, _, component, _) in &all {
        shelf.write(file, component);
    }
    for (file, tries, _, part) in &all {
        let sentence = shelf.blames(file).await;
        let memory = peak(shelf.host.process_id());
        println!(
            "hostile: {file} | tried {tries} | answer refused: {sentence} | time {} ms | memory {memory} KiB in the host so far",
            began.elapsed().as_millis()
        );
        assert!(sentence.contains(part), "{file}: {sentence}");
        // It is the host whose memory this is: what the compiler took is not in it.
        assert!(memory < 512 << 10, "{file}: {memory} KiB");
    }
    is_over.store(true, Ordering::Relaxed);
    let mut slowest = Duration::ZERO;
    while let Some(asked) = callers.join_next().await {
        slowest = slowest.max(asked.expect("no request fails"));
    }
    println!(
        "hostile speed: no request took longer than {slowest:?} while {} hostile modules were loaded",
        all.len()
    );
    assert_eq!(
        shelf.generation().await,
        generation,
        "nothing that decides has changed"
    );
    assert_eq!(shelf.rule().await, "open-to-agents");
}

/// Asks again and again, and says how long the slowest answer took.
async fn ask(caller: Caller, path: &'static str, is_over: Arc<AtomicBool>) -> Duration {
    let mut slowest = Duration::ZERO;
    while !is_over.load(Ordering::Relaxed) {
        let began = Instant::now();
        let reply = caller.get(path).await;
        let took = began.elapsed();
        assert!(reply.status == 200, "{reply}");
        assert!(took < PATIENCE, "{path} took {took:?}");
        slowest = slowest.max(took);
    }
    slowest
}

/// The word by which the sleeper wakes.
const WORD: &str = "LOOP-NOW";

/// A module that the host has no reason to refuse: it says nothing, until a request holds the word, and then
/// it runs for ever.
fn sleeper() -> Vec<u8> {
    let sleeper = Guest {
        name: "sleeper",
        ..Guest::default()
    };
    waking(sleeper, *b"LOOP-NOW", "(loop $ever (br $ever))")
}

/// `guest`, which has nothing to say until a request holds `word`, and then does this.
pub fn waking(guest: Guest, word: [u8; 8], then: &str) -> Vec<u8> {
    // Not as it stands: it would find itself.
    let word = i64::from_le_bytes(word) ^ 0x55;
    Guest {
        functions: "(func $find (param $at i32) (param $word i64) (result i32)
            (loop $next
                (if (i64.eq (i64.load (local.get $at)) (local.get $word)) (then (return (i32.const 1))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $at) (i32.const 72000))))
            (i32.const 0))",
        decide: format!(
            "(if (call $find (i32.const 65536) (i64.xor (i64.const {word}) (i64.const 0x55)))
                (then {then}))
             (global.get $abstain)"
        )
        .leak(),
        ..guest
    }
    .component()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_module_that_wakes_up_to_loop_denies_who_woke_it_and_holds_nobody_else_up() {
    const REQUESTS: usize = 60;
    let shelf = Shelf::set().await;
    let person = shelf.host.operator().await;
    let generation = shelf.generation().await;
    shelf.write("sleeper.wasm", sleeper());
    countersign_tests::until("the sleeper is live", super::PATIENCE, async || {
        (shelf.generation().await > generation).then_some(())
    })
    .await;

    let is_over = Arc::new(AtomicBool::new(false));
    let mut people = JoinSet::new();
    for path in ["/console/approvals", "/org/tokens"] {
        people.spawn(ask(person.clone(), path, Arc::clone(&is_over)));
    }
    let began = Instant::now();
    let mut agents = JoinSet::new();
    for _ in 0..REQUESTS {
        let agent = shelf.agent();
        agents.spawn(async move { agent.post("/org/tokens", json!({ "name": WORD })).await });
    }
    let (mut looped, mut unasked) = (0, 0);
    while let Some(reply) = agents.join_next().await {
        let reply = reply
            .expect("no request fails")
            .refused(403, "denied_by_policy");
        assert_eq!(reply.text("rule"), "policy-failed", "{reply}");
        match reply.text("error") {
            error if error.contains("it ran for longer than it may") => looped += 1,
            error if error.contains("is not asked for some seconds") => unasked += 1,
            _ => panic!("{reply}"),
        }
    }
    let took = began.elapsed();
    is_over.store(true, Ordering::Relaxed);
    let mut slowest = Duration::ZERO;
    while let Some(asked) = people.join_next().await {
        slowest = slowest.max(asked.expect("no request fails"));
    }
    println!(
        "hostile speed: {REQUESTS} requests that make a module loop took {took:?}: {looped} looped, {unasked} were denied unasked; people waited {slowest:?} at most"
    );
    // How many of each depends on how many loop at once before the first is through.
    assert!(looped > 0 && unasked > 0, "{looped} and {unasked}");
    // Its debt is the caller's own, and is paid by time.
    assert_eq!(person.get("/org/tokens").await.status, 200);
    shelf.decides("open-to-agents", super::PATIENCE).await;
}

/// The most memory that a process had so far, in KiB.
fn peak(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    kib.expect("Linux says so")
}

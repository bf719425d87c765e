//! Policies of a fleet: the last change anywhere decides everywhere, and nothing is decided by an older set.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use countersign_tests::{Caller, Host, Reply, Yardstick, until};
use serde_json::Value;
use tokio::task::JoinSet;

use super::{Fleet, KEY};
use crate::reload::shelf::{Freeze, Shelf};

/// Within this a change decides at every host, on an idle machine.
const PROMPT: Duration = Duration::from_secs(2);
/// Within this it decides on a machine that also runs all the other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// The two hosts of a fleet, each with its folder.
async fn shelves() -> ([Shelf; 2], Caller) {
    let Fleet { a, b, person } = Fleet::set().await;
    let [person, _] = person;
    let shelf = |host: Host| {
        let folder = host.data_dir().join("policies");
        Shelf::of(host, &folder)
    };
    ([shelf(a), shelf(b)], person)
}

/// How many generations are recorded.
async fn recorded(person: &Caller) -> usize {
    let reply = person.get("/policies/generations").await.expect(200);
    reply.json["generations"].as_array().expect("a list").len()
}

/// What one answer shows of who decided.
struct Seen {
    asked: Instant,
    reply: Reply,
}

impl Seen {
    fn is_frozen(&self) -> bool {
        self.reply.status == 403 && self.reply.json["rule"] == "freeze"
    }

    fn is_told_to_wait(&self) -> bool {
        self.reply.status == 503 && self.reply.json["code"] == "policies_outdated"
    }
}

/// Asks again and again until `enough`, and for as long as it takes to see what comes then.
async fn ask_on(agent: Caller, enough: Arc<AtomicBool>) -> Vec<Seen> {
    let mut seen = Vec::new();
    loop {
        let is_last = enough.load(Ordering::Relaxed);
        let asked = Instant::now();
        let reply = agent.get("/org/tokens").await;
        seen.push(Seen { asked, reply });
        if is_last && seen.last().is_some_and(Seen::is_frozen) {
            return seen;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn once_one_host_says_that_a_policy_is_live_no_other_decides_without_it() {
    let ([a, b], _) = shelves().await;
    let mut tried = Vec::new();
    for _ in 0..5 {
        let yardstick = Yardstick::new().await;
        let enough = Arc::new(AtomicBool::new(false));
        let mut asking = JoinSet::new();
        for _ in 0..4 {
            asking.spawn(ask_on(b.agent(), Arc::clone(&enough)));
        }
        let dropped = Instant::now();
        a.write("freeze.wasm", Freeze::FIRST.component());
        a.decides("freeze", PATIENCE).await;
        let live = Instant::now();
        enough.store(true, Ordering::Relaxed);
        let mut total = 0;
        let asked = tokio::time::timeout(PATIENCE, asking.join_all()).await;
        for seen in asked
            .expect("it is frozen in the end")
            .into_iter()
            .flatten()
        {
            total += 1;
            let is_late = seen.asked > live;
            assert!(
                seen.is_frozen()
                    || seen.is_told_to_wait()
                    || (seen.reply.status == 200 && !is_late),
                "asked {:?} after the new set was live: {}",
                seen.asked.saturating_duration_since(live),
                seen.reply
            );
        }
        assert!(total > 8, "{total} requests are no crowd");
        let took = dropped.elapsed();
        let prompt = yardstick.stretches(PROMPT).await;
        assert_eq!(b.rule().await, "freeze");
        assert_eq!(a.generation().await, b.generation().await);
        a.remove("freeze.wasm");
        for shelf in [&a, &b] {
            shelf.decides("open-to-agents", PATIENCE).await;
        }
        if took <= prompt {
            println!(
                "fleet: a module dropped at one host decides at the other after {took:?}, of {prompt:?}"
            );
            return;
        }
        tried.push((took, prompt));
    }
    panic!("it took longer than it may, each time: {tried:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_nobody_asks_takes_over_what_another_records() {
    let ([a, b], person) = shelves().await;
    a.write("freeze.wasm", Freeze::FIRST.component());
    // Reading the policies is the core's, so this does not make B look.
    until("B has taken over", PATIENCE, async || {
        (b.generation().await == 2).then_some(())
    })
    .await;
    assert_eq!(b.rule().await, "freeze");
    assert_eq!(b.module("freeze").await, a.module("freeze").await);
    assert_eq!(a.problems().await, [] as [Value; 0]);
    let problems = b.problems().await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    let sentence = problems[0]["sentence"].as_str().expect("a sentence");
    assert!(sentence.contains("generation 2"), "{sentence}");
    // What is wrong with a file here brings back nothing older.
    b.write("broken.wasm", "this is no component");
    b.blames("broken.wasm").await;
    assert_eq!(b.rule().await, "freeze");
    assert_eq!(recorded(&person).await, 2);
    b.remove("broken.wasm");

    // The same content on every host is no further change, and nothing is wrong any more.
    b.write("freeze.wasm", Freeze::FIRST.component());
    b.blames_nothing().await;
    assert_eq!(recorded(&person).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_given_to_all_hosts_at_once_is_one_change() {
    let ([a, b], person) = shelves().await;
    for (round, freeze) in (0..).zip([Freeze::FIRST, Freeze::SECOND, Freeze::FIRST.later(1)]) {
        for shelf in [&a, &b] {
            shelf.write("freeze.wasm", freeze.component());
        }
        for shelf in [&a, &b] {
            shelf.decides(freeze.rule, PATIENCE).await;
            shelf.blames_nothing().await;
        }
        assert_eq!(recorded(&person).await, 2 + round);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_with_an_older_folder_rolls_nothing_back() {
    let ([a, b], person) = shelves().await;
    b.write("freeze.wasm", Freeze::FIRST.component());
    b.decides("freeze", PATIENCE).await;
    let b = b
        .restart(|_| a.write("freeze.wasm", Freeze::SECOND.component()))
        .await;
    for shelf in [&a, &b] {
        shelf.decides("deep-freeze", PATIENCE).await;
    }
    // While it stands still, its folder is as it was when it last looked.
    let b = b.restart(|_| ()).await;
    assert_eq!(b.rule().await, "deep-freeze");
    assert_eq!(b.generation().await, 3);
    // Nor does a host that is new to the fleet.
    let new = a.host.mate().start().await;
    let folder = new.data_dir().join("policies");
    let new = Shelf::of(new, &folder);
    assert_eq!(new.rule().await, "deep-freeze");
    for shelf in [&b, &new] {
        let problems = shelf.problems().await;
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
    assert_eq!(recorded(&person).await, 3);

    // What is changed in a folder while its host is down is a change, everywhere.
    let b = b
        .restart(|folder| fs::remove_file(folder.join("freeze.wasm")).expect("it is there"))
        .await;
    for shelf in [&a, &b, &new] {
        shelf.decides("open-to-agents", PATIENCE).await;
        assert_eq!(shelf.generation().await, 4);
    }
    let reply = person.get("/policies/generations").await.expect(200);
    let summary = reply.json["generations"][0]["summary"].as_str();
    // What it replaces is the other host's, and that is what the record says.
    assert!(
        summary.is_some_and(|text| text.starts_with("freeze@2.0.0") && text.ends_with("removed")),
        "{reply}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_that_cannot_be_taken_over_have_nothing_decided_until_others_are() {
    let ([a, b], person) = shelves().await;
    // As a host of another version records what is no component here.
    for sql in [
        "INSERT INTO components VALUES ('d2', 'this is no component')",
        "INSERT INTO generations VALUES (2, 0, 'policy-folder', 'a later contract')",
        "INSERT INTO generation_modules (generation, name, version, digest, settings)
         VALUES (2, 'baseline', '9.0.0', 'd2', '{}')",
    ] {
        a.host.database().ask(sql);
    }
    for shelf in [&a, &b] {
        let refused = shelf.agent().get("/org/tokens").await;
        let refused = refused.refused(503, "policies_outdated");
        assert_eq!(refused.header("retry-after"), Some("1"), "{refused}");
        until("the host says why", PATIENCE, async || {
            let problems = shelf.problems().await;
            let says = |problem: &Value| {
                let sentence = problem["sentence"].as_str().unwrap_or_default();
                sentence.contains("generation 2") && sentence.contains("baseline@9.0.0")
            };
            problems.iter().any(says).then_some(())
        })
        .await;
        assert_eq!(shelf.generation().await, 1);
        let ready = shelf.host.anonymous().get("/ready").await;
        ready.refused(503, "policies_outdated");
    }
    // A host that starts now has nothing to decide by, and says so.
    let failure = a
        .host
        .mate()
        .env("SECRETS_ENCRYPTION_KEY", KEY)
        .fail()
        .await;
    failure.says(&["generation 2", "baseline@9.0.0"]);

    a.write("freeze.wasm", Freeze::FIRST.component());
    for shelf in [&a, &b] {
        shelf.decides("freeze", PATIENCE).await;
        assert_eq!(shelf.generation().await, 3);
        shelf.host.anonymous().get("/ready").await.expect(200);
    }
    assert_eq!(recorded(&person).await, 3);
}

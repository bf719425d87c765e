//! Policies of a fleet: the last change anywhere decides everywhere, and nothing is decided by an older set.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use countersign_core::generation::ModuleRecord;
use countersign_core::keys::{Keys, RootKey, from_hex, hex};
use countersign_core::verdict::ModuleId;
use countersign_tests::{Caller, Host, Reply, Yardstick, until};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
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
    let bytes = b"this is no component";
    let later = ModuleRecord {
        id: ModuleId {
            name: "baseline".to_owned(),
            version: "9.0.0".to_owned(),
            digest: hex(&Sha256::digest(bytes)),
        },
        settings: [].into(),
        file: None,
        pinned: None,
    };
    let digest = later.id.digest.clone();
    let root = RootKey::new(from_hex(KEY).expect("32 bytes"));
    let key = Keys::new(&root).generations();
    let seal = key.seal(2, &[later], &[]);
    let seal = seal.as_str();
    for sql in [
        format!("INSERT INTO components VALUES ('{digest}', 'this is no component')"),
        format!(
            "INSERT INTO generations (number, at, changed_by, summary, seal)
             VALUES (2, 0, 'policy-folder', 'a later contract', '{seal}')"
        ),
        format!(
            "INSERT INTO generation_modules (generation, name, version, digest, settings)
             VALUES (2, 'baseline', '9.0.0', '{digest}', '{{}}')"
        ),
    ] {
        a.host.database().ask(&sql);
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

// Guard: `GenerationKey::genuine`. The rows are one transaction, as another host's are.
#[tokio::test(flavor = "multi_thread")]
async fn a_generation_that_was_written_into_the_database_by_hand_is_live_at_no_host() {
    let ([a, b], person) = shelves().await;
    a.write("freeze.wasm", Freeze::FIRST.component());
    for shelf in [&a, &b] {
        shelf.decides("freeze", PATIENCE).await;
    }
    a.host.database().ask(
        "WITH made AS (
             INSERT INTO generations (number, at, changed_by, summary, seal)
             SELECT 3, at, changed_by, summary, seal FROM generations WHERE number = 1
             RETURNING number)
         INSERT INTO generation_modules (generation, name, version, digest, settings, file)
         SELECT made.number, name, version, digest, settings, file
         FROM generation_modules, made WHERE generation = 1",
    );
    for shelf in [&a, &b] {
        assert_eq!(shelf.rule().await, "policies_outdated");
        until("the host says why", PATIENCE, async || {
            let problems = shelf.problems().await;
            let says = |problem: &Value| {
                let sentence = problem["sentence"].as_str().unwrap_or_default();
                sentence.contains("generation 3") && sentence.contains("its seal does not hold")
            };
            problems.iter().any(says).then_some(())
        })
        .await;
        assert_eq!(shelf.generation().await, 2);
    }
    let body = json!({ "generation": 2 });
    let back = person.post("/policies/rollback", body).await.expect(200);
    assert_eq!(back.json["generation"], 4);
    for shelf in [&a, &b] {
        shelf.decides("freeze", PATIENCE).await;
    }
}

/// Within this a person who goes back is obeyed at every host, on an idle machine.
const AT_ONCE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn going_back_is_felt_within_a_second_everywhere_also_when_the_file_is_gone() {
    let ([a, b], person) = shelves().await;
    a.write("freeze.wasm", Freeze::FIRST.component());
    a.decides("freeze", PATIENCE).await;
    a.remove("freeze.wasm");
    for shelf in [&a, &b] {
        shelf.decides("open-to-agents", PATIENCE).await;
    }
    let mut tried = Vec::new();
    for round in 0..5 {
        let yardstick = Yardstick::new().await;
        // There and back: 2 has the module whose file is gone, and 3 has not.
        let (to, rule) = [(2, "freeze"), (3, "open-to-agents")][round % 2];
        let asked = Instant::now();
        let body = json!({ "generation": to });
        let back = person.post("/policies/rollback", body).await.expect(200);
        assert_eq!(back.json["live"], true, "{back}");
        let here = asked.elapsed();
        assert_eq!(a.rule().await, rule);
        b.decides(rule, PATIENCE).await;
        let there = asked.elapsed();
        let limit = yardstick.stretches(AT_ONCE).await;
        tried.push((here, there, limit));
    }
    println!(
        "going back: at the host that is asked, at the other, and what is promised: {tried:?}"
    );
    let within = tried
        .iter()
        .filter(|(here, there, limit)| here.max(there) <= limit);
    // The machine has other work, and a round can meet it.
    assert!(within.count() >= 3, "it took longer than it may: {tried:?}");
}

//! Whoever can write the database, and lacks the host's key, makes no other policies live: what was changed
//! there decides nothing, and the host says so.

mod former;

use std::fs;
use std::time::Duration;

use countersign_tests::{Caller, HostBuilder, OperatorSession, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::reload::shelf::{Freeze, Shelf};
use crate::stage::ADMIN_TOKEN;
use crate::workspace_secrets::tamper;

const PATIENCE: Duration = Duration::from_secs(30);

/// What is done to the database, and which of its generations is then refused.
struct Change {
    what: &'static str,
    sql: &'static [&'static str],
    refused: u64,
    says: &'static str,
}

const CHANGES: [Change; 7] = [
    Change {
        what: "a setting",
        sql: &["UPDATE generation_modules
            SET settings = '{\"gated_verbs\":[],\"exempt\":[]}'
            WHERE generation = 2 AND name = 'baseline'"],
        refused: 2,
        says: "its seal does not hold",
    },
    Change {
        what: "a module taken out",
        sql: &["DELETE FROM generation_modules WHERE generation = 2 AND name = 'freeze'"],
        refused: 2,
        says: "its seal does not hold",
    },
    Change {
        what: "another kept version in its place",
        sql: &["UPDATE generation_modules SET version = '2.0.0', digest =
                (SELECT digest FROM policy_versions WHERE name = 'freeze' AND version = '2.0.0')
            WHERE generation = 2 AND name = 'freeze'"],
        refused: 2,
        says: "its seal does not hold",
    },
    Change {
        what: "a pin",
        sql: &[
            "UPDATE generation_modules SET pinned_by = 'session:nobody', pinned_since = 1
            WHERE generation = 2 AND name = 'baseline'",
        ],
        refused: 2,
        says: "its seal does not hold",
    },
    Change {
        what: "no seal",
        sql: &["UPDATE generations SET seal = NULL WHERE number = 2"],
        refused: 2,
        says: "has no seal",
    },
    Change {
        what: "another generation's seal",
        sql: &["UPDATE generations SET seal =
                (SELECT other.seal FROM generations AS other WHERE other.number = 1)
            WHERE number = 2"],
        refused: 2,
        says: "its seal does not hold",
    },
    Change {
        what: "an earlier generation under a number of its own",
        sql: &[
            "INSERT INTO generations (number, at, changed_by, summary, seal)
             SELECT 3, at, changed_by, summary, seal FROM generations WHERE number = 1",
            "INSERT INTO generation_modules (generation, name, version, digest, settings, file)
             SELECT 3, name, version, digest, settings, file FROM generation_modules
             WHERE generation = 1",
        ],
        refused: 3,
        says: "its seal does not hold",
    },
];

/// A host at which agents do nothing, by generation 2: its module came over HTTP, and a second version of it
/// is kept.
async fn frozen() -> (Shelf, OperatorSession) {
    let shelf = Shelf::set().await;
    let session = shelf.host.operator_session().await;
    let person = shelf.host.signed_in(&session);
    for freeze in [Freeze::FIRST, Freeze::SECOND] {
        let (path, kind) = ("/policies/freeze", Some("application/wasm"));
        let pushed = person.send(Method::PUT, path, kind, freeze.component());
        pushed.await.expect(201);
    }
    activate(&person, "1.0.0").await;
    assert_eq!(shelf.rule().await, "freeze");
    (shelf, session)
}

/// Makes the baseline live with this version of `freeze`.
async fn activate(person: &Caller, version: &str) {
    let live = person.get("/policies").await.expect(200);
    let baseline = json!({ "name": "baseline", "digest": live.json["modules"][0]["digest"] });
    let set = json!({ "modules": [baseline, { "name": "freeze", "version": version }] });
    person.post("/policies/generations", set).await.expect(200);
}

async fn change(stopped: &HostBuilder, sql: &[&'static str]) {
    for sql in sql {
        tamper(stopped, sql).await;
    }
}

async fn says(shelf: &Shelf, words: &[&str]) {
    until("the host says why", PATIENCE, async || {
        let problems = shelf.problems().await;
        let says = |problem: &Value| {
            let sentence = problem["sentence"].as_str().unwrap_or_default();
            words.iter().all(|word| sentence.contains(word))
        };
        problems.iter().any(says).then_some(())
    })
    .await;
}

async fn roll_back(person: &Caller, generation: u64) -> countersign_tests::Reply {
    let body = json!({ "generation": generation });
    person.post("/policies/rollback", body).await
}

// Guard: `GenerationKey::genuine`.
#[tokio::test]
async fn what_was_changed_in_the_database_decides_nothing_and_nothing_looser_takes_its_place() {
    for Change {
        what,
        sql,
        refused,
        says: why,
    } in CHANGES
    {
        println!("{what}");
        let (shelf, session) = frozen().await;
        let folder = shelf.folder().to_owned();
        let stopped = shelf.host.stop().await;
        change(&stopped, sql).await;
        let shelf = Shelf::of(stopped.start().await, &folder);
        // By the one before, an agent would be let.
        assert_eq!(shelf.rule().await, "policies_outdated", "{what}");
        let number = format!("generation {refused}");
        says(&shelf, &[&number, why, "countersign policy rollback"]).await;
        let ready = shelf.host.anonymous().get("/ready").await;
        ready.refused(503, "policies_outdated");

        // The folder changes nothing of that.
        shelf.write("other.wasm", other());
        says(
            &shelf,
            &["what the folder holds is not live yet", &number, why],
        )
        .await;
        shelf.remove("other.wasm");
        assert_eq!(shelf.rule().await, "policies_outdated", "{what}");

        // Nor does a person by what it holds, but by an earlier one, which the list tells apart.
        let person = shelf.host.signed_in(&session);
        let listed = person.get("/policies/generations").await.expect(200);
        let genuine = listed.json["generations"].as_array().expect("a list");
        let genuine = genuine.iter().filter(|one| one["genuine"] == true);
        let genuine: Vec<&Value> = genuine.map(|one| &one["number"]).collect();
        assert_eq!(genuine[0], refused - 1, "{what}");
        let back = roll_back(&person, refused).await;
        let back = back.refused(409, "generation_not_genuine");
        assert!(back.text("error").contains(why), "{what}: {back}");
        for path in ["/policies/baseline/pin", "/policies/baseline/mode"] {
            let body = json!({ "mode": "shadow" });
            let change = person.put(path, body).await;
            change.refused(409, "generation_not_genuine");
        }
        roll_back(&person, refused - 1).await.expect(200);
        let rule = if refused == 3 {
            "freeze"
        } else {
            "open-to-agents"
        };
        assert_eq!(shelf.rule().await, rule, "{what}");
        // It is noted a moment after they decide.
        until("the host is ready", PATIENCE, async || {
            let ready = shelf.host.anonymous().get("/ready").await;
            (ready.status == 200).then_some(())
        })
        .await;
    }
}

// Guards: `is_overruled` in `Policies::record`, `Held::is_to_be_recorded`, `mark.came` at a start.
#[tokio::test]
async fn what_waited_in_a_trusted_folder_undoes_no_going_back() {
    for while_it_runs in [true, false] {
        let (shelf, session) = frozen().await;
        let folder = shelf.folder().to_owned();
        let stopped = shelf.host.stop().await;
        let [.., forged] = CHANGES;
        change(&stopped, forged.sql).await;
        if !while_it_runs {
            fs::write(folder.join("other.wasm"), other()).expect("written");
        }
        let shelf = Shelf::of(stopped.start().await, &folder);
        if while_it_runs {
            shelf.write("other.wasm", other());
            says(&shelf, &["what the folder holds is not live yet"]).await;
        }
        let person = shelf.host.signed_in(&session);
        let back = roll_back(&person, 2).await.expect(200);
        let back = back.json["generation"].clone();

        // The folder has had its turn, and says so; until it changes, what the person chose stands.
        let next = "the next change in this folder makes its content live";
        says(&shelf, &[next]).await;
        assert_eq!(json!(shelf.generation().await), back);
        assert_eq!(shelf.rule().await, "freeze");
        let shelf = shelf.restart(|_| ()).await;
        assert_eq!(json!(shelf.generation().await), back);
        assert_eq!(shelf.rule().await, "freeze");

        // Its next change is followed, also by a start.
        let shelf = shelf
            .restart(|folder| fs::remove_file(folder.join("other.wasm")).expect("it is there"))
            .await;
        assert_eq!(shelf.rule().await, "open-to-agents");
    }
}

// Guard: `FolderMark::keep` forgets since when the folder held something else.
#[tokio::test]
async fn what_a_trusted_folder_held_before_a_going_back_can_be_put_there_again() {
    let shelf = Shelf::set().await;
    let person = shelf.host.operator().await;
    let first = shelf.generation().await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    until("it decides", PATIENCE, async || {
        (shelf.rule().await == "freeze").then_some(())
    })
    .await;
    roll_back(&person, first).await.expect(200);
    assert_eq!(shelf.rule().await, "open-to-agents");
    let shelf = shelf
        .restart(|folder| fs::remove_file(folder.join("freeze.wasm")).expect("it is there"))
        .await;
    assert_eq!(shelf.rule().await, "open-to-agents");
    let shelf = shelf
        .restart(|folder| {
            fs::write(folder.join("freeze.wasm"), Freeze::FIRST.component()).expect("written");
        })
        .await;
    assert_eq!(shelf.rule().await, "freeze");
}

/// Another module for the folder.
fn other() -> Vec<u8> {
    countersign_tests::guest::Guest {
        name: "other",
        decide: "(global.get $abstain)",
        ..countersign_tests::guest::Guest::default()
    }
    .component()
}

#[tokio::test]
async fn the_host_goes_on_by_what_is_live_while_an_earlier_generation_is_changed() {
    let (shelf, session) = frozen().await;
    let folder = shelf.folder().to_owned();
    let stopped = shelf.host.stop().await;
    change(
        &stopped,
        &["UPDATE generation_modules SET settings = '{}' WHERE generation = 1"],
    )
    .await;
    let shelf = Shelf::of(stopped.start().await, &folder);
    assert_eq!(shelf.rule().await, "freeze");
    let person = shelf.host.signed_in(&session);
    roll_back(&person, 1)
        .await
        .refused(409, "generation_not_genuine");
    assert_eq!(shelf.rule().await, "freeze");
}

// Guard: the digest in `component` of host/server/src/policies/recorded.rs.
#[tokio::test]
async fn bytes_that_were_changed_are_not_what_they_were_kept_as() {
    const BYTES: &str = "UPDATE components SET bytes =
        (SELECT other.bytes FROM components AS other WHERE other.digest =
            (SELECT digest FROM policy_versions WHERE name = 'freeze' AND version = '2.0.0'))
        WHERE digest =
            (SELECT digest FROM policy_versions WHERE name = 'freeze' AND version = '1.0.0')";
    let words = ["freeze@1.0.0", "was changed there: its digest is"];
    // Where they would be live again.
    let (shelf, session) = frozen().await;
    let person = shelf.host.signed_in(&session);
    activate(&person, "2.0.0").await;
    let folder = shelf.folder().to_owned();
    let stopped = shelf.host.stop().await;
    change(&stopped, &[BYTES]).await;
    let shelf = Shelf::of(stopped.start().await, &folder);
    let person = shelf.host.signed_in(&session);
    let back = roll_back(&person, 2).await.refused(400, "policy_refused");
    for word in words {
        assert!(back.text("error").contains(word), "{back}");
    }
    assert_eq!(shelf.rule().await, "deep-freeze");

    // At a start.
    let (shelf, _) = frozen().await;
    let stopped = shelf.host.stop().await;
    change(&stopped, &[BYTES]).await;
    stopped.fail().await.says(&words);

    // And in the place of a file that broke.
    let (shelf, _) = frozen().await;
    let before = shelf.generation().await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    until("it is the file's", PATIENCE, async || {
        (shelf.generation().await > before).then_some(())
    })
    .await;
    let folder = shelf.folder().to_owned();
    let stopped = shelf.host.stop().await;
    change(&stopped, &[BYTES]).await;
    fs::write(folder.join("freeze.wasm"), "no component").expect("written");
    stopped.fail().await.says(&words);
}

// Guard: `GenerationMark::check`.
#[tokio::test]
async fn a_generation_that_was_taken_away_is_missed_by_the_host_at_which_it_was_live() {
    let (shelf, _) = frozen().await;
    let folder = shelf.folder().to_owned();
    let stopped = shelf.host.stop().await;
    let seen = stopped.data_dir().join("policy-generation.seen");
    change(
        &stopped,
        &[
            "DELETE FROM generation_modules WHERE generation = 2 AND name = 'freeze'",
            "DELETE FROM generation_modules WHERE generation = 2 AND name = 'baseline'",
            "DELETE FROM generations WHERE number = 2",
        ],
    )
    .await;
    let failure = stopped.clone().fail().await;
    failure.says(&["generation 2", "has lost it", "policy-generation.seen"]);
    // Whoever put an older copy there says so.
    fs::remove_file(seen).expect("it is there");
    let shelf = Shelf::of(stopped.start().await, &folder);
    assert_eq!(shelf.rule().await, "open-to-agents");
    assert_eq!(
        shelf.host.agent(ADMIN_TOKEN).get("/ready").await.status,
        200
    );
}

#[tokio::test]
async fn a_replaced_key_opens_the_seals_of_what_was_recorded_before() {
    let (shelf, session) = frozen().await;
    let folder = shelf.folder().to_owned();
    let stopped = shelf.host.stop().await;
    let rotated = stopped.run(&["keys", "rotate"]);
    assert!(rotated.status.success(), "{rotated:?}");
    let shelf = Shelf::of(stopped.start().await, &folder);
    assert_eq!(shelf.rule().await, "freeze");
    let person = shelf.host.signed_in(&session);
    roll_back(&person, 1).await.expect(200);
    assert_eq!(shelf.rule().await, "open-to-agents");
}

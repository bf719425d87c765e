//! What was decided, exported and asked again: bit for bit under what decided, and under other modules with
//! exactly what they would have changed.

mod bulk;
mod exports;
mod lived;

use countersign_tests::{CommandLine, Database};
use serde_json::{Value, json};

use self::lived::{ASKED, Lived, decisions, sealed};
use crate::reload::shelf::Freeze;

fn count(report: &Value, name: &str) -> u64 {
    report[name].as_u64().expect("a count")
}

#[tokio::test]
async fn an_export_is_answered_bit_for_bit_and_a_looser_module_is_shown_exactly_where_it_loosens() {
    let lived = Lived::a_little().await;
    let (export, text) = lived.export("decisions.jsonl").await;
    assert!(!text.contains("the-value-of-the-secret"));
    let decisions = decisions(&text);

    // What decided is known by its digest, and nobody has brought the freeze.
    let again = ["policy", "replay", &export, "--json"];
    let missing = lived.person.run(&again).await.expect(3).json();
    assert!(count(&missing, "unasked") > 0 && count(&missing, "changed") == 0);
    let reasons = missing["missing"].as_object().expect("reasons");
    assert_eq!(reasons.len(), 1, "{missing:#}");
    assert!(
        reasons
            .keys()
            .all(|why| why.contains("`freeze@1.0.0` is not here: export with --with-modules"))
    );
    let freeze = lived.write("kept.wasm", Freeze::FIRST.component());
    let again = ["policy", "replay", &export, "--kept", &freeze, "--json"];
    let report = lived.person.run(&again).await.expect(0).json();
    assert_eq!(count(&report, "decisions"), decisions.len() as u64);
    assert!(count(&report, "by_core") > 0, "{report:#}");
    let all = count(&report, "by_core") + count(&report, "same");
    assert_eq!(all, decisions.len() as u64, "{report:#}");

    let gated = decisions
        .iter()
        .filter(|decision| decision["verb"] == "org_token_mint" && decision["effect"] == "gate");
    let gated: Vec<&Value> = gated.map(|decision| &decision["id"]).collect();
    assert_eq!(gated.len() as u64, ASKED + 1, "one was asked for twice");
    let looser = lived.looser();
    // The freeze says again what it said, so nobody needs to bring it.
    let under = ["policy", "replay", &export, "--module", &looser, "--json"];
    let report = lived.person.run(&under).await.expect(1).json();
    assert_eq!(report["loosens"], true);
    let loosened: Vec<&Value> = loosenings(&report).collect();
    assert_eq!(loosened.len(), 1, "{report:#}");
    let group = loosened[0];
    assert_eq!(
        (
            &group["verb"],
            &group["before"],
            &group["after"],
            count(group, "count")
        ),
        (
            &json!("org_token_mint"),
            &json!("gate (agents-need-a-person)"),
            &json!("allow (open-to-agents)"),
            ASKED + 1
        )
    );
    assert!(gated.contains(&&group["example"]), "{group:#}");
    let row = group["row"].as_str().expect("a row");
    assert!(row.starts_with("admin-token admin org_token_mint"), "{row}");
    assert_eq!(report["missing"], json!({}));
    let said = lived.person.run(&under[..5]).await.expect(1);
    said.says(&["LOOSER org_token_mint: gate (agents-need-a-person) → allow (open-to-agents)"]);

    // Without the freeze, what it denied is open as well.
    let only = [&under[..], &["--only"]].concat();
    let report = lived.person.run(&only).await.expect(1).json();
    assert!(
        loosenings(&report).any(|group| group["before"] == "deny (freeze)"),
        "{report:#}"
    );
    // A freeze from the beginning tightens, and loosens nothing.
    let stricter = ["policy", "replay", &export, "--module", &freeze, "--json"];
    let report = lived.person.run(&stricter).await.expect(1).json();
    assert_eq!(report["loosens"], false);
    assert!(report["groups"].as_array().is_some_and(|groups| {
        !groups.is_empty() && groups.iter().all(|group| group["change"] != "looser")
    }));
}

/// What lets more happen.
fn loosenings(report: &Value) -> impl Iterator<Item = &Value> {
    let groups = report["groups"].as_array().expect("groups").iter();
    groups.filter(|group| group["change"] == "looser" || group["change"] == "mixed")
}

#[tokio::test]
async fn the_database_holds_all_that_it_takes_and_is_not_read_behind_the_back_of_a_host() {
    let lived = Lived::a_little().await;
    let looser = lived.looser();
    let person = &lived.person;
    let again = ["policy", "replay", "--json"];
    match lived.shelf.host.database() {
        Database::Sqlite => {
            let said = person.run(&again).await.expect(2);
            said.says(&["a host runs on", "countersign decision export"]);
        }
        Database::Postgres { .. } => {
            person.run(&again).await.expect(0);
        }
    }
    let stopped = lived.shelf.host.stop().await;
    let report = person.run(&again).await.expect(0).json();
    assert_eq!(report["groups"], json!([]));
    assert!(count(&report, "same") > ASKED, "{report:#}");
    let under = [&again[..], &["--module", &looser]].concat();
    let report = person.run(&under).await.expect(1).json();
    let counts: Vec<u64> = loosenings(&report)
        .map(|group| count(group, "count"))
        .collect();
    assert_eq!(counts, [ASKED + 1], "{report:#}");
    // It was only read.
    let host = stopped.start().await;
    assert_eq!(
        host.agent(crate::stage::ADMIN_TOKEN)
            .get("/org/tokens")
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn an_export_with_modules_is_answered_bit_for_bit_where_no_host_is() {
    let lived = Lived::a_little().await;
    let path = lived.path("whole.jsonl");
    let export = ["decision", "export", "--with-modules", "--out", &path];
    lived.person.run(&export).await.expect(0);
    let elsewhere = CommandLine::new();
    let copied = elsewhere.folder().join("whole.jsonl");
    std::fs::copy(&path, &copied).expect("it can be copied");
    let copied = copied.display().to_string();
    let again = ["policy", "replay", &copied, "--json"];
    let report = elsewhere.run(&again).await.expect(0).json();
    assert!(count(&report, "same") > ASKED, "{report:#}");
    assert_eq!(
        (&report["missing"], count(&report, "changed")),
        (&json!({}), 0)
    );

    // Other bytes under that digest are found, even where the whole fits together.
    let text = std::fs::read_to_string(&path).expect("it was written");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.pop();
    let component = lines
        .iter_mut()
        .rfind(|line| line.starts_with(r#"{"component""#));
    let component = component.expect("there is one");
    let bytes = component.find(r#""bytes":""#).expect("bytes") + 40;
    let other = if component[bytes..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    component.replace_range(bytes..=bytes, other);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let forged = lived.write("forged.jsonl", sealed(&lines));
    let said = elsewhere
        .run(&["policy", "replay", &forged])
        .await
        .expect(2);
    said.says(&["the bytes of the component", "have another digest"]);
}

#[tokio::test]
async fn what_this_version_does_not_understand_is_counted_and_the_rest_is_asked() {
    let lived = Lived::a_little().await;
    let freeze = lived.write("kept.wasm", Freeze::FIRST.component());
    let (_, text) = lived.export("decisions.jsonl").await;
    let mut lines: Vec<&str> = text.lines().collect();
    lines.pop();
    // Of a later version, whose callers are of a class that there is not yet.
    let last = lines.pop().expect("a decision");
    let mut later: Value = serde_json::from_str(last).expect("JSON");
    later["class"] = json!("robot");
    let later = later.to_string();
    lines.push(&later);
    let path = lived.write("later.jsonl", sealed(&lines));
    let again = ["policy", "replay", &path, "--kept", &freeze, "--json"];
    let report = lived.person.run(&again).await.expect(3).json();
    assert_eq!(report["unread"]["count"], 1, "{report:#}");
    let example = report["unread"]["example"].as_str().expect("an example");
    assert!(
        example.contains(&format!("line {}", lines.len())) && example.contains("robot"),
        "{example}"
    );
    assert!(count(&report, "same") > 0);
    lived
        .person
        .run(&again[..5])
        .await
        .expect(3)
        .says(&["COULD NOT BE ASKED, the first because line"]);
}

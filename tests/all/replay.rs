//! What was decided, exported and asked again: bit for bit under what decided, and under other modules with
//! exactly what they would have changed.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use countersign_tests::{CommandLine, Database};
use serde_json::{Value, json};

use crate::reload::shelf::{Freeze, Shelf};
use crate::stage::{approve, minted};

const PATIENCE: Duration = Duration::from_secs(30);
/// How many tokens the agent asks for before the freeze, each of which waits for a person.
const ASKED: u64 = 3;

/// A host that has lived a little, under two generations of policies, and somebody at its command line.
struct Lived {
    shelf: Shelf,
    person: CommandLine,
    folder: PathBuf,
}

impl Lived {
    async fn a_little() -> Self {
        let shelf = Shelf::set().await;
        let person = shelf.host.command_line();
        person.run(&["login"]).await.expect(0);
        let operator = shelf.host.operator_by_link(&person).await;
        let agent = shelf.agent();
        minted(&operator, json!({ "name": "by a person" })).await;
        for number in 0..ASKED {
            let body = json!({ "name": format!("by an agent {number}"), "role": "reader" });
            let waits = agent.post("/org/tokens", body.clone()).await.expect(202);
            if number == 0 {
                approve(&operator, waits.text("approval_id")).await;
                agent.post("/org/tokens", body).await.expect(200);
            }
        }
        agent.get("/audit").await.refused(403, "denied_by_policy");
        let secret = json!({ "key": "API_KEY", "value": "the-value-of-the-secret" });
        operator.post("/settings/secrets", secret).await.expect(200);
        shelf.write("freeze.wasm", Freeze::FIRST.component());
        shelf.decides("freeze", PATIENCE).await;
        let body = json!({ "name": "too late" });
        agent
            .post("/org/tokens", body)
            .await
            .refused(403, "denied_by_policy");
        let folder = person.folder();
        Self {
            shelf,
            person,
            folder,
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.folder.join(name), content).expect("the folder can be written");
        self.path(name)
    }

    async fn export(&self, name: &str) -> (String, String) {
        let path = self.path(name);
        let export = ["decision", "export", "--out", &path];
        self.person.run(&export).await.expect(0);
        let text = fs::read_to_string(&path).expect("it was written");
        (path, text)
    }

    /// The baseline with a setting that lets agents mint alone.
    fn looser(&self) -> String {
        self.write(
            "looser.toml",
            r#"gated_verbs = ["org_token_revoke", "secret_write", "secret_delete", "workspace_update",
                "delete_workspace", "workspace_token_mint", "deprovision"]"#,
        );
        self.write("looser.wasm", countersign_engine::BASELINE)
    }
}

fn count(report: &Value, name: &str) -> u64 {
    report[name].as_u64().expect("a count")
}

#[tokio::test]
async fn an_export_is_answered_bit_for_bit_and_a_looser_module_is_shown_exactly_where_it_loosens() {
    let lived = Lived::a_little().await;
    let (export, text) = lived.export("decisions.jsonl").await;
    assert!(!text.contains("the-value-of-the-secret"));
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let decisions: Vec<Value> = lines.filter(|line| line.get("id").is_some()).collect();

    // What decided is known by its digest, and nobody has brought the freeze.
    let again = ["policy", "replay", &export, "--json"];
    let missing = lived.person.run(&again).await.expect(1).json();
    let reasons = missing["missing"].as_object().expect("reasons");
    assert_eq!(reasons.len(), 1, "{missing:#}");
    assert!(
        reasons
            .keys()
            .all(|why| why.contains("`freeze@1.0.0` is not here: bring it by --kept"))
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
    let report = lived.person.run(&under).await.expect(3).json();
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
    let said = lived.person.run(&under[..5]).await.expect(3);
    said.says(&["LOOSER org_token_mint: gate (agents-need-a-person) → allow (open-to-agents)"]);

    // Without the freeze, what it denied is open as well.
    let only = [&under[..], &["--only"]].concat();
    let report = lived.person.run(&only).await.expect(3).json();
    assert!(
        loosenings(&report).any(|group| group["before"] == "deny (freeze)"),
        "{report:#}"
    );
    // A freeze from the beginning tightens, and loosens nothing.
    let stricter = ["policy", "replay", &export, "--module", &freeze, "--json"];
    let report = lived.person.run(&stricter).await.expect(1).json();
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
    let report = person.run(&under).await.expect(3).json();
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
async fn an_interrupted_export_goes_on_and_a_damaged_one_is_named() {
    let lived = Lived::a_little().await;
    let (_, whole) = lived.export("decisions.jsonl").await;
    // It ended within a line.
    let (half, _) = whole.split_at(whole.len() / 2);
    assert!(half.contains("\"generations\"") && !half.ends_with('\n'));
    lived.write("again.jsonl.unfinished", half);
    let path = lived.path("again.jsonl");
    let export = ["decision", "export", "--out", &path];
    let said = lived.person.run(&export).await.expect(0);
    said.says(&["going on after"]);
    let again = fs::read_to_string(&path).expect("it was written");
    assert!(again == whole, "{again}");
    assert!(!lived.folder.join("again.jsonl.unfinished").exists());

    let broken = lived.write("broken.jsonl", "{\"id\": 7}\n");
    let said = lived
        .person
        .run(&["policy", "replay", &broken])
        .await
        .expect(2);
    said.says(&["line 1 of", "is no decision of an export"]);
    let nothing = lived.path("nothing.jsonl");
    let said = lived
        .person
        .run(&["policy", "replay", &nothing])
        .await
        .expect(2);
    said.says(&["cannot read"]);
}

//! What loosens the policies, judged and accepted at the command line.

use std::fs;

use countersign_engine::BASELINE;
use countersign_tests::{CommandLine, until};
use serde_json::Value;

use super::signed_in;
use crate::promotion::{LOOSER, PATIENCE};
use crate::reload::shelf::{Freeze, Shelf};
use crate::stage::ADMIN_TOKEN;

async fn reviewed() -> (Shelf, CommandLine) {
    let shelf = Shelf::reviewed().await;
    let person = shelf.host.command_line();
    person.run(&["login"]).await.expect(0);
    (shelf, person)
}

fn id(answer: &Value) -> String {
    answer["approval_id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn one_line_in_the_folder_is_seen_read_accepted_and_live() {
    let (shelf, person) = reviewed().await;
    let first = shelf.generation().await;
    assert_eq!(shelf.mints().await, 202);
    shelf.sets(LOOSER);
    let id = id(&shelf.waits().await);

    let said = person.run(&["policy", "list"]).await.expect(0);
    let said = said.says(&[
        "In the policy folder, and not live",
        "it waits for an operator",
        "baseline@",
        &format!("countersign approval show {id}"),
        &format!("countersign approval approve {id}"),
    ]);
    assert!(
        !said.err.contains("waits for an operator"),
        "told twice: {said}"
    );
    let said = person.run(&["approval", "show", &id]).await.expect(0);
    let said = said.says(&[
        "loosen",
        "gated_verbs = secret_delete, org_token_revoke",
        "More can happen:",
        "1. gate → allow",
        "now gate by agents-need-a-person of baseline, for an agent caller: 1 person",
        "then allow by",
        "who org_token_mint: ",
        "asked admin-token: org_token_mint",
        "given.verb = \"org_token_mint\"",
        "evidence and no proof",
    ]);
    assert!(
        !said.out.contains("{\"looked\""),
        "nobody reads JSON: {said}"
    );

    let agent = person.agent(ADMIN_TOKEN);
    let agents = ["approval", "approve", &id, "--yes"];
    agent
        .run(&agents)
        .await
        .expect(1)
        .says(&["no such approval"]);
    let said = person.run(&["approval", "approve", &id, "--yes"]).await;
    said.expect(0)
        .says(&["1. gate → allow", "The host makes it live by itself"]);
    shelf.is_live(first + 1).await;
    assert_eq!(shelf.mints().await, 200);
    let said = person.run(&["policy", "list"]).await.expect(0);
    said.says(&[&format!("Generation {} decides", first + 1)])
        .hides(&["In the policy folder"]);

    shelf.sets("grant_ttl_seconds = 3600");
    let id = self::id(&shelf.waits().await);
    let no = ["approval", "deny", &id, "--reason", "too long"];
    person.run(&no).await.expect(0);
    until("the denial is told", PATIENCE, async || {
        let said = person.run(&["policy", "list"]).await.expect(0);
        said.out.contains("an operator denied it").then_some(())
    })
    .await;
    let said = person.run(&["policy", "list"]).await.expect(0);
    said.says(&[&format!("countersign approval show {id}")])
        .hides(&[&format!("countersign approval approve {id}")]);
}

#[tokio::test]
async fn a_module_that_decides_goes_into_shadow_once_its_list_is_accepted() {
    let (host, person) = signed_in().await;
    let file = person.folder().join("freeze.wasm");
    fs::write(&file, Freeze::FIRST.component()).expect("written");
    let file = file.display().to_string();
    let push = ["policy", "push", &file, "--mode", "enforce"];
    person
        .run(&push)
        .await
        .expect(0)
        .says(&["Generation 2 is live"]);
    let agent = host.agent(ADMIN_TOKEN);
    agent
        .get("/org/tokens")
        .await
        .refused(403, "denied_by_policy");

    let mode = ["policy", "mode", "freeze", "shadow"];
    let waits = person
        .run(&[&mode[..], &["--json"]].concat())
        .await
        .expect(3);
    let answer = waits.json();
    let id = id(&answer);
    assert_eq!(answer["accepted_by"], "you");
    let said = person.run(&mode).await.expect(3);
    let said = said.says(&[
        "this waits for an operator, and nothing was done yet",
        "1. deny → ",
        "by freeze of freeze",
        "evidence and no proof",
        &format!("countersign approval approve {id} (yourself: you are the only operator)"),
        "then the same command again",
    ]);
    assert!(said.out.is_empty(), "the result is nothing yet: {said}");
    agent
        .get("/org/tokens")
        .await
        .refused(403, "denied_by_policy");

    person
        .run(&["approval", "approve", &id, "--yes"])
        .await
        .expect(0);
    agent
        .get("/org/tokens")
        .await
        .refused(403, "denied_by_policy");
    person
        .run(&mode)
        .await
        .expect(0)
        .says(&["Generation 3 is live"]);
    agent.get("/org/tokens").await.expect(200);
    // Going back waits for nobody.
    let back = person.run(&["policy", "rollback", "2"]).await;
    back.expect(0).says(&["Generation 4 is live"]);
}

#[tokio::test]
async fn what_takes_long_to_compare_is_said_to_and_ends_in_the_list() {
    let (_host, person) = signed_in().await;
    let file = |name: &str| person.folder().join(name).display().to_string();
    fs::write(file("baseline.wasm"), BASELINE).expect("written");
    fs::write(file("looser.toml"), LOOSER).expect("written");
    let (component, settings) = (file("baseline.wasm"), file("looser.toml"));
    let push = [
        "policy",
        "push",
        &component,
        "--mode",
        "enforce",
        "--settings",
        &settings,
    ];
    person.run(&push).await.expect(3).says(&[
        "is being compared with what decides",
        "nothing is changed yet",
        "this waits for an operator, and nothing was done yet",
        "gate → allow",
    ]);
}

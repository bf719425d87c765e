//! `policy list|history|push|mode|pin|unpin|rollback`: the policies of a host, by command line.

use std::fs;
use std::time::Duration;

use super::signed_in;
use crate::reload::shelf::Freeze;
use crate::stage::ADMIN_TOKEN;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_version_is_brought_tried_in_shadow_made_to_decide_and_taken_back() {
    let (host, person) = signed_in().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    fs::write(file("freeze.wasm"), Freeze::FIRST.component()).expect("written");
    fs::write(file("broken.wasm"), b"no component").expect("written");

    let said = person.run(&["policy", "push", &file("freeze.wasm")]).await;
    said.expect(0).says(&[
        "freeze@1.0.0 is kept",
        "decides nothing yet",
        "countersign policy mode freeze shadow --version 1.0.0",
    ]);
    let said = person.run(&["policy", "list"]).await.expect(0);
    let said = said.says(&["Generation 1 decides", "baseline", "enforce, classifier"]);
    assert!(!said.out.contains("freeze"), "{said}");

    let mode = ["policy", "mode", "freeze", "shadow", "--version", "1.0.0"];
    person
        .run(&mode)
        .await
        .expect(0)
        .says(&["Generation 2 is live"]);
    let agent = host.agent(ADMIN_TOKEN);
    agent.get("/org/tokens").await.expect(200);
    let said = person.run(&["policy", "list"]).await.expect(0);
    said.says(&["freeze", "shadow", "In shadow", "asked", "missed"]);

    countersign_tests::until("it was asked", PATIENCE, async || {
        let said = person.run(&["policy", "differences"]).await.expect(0);
        ["tighter", "deny", "freeze@1.0.0"]
            .iter()
            .all(|text| said.out.contains(text))
            .then_some(())
    })
    .await;
    let said = person.run(&["policy", "differences", "1"]).await;
    said.expect(0)
        .says(&["generation 1", "no decision is known"]);
    person
        .run(&["policy", "differences", "99"])
        .await
        .expect(1)
        .says(&["generation 99"]);

    let said = person.run(&["policy", "mode", "freeze", "enforce"]).await;
    said.expect(0).says(&["Generation 3 is live"]);
    agent
        .get("/org/tokens")
        .await
        .refused(403, "denied_by_policy");
    let said = person.run(&["policy", "pin", "freeze"]).await;
    said.expect(0).says(&["Generation 4 is live"]);
    let said = person.run(&["policy", "list"]).await.expect(0);
    said.says(&[
        "enforce, pinned",
        "freeze is pinned by session:",
        "since generation 4",
    ]);
    let said = person.run(&["policy", "mode", "freeze", "shadow"]).await;
    said.expect(1).says(&["countersign policy unpin freeze"]);
    let said = person.run(&["policy", "unpin", "freeze"]).await;
    said.expect(0)
        .says(&["Generation 5 is live", "decides as before"]);
    let said = person.run(&["policy", "rollback", "1"]).await;
    said.expect(0).says(&["Generation 6 is live"]);
    agent.get("/org/tokens").await.expect(200);
    let said = person.run(&["policy", "history"]).await.expect(0);
    said.says(&[
        "back to generation 1: freeze@1.0.0",
        "added in shadow",
        "freeze@1.0.0",
        "no longer pinned",
        "at start: baseline@",
    ]);
    let said = person
        .run(&["policy", "history", "--limit", "1", "--json"])
        .await;
    let listed = said.expect(0).json();
    assert_eq!(listed["generations"][0]["number"], 6);
    assert_eq!(listed["generations"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_push_can_give_a_mode_and_settings_at_once() {
    let (_host, person) = signed_in().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let baseline = include_bytes!("../../../policies/baseline/baseline.wasm");
    fs::write(file("baseline.wasm"), baseline).expect("written");
    fs::write(file("tried.toml"), "gated_verbs = [\"org_token_list\"]").expect("written");
    fs::write(file("wrong.toml"), "gated = [\"org_token_list\"]").expect("written");
    let push = |settings: &str| {
        let words = [
            "policy",
            "push",
            &file("baseline.wasm"),
            "--mode",
            "shadow",
            "--settings",
        ];
        words
            .map(str::to_owned)
            .into_iter()
            .chain([file(settings)])
            .collect::<Vec<_>>()
    };
    let run = async |words: Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        person.run(&words).await
    };
    run(push("wrong.toml"))
        .await
        .expect(1)
        .says(&["gated", "is not known"]);
    run(push("tried.toml"))
        .await
        .expect(0)
        .says(&["Generation 2 is live"]);
    let said = person
        .run(&["policy", "list", "--json"])
        .await
        .expect(0)
        .json();
    let shadow = &said["modules"][1];
    assert_eq!(shadow["mode"], "shadow");
    assert_eq!(shadow["settings"]["gated_verbs"][0], "org_token_list");
}

#[tokio::test]
async fn what_is_not_done_says_why_and_what_to_do() {
    let (_host, person) = signed_in().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    fs::write(file("freeze.wasm"), Freeze::FIRST.component()).expect("written");
    fs::write(file("broken.wasm"), b"no component").expect("written");
    let said = person.run(&["policy", "push", &file("broken.wasm")]).await;
    said.expect(1).says(&["broken.wasm", "is no policy"]);
    let said = person.run(&["policy", "push", &file("nothing.wasm")]).await;
    said.expect(1).says(&["cannot read", "nothing.wasm"]);
    let said = person.run(&["policy", "mode", "freeze", "enforce"]).await;
    said.expect(1)
        .says(&["no policy `freeze` is live", "/policies/freeze/versions"]);
    let said = person.run(&["policy", "mode", "baseline", "shadow"]).await;
    said.expect(1).says(&["baseline", "nothing has changed"]);
    person
        .run(&["policy", "rollback", "4711"])
        .await
        .expect(1)
        .says(&["generation 4711"]);
    let agent = person.agent(ADMIN_TOKEN);
    let said = agent.run(&["policy", "push", &file("freeze.wasm")]).await;
    said.expect(4).says(&["only a person"]);
    for line in [
        &["policy", "mode", "freeze", "off"][..],
        &["policy", "mode", "../freeze", "shadow"],
        &["policy", "mode", "freeze"],
        &["policy", "pin"],
        &["policy", "unpin", "../freeze"],
        &["policy", "rollback", "one"],
        &["policy", "history", "--limit", "0"],
        &["policy", "push", "x.wasm", "--settings", "x.toml"],
    ] {
        person.run(line).await.expect(2);
    }
}

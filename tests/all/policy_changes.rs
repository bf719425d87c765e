//! Policies changed over HTTP: a version is pushed and decides nothing, a person makes a set live, and goes
//! back, also when the file that it came from is gone.

use countersign_tests::{Caller, Host, Reply};
use reqwest::Method;
use serde_json::{Value, json};

use crate::reload::shelf::{Freeze, Shelf};
use crate::stage::{ADMIN_TOKEN, changed};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

async fn push(caller: &Caller, name: &str, bytes: Vec<u8>) -> Reply {
    let path = format!("/policies/{name}");
    let kind = Some("application/wasm");
    caller.send(Method::PUT, &path, kind, bytes).await
}

async fn activate(caller: &Caller, modules: Value) -> Reply {
    let body = json!({ "modules": modules });
    changed(caller, Method::POST, "/policies/generations", &body).await
}

async fn roll_back(caller: &Caller, generation: u64) -> Reply {
    let body = json!({ "generation": generation });
    caller.post("/policies/rollback", body).await
}

/// The baseline as it is live, to be part of a set.
async fn baseline(shelf: &Shelf) -> Value {
    let module = shelf.module("baseline").await;
    json!({ "name": "baseline", "digest": module["digest"] })
}

#[tokio::test]
async fn a_pushed_version_decides_nothing_until_a_person_makes_a_set_with_it_live() {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    let first = shelf.generation().await;
    let pushed = push(&operator, "freeze", Freeze::FIRST.component()).await;
    let pushed = pushed.expect(201).json;
    assert_eq!(
        (&pushed["name"], &pushed["version"]),
        (&json!("freeze"), &json!("1.0.0"))
    );
    assert_eq!(
        (shelf.rule().await.as_str(), shelf.generation().await),
        ("open-to-agents", first)
    );
    let versions = operator
        .get("/policies/freeze/versions")
        .await
        .expect(200)
        .json;
    assert_eq!(versions["versions"][0]["digest"], pushed["digest"]);
    assert!(
        versions["versions"][0].get("generations").is_none(),
        "{versions}"
    );

    let set = json!([baseline(&shelf).await, { "name": "freeze", "version": "1.0.0" }]);
    let live = activate(&operator, set.clone()).await.expect(200).json;
    assert_eq!(live, json!({ "generation": first + 1, "live": true }));
    assert_eq!(shelf.rule().await, "freeze");
    activate(&operator, set).await.refused(409, "no_change");

    let back = roll_back(&operator, first).await.expect(200).json;
    assert_eq!(back, json!({ "generation": first + 2, "live": true }));
    assert_eq!(shelf.rule().await, "open-to-agents");
    let recorded = operator.get("/policies/generations").await.expect(200).json;
    let summary = recorded["generations"][0]["summary"]
        .as_str()
        .expect("a summary");
    assert!(
        summary.starts_with(&format!("back to generation {first}: freeze@1.0.0")),
        "{summary}"
    );
    let by = recorded["generations"][0]["by"].as_str().expect("who");
    assert!(by.starts_with("session:"), "{by}");
}

#[tokio::test]
async fn going_back_works_when_the_file_is_gone_and_holds_when_the_host_starts_again() {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    shelf.decides("freeze", PATIENCE).await;
    let frozen = shelf.generation().await;
    shelf.remove("freeze.wasm");
    shelf.decides("open-to-agents", PATIENCE).await;

    roll_back(&operator, frozen).await.expect(200);
    assert_eq!(shelf.rule().await, "freeze");
    let shelf = shelf.restart(|_| ()).await;
    assert_eq!(shelf.rule().await, "freeze");

    // What comes last stands: the folder is as trusted as before.
    shelf.write("freeze.wasm", Freeze::SECOND.component());
    shelf.decides("deep-freeze", PATIENCE).await;
}

#[tokio::test]
async fn settings_are_given_with_the_set_and_kept_where_they_are_not() {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    let mut module = baseline(&shelf).await;
    module["settings"] = json!({ "gated_verbs": ["org_token_list"] });
    activate(&operator, json!([module])).await.expect(200);
    assert_eq!(shelf.rule().await, "agents-need-a-person");

    push(&operator, "freeze", Freeze::FIRST.component())
        .await
        .expect(201);
    let set = json!([baseline(&shelf).await, { "name": "freeze", "version": "1.0.0" }]);
    activate(&operator, set).await.expect(200);
    let settings = shelf.module("baseline").await["settings"].clone();
    assert_eq!(settings["gated_verbs"], json!(["org_token_list"]));
}

#[tokio::test]
async fn only_people_change_policies_and_nothing_is_made_of_what_others_send() {
    let host = Host::start(ADMIN_TOKEN).await;
    let agent = host.agent(ADMIN_TOKEN);
    let denied = push(&agent, "freeze", Freeze::FIRST.component()).await;
    assert_eq!(
        denied.refused(403, "denied_by_policy").json["rule"],
        "people-only"
    );
    // Nothing of it is looked at: it would be refused as no component, and as no generation.
    push(&agent, "freeze", b"nothing".to_vec())
        .await
        .refused(403, "denied_by_policy");
    activate(&agent, json!([]))
        .await
        .refused(403, "denied_by_policy");
    roll_back(&agent, 4711)
        .await
        .refused(403, "denied_by_policy");
    // Nor is as much of it read.
    let much = vec![0; 400 * 1024];
    push(&agent, "freeze", much.clone())
        .await
        .refused(413, "body_too_long");
    let operator = host.operator().await;
    push(&operator, "freeze", much)
        .await
        .refused(400, "policy_refused");
    let versions = operator.get("/policies/freeze/versions").await;
    versions.refused(404, "not_found");
}

#[tokio::test]
async fn what_cannot_be_live_is_refused_with_a_sentence_and_changes_nothing() {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    let generation = shelf.generation().await;
    push(&operator, "freeze", Vec::new()).await.blames("body");
    push(&operator, "thaw", Freeze::FIRST.component())
        .await
        .blames("name");
    push(&operator, "freeze", Freeze::FIRST.component())
        .await
        .expect(201);
    roll_back(&operator, 4711).await.refused(404, "not_found");
    roll_back(&operator, generation)
        .await
        .refused(409, "no_change");

    let freeze = json!({ "name": "freeze", "version": "1.0.0" });
    let without_classifier = activate(&operator, json!([freeze])).await;
    let without_classifier = without_classifier.refused(400, "policy_refused");
    assert!(
        without_classifier.text("error").contains("baseline"),
        "{without_classifier}"
    );
    let unknown = json!([{ "name": "freeze", "version": "9.9.9" }]);
    activate(&operator, unknown).await.refused(404, "not_found");
    let neither = json!([{ "name": "freeze" }]);
    activate(&operator, neither).await.blames("modules");
    let mut module = baseline(&shelf).await;
    module["settings"] = json!({ "gated_verbs": { "a": 1 } });
    activate(&operator, json!([module]))
        .await
        .blames("gated_verbs");
    let mut module = baseline(&shelf).await;
    module["settings"] = json!({ "gated_verb": ["org_token_list"] });
    activate(&operator, json!([module]))
        .await
        .refused(400, "policy_refused");
    assert_eq!(shelf.generation().await, generation);
}

// Guard: the first `proved` in host/server/src/routes/call.rs. Without it the host waits for the body.
#[tokio::test]
async fn what_is_long_is_not_read_from_who_has_an_operators_cookie_alone() {
    let host = Host::start(ADMIN_TOKEN).await;
    let session = host.operator_session().await;
    let head = format!(
        "PUT /policies/freeze HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Length: 31000000\r\n\r\n",
        host.authority(),
        session.cookie
    );
    let begun = std::time::Instant::now();
    let answer = host.raw(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("proof_missing"), "{answer}");
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
}

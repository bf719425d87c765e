//! A policy that somebody pinned stays as it is, until somebody lets go of it.

use std::time::Duration;

use countersign_tests::{Caller, Reply, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::reload::shelf::{Freeze, Shelf};
use crate::stage::changed;

const PATIENCE: Duration = Duration::from_secs(30);

const PIN: &str = "/policies/freeze/pin";

/// A host whose folder has the first version of `freeze`, which is pinned by generation 3, and its operator.
async fn pinned() -> (Shelf, Caller) {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    shelf.decides("freeze", PATIENCE).await;
    let live = operator.put(PIN, json!({})).await.expect(200);
    assert_eq!(live.json, json!({ "generation": 3, "live": true }));
    (shelf, operator)
}

async fn unpin(operator: &Caller) -> Reply {
    operator.delete(PIN).await
}

async fn push(operator: &Caller, freeze: Freeze) {
    let (path, kind) = ("/policies/freeze", Some("application/wasm"));
    let pushed = operator.send(Method::PUT, path, kind, freeze.component());
    pushed.await.expect(201);
}

async fn baseline(shelf: &Shelf) -> Value {
    let module = shelf.module("baseline").await;
    json!({ "name": "baseline", "digest": module["digest"] })
}

#[tokio::test]
async fn what_is_pinned_stays_whatever_the_folder_holds_or_loses_and_says_who_pinned_it() {
    let (shelf, operator) = pinned().await;
    let pin = shelf.module("freeze").await["pinned"].clone();
    let by = pin["by"].as_str().expect("somebody").to_owned();
    assert!(by.starts_with("session:"), "{pin}");
    assert_eq!(pin["since"], 3);
    assert_eq!(shelf.problems().await, [] as [Value; 0]);
    // On pages it is a person, to people by name, as wherever somebody is named.
    for path in ["/console/policies", "/console/policies/generations/3"] {
        let page = operator.get(path).await.expect(200).page();
        let named = "(by login link)</span>, since generation 3";
        assert!(page.contains(named), "{page}");
        let page = shelf.agent().get(path).await.expect(200).page();
        let person = by.trim_start_matches("session:");
        let named = format!("by a person <code><bdi>{person}</bdi></code>, since generation 3");
        assert!(page.contains(&named), "{page}");
    }
    let recorded = operator.get("/policies/generations").await.expect(200);
    let newest = &recorded.json["generations"][0];
    assert_eq!(
        (&newest["by"], &newest["modules"][1]["pinned"]),
        (&json!(by), &pin)
    );
    assert!(
        newest["summary"]
            .as_str()
            .is_some_and(|text| text.ends_with(" pinned")),
        "{newest}"
    );

    shelf.write("freeze.wasm", Freeze::SECOND.component());
    let sentence = shelf.blames("freeze.wasm").await;
    for word in [
        "freeze@2.0.0",
        "pinned at freeze@1.0.0",
        &by,
        "since generation 3",
        "countersign policy unpin freeze",
    ] {
        assert!(sentence.contains(word), "{sentence}");
    }
    assert_eq!(shelf.rule().await, "freeze");
    shelf.remove("freeze.wasm");
    until("the host says so", PATIENCE, async || {
        let sentence = shelf.blames("freeze.wasm").await;
        sentence.contains("its file is gone").then_some(())
    })
    .await;
    assert_eq!(shelf.rule().await, "freeze");
    let shelf = shelf.restart(|_| ()).await;
    assert_eq!(shelf.rule().await, "freeze");

    let operator = shelf.host.operator().await;
    unpin(&operator).await.expect(200);
    assert_eq!(
        shelf.rule().await,
        "freeze",
        "it is let go of, and not taken away"
    );
    shelf.write("freeze.wasm", Freeze::SECOND.component());
    shelf.decides("deep-freeze", PATIENCE).await;
    assert!(shelf.module("freeze").await.get("pinned").is_none());
}

#[tokio::test]
async fn a_set_or_a_mode_moves_nothing_that_is_pinned_unless_it_says_so() {
    let (shelf, operator) = pinned().await;
    push(&operator, Freeze::SECOND).await;
    let activate = async |modules: Value| {
        let body = json!({ "modules": modules });
        operator.post("/policies/generations", body).await
    };
    let baseline = baseline(&shelf).await;
    // Not named, it stays; so this changes nothing.
    activate(json!([baseline])).await.refused(409, "no_change");
    let second = json!({ "name": "freeze", "version": "2.0.0" });
    let refused = activate(json!([baseline, second])).await;
    let refused = refused.refused(409, "policy_pinned");
    assert!(
        refused
            .text("error")
            .contains("countersign policy unpin freeze"),
        "{refused}"
    );
    let mode = "/policies/freeze/mode";
    for body in [
        json!({ "mode": "shadow" }),
        json!({ "mode": "enforce", "version": "2.0.0" }),
    ] {
        operator.put(mode, body).await.refused(409, "policy_pinned");
    }
    assert_eq!(shelf.rule().await, "freeze");
    // Another version may be tried beside it.
    let shadow = json!({ "mode": "shadow", "version": "2.0.0" });
    operator.put(mode, shadow).await.expect(200);
    assert_eq!(shelf.rule().await, "freeze");

    let freed = json!({ "name": "freeze", "version": "2.0.0", "pinned": false });
    activate(json!([baseline, freed])).await.expect(200);
    assert_eq!(shelf.rule().await, "deep-freeze");
    unpin(&operator).await.refused(409, "no_change");
}

#[tokio::test]
async fn a_version_is_pinned_by_name_and_going_back_brings_back_what_was_pinned_then() {
    let (shelf, operator) = pinned().await;
    push(&operator, Freeze::SECOND).await;
    operator.put(PIN, json!({})).await.refused(409, "no_change");
    let second = json!({ "version": "2.0.0" });
    operator.put(PIN, second).await.expect(200);
    assert_eq!(shelf.rule().await, "deep-freeze");
    assert_eq!(shelf.module("freeze").await["pinned"]["since"], 4);
    let back = async |generation: u64| {
        let body = json!({ "generation": generation });
        operator.post("/policies/rollback", body).await.expect(200);
    };
    back(3).await;
    assert_eq!(shelf.rule().await, "freeze");
    assert_eq!(shelf.module("freeze").await["pinned"]["since"], 3);
    back(2).await;
    assert!(shelf.module("freeze").await.get("pinned").is_none());
    back(1).await;
    assert_eq!(shelf.rule().await, "open-to-agents");
}

#[tokio::test]
async fn a_pin_is_an_operators_and_names_what_there_is() {
    let (shelf, operator) = pinned().await;
    let agent = shelf.agent();
    for reply in [agent.put(PIN, json!({})).await, agent.delete(PIN).await] {
        assert_eq!(
            reply.refused(403, "denied_by_policy").json["rule"],
            "people-only"
        );
    }
    let unknown = json!({ "version": "9.9.9" });
    operator.put(PIN, unknown).await.refused(404, "not_found");
    for reply in [
        operator.put("/policies/thaw/pin", json!({})).await,
        operator.delete("/policies/thaw/pin").await,
    ] {
        reply.refused(404, "not_found");
    }
    unpin(&operator).await.expect(200);
    let shadow = json!({ "mode": "shadow" });
    changed(&operator, Method::PUT, "/policies/freeze/mode", &shadow)
        .await
        .expect(200);
    operator
        .put(PIN, json!({}))
        .await
        .refused(409, "ambiguous_version");
}

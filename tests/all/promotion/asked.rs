//! Operators who ask for other policies themselves.

use countersign_engine::BASELINE;
use countersign_tests::{Caller, Host, Reply, until};
use reqwest::Method;
use serde_json::{Value, json};

use super::{PATIENCE, loosens};
use crate::reload::shelf::Freeze;
use crate::stage::{Stage, approval, approve, decide, pending};

async fn push(operator: &Caller) {
    let kind = Some("application/wasm");
    let bytes = Freeze::FIRST.component();
    let put = operator.send(Method::PUT, "/policies/freeze", kind, bytes);
    put.await.expect(201);
}

async fn mode(operator: &Caller, mode: &str) -> Reply {
    let body = json!({ "mode": mode, "version": "1.0.0" });
    operator.put("/policies/freeze/mode", body).await
}

/// The baseline in place of the built-in one, so that agents mint alone.
async fn looser(operator: &Caller) -> Value {
    let (kind, bytes) = (Some("application/wasm"), BASELINE.to_vec());
    let put = operator.send(Method::PUT, "/policies/baseline", kind, bytes);
    let kept = put.await.expect(201).json;
    json!({
        "mode": "enforce",
        "digest": kept["digest"],
        "settings": { "gated_verbs": ["secret_write", "secret_delete"] },
    })
}

async fn generation(operator: &Caller) -> Value {
    operator.get("/policies").await.expect(200).json["generation"].clone()
}

async fn staged(operators: &str) -> Stage {
    Stage::set_for(
        Host::builder()
            .reviewed()
            .env("COUNTERSIGN_OPERATORS", operators),
    )
    .await
}

#[tokio::test]
async fn another_operator_accepts_what_loosens_and_whoever_asked_does_it_once() {
    let stage = staged("control-plane:ann,control-plane:bob").await;
    let (ann, bob, eve) = (
        stage.person("ann").await,
        stage.person("bob").await,
        stage.person("eve").await,
    );
    push(&ann).await;
    let live = mode(&ann, "enforce").await.expect(200).json;
    assert_eq!(live["live"], true, "it only tightens: {live}");

    let waits = mode(&ann, "shadow").await.expect(202);
    let id = waits.text("approval_id").to_owned();
    assert_eq!(waits.text("action"), "policy_activate");
    assert_eq!(waits.text("accepted_by"), "another_operator");
    assert!(!loosens(&ann, &id).await.is_empty());
    let reason = waits.text("reason");
    assert!(
        reason.contains("freeze@1.0.0") && reason.contains("loosen"),
        "{reason}"
    );

    let own = decide(&ann, &id, "approved").await;
    own.refused(403, "requester_cannot_approve");
    let eves = decide(&eve, &id, "approved").await;
    let eves = eves.refused(403, "approver_must_be_operator");
    assert!(
        eves.text("error").contains("COUNTERSIGN_OPERATORS"),
        "{eves}"
    );
    mode(&ann, "shadow").await.expect(202);
    // Nor does what Ann may do become Bob's to do.
    approve(&bob, &id).await;
    let bobs = mode(&bob, "shadow").await.expect(202);
    assert_ne!(bobs.text("approval_id"), id);

    let done = mode(&ann, "shadow").await.expect(200).json;
    assert_eq!(done["live"], true, "{done}");
    assert_eq!(approval(&ann, &id).await["status"], "used");
    // Bob's request was held against what is not live any more.
    let moot = approval(&bob, bobs.text("approval_id")).await;
    assert_eq!(moot["status"], "withdrawn");
    let recorded = ann.get("/policies/generations").await.expect(200).json;
    let newest = &recorded["generations"][0];
    assert_eq!(newest["approval"], json!(id));
}

#[tokio::test]
async fn the_only_operator_accepts_what_they_asked_for_and_going_back_waits_for_nobody() {
    let stage = staged("control-plane:ann").await;
    let ann = stage.person("ann").await;
    push(&ann).await;
    mode(&ann, "enforce").await.expect(200);
    let waits = mode(&ann, "shadow").await.expect(202);
    assert_eq!(waits.text("accepted_by"), "you");
    approve(&ann, waits.text("approval_id")).await;
    mode(&ann, "shadow").await.expect(200);

    // Generation 1 had no freeze, and was live: nobody is asked again whether it may be.
    mode(&ann, "enforce").await.expect(200);
    let back = ann
        .post("/policies/rollback", json!({ "generation": 1 }))
        .await;
    assert_eq!(back.expect(200).json["live"], true);
}

#[tokio::test]
async fn whoever_does_not_wait_is_told_that_nothing_is_changed_and_finds_it_compared_later() {
    let stage = staged("control-plane:ann").await;
    let ann = stage.person("ann").await;
    let looser = looser(&ann).await;
    let path = |wait: &str| format!("/policies/baseline/mode{wait}");
    for wrong in ["?wait=56", "?wait=soon"] {
        let reply = ann.put(&path(wrong), looser.clone()).await;
        reply.refused(400, "bad_request");
    }
    let early = ann.put(&path("?wait=0"), looser.clone()).await;
    let early = early.refused(503, "comparing");
    assert_eq!(early.header("retry-after"), Some("1"), "{early}");
    assert_eq!(generation(&ann).await, 1);
    assert!(pending(&ann).await.is_empty(), "nobody is asked yet");

    let waits = until("it is compared", PATIENCE, async || {
        let reply = ann.put(&path("?wait=0"), looser.clone()).await;
        (reply.status != 503).then_some(reply)
    });
    let waits = waits.await.expect(202);
    assert!(!loosens(&ann, waits.text("approval_id")).await.is_empty());
    assert_eq!(generation(&ann).await, 1);
}

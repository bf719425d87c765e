//! M7: what has no verb, and a verb that has no rule.

use std::time::Duration;

use countersign_tests::guest::Guest;
use countersign_tests::{Host, until};
use serde_json::json;

use super::mint;
use crate::stage::{Stage, pending, secrets, tokens};

/// A policy that covers no verb at all.
fn covers_nothing() -> Vec<u8> {
    let guest = Guest {
        decide: "(global.get $abstain)",
        ..Guest::default()
    };
    guest.component()
}

// Guard: `Routes::finish` in host/server/src/routes.rs; a route can only be made with its verb.
#[tokio::test]
async fn m7_what_is_not_a_route_of_a_verb_does_nothing() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    for caller in [&agent, &person] {
        for path in [
            "/org/tokens/",
            "//org/tokens",
            "/ORG/TOKENS",
            "/org/tokens;x=1",
            "/org%2Ftokens",
            "/v1/org/tokens",
            "/admin/liveness/org/tokens",
            "/settings/secrets/K/values",
            "/approvals/x/approve",
            "/",
        ] {
            let reply = caller
                .post(path, json!({ "name": "n", "key": "K", "value": "v" }))
                .await;
            reply.refused(404, "not_found");
        }
        let overridden = caller
            .with("x-http-method-override", "POST")
            .get("/org/tokens")
            .await;
        assert!(overridden.expect(200).json["tokens"].is_array());
        for path in [
            "/org/tokens/mint",
            "/audit",
            "/policies",
            "/approvals/pending",
        ] {
            let reply = caller.post(path, json!({ "name": "n" })).await;
            reply.refused(405, "method_not_allowed");
        }
        caller
            .put("/org/tokens", json!({}))
            .await
            .refused(405, "method_not_allowed");
    }
    assert!(tokens(&person).await.is_empty());
    assert!(secrets(&person).await.is_empty());
    assert!(pending(&person).await.is_empty());
}

// Guard: `PolicySet::check` in host/engine/src/generation.rs, which asks for every verb at load.
#[tokio::test]
async fn m7_a_policy_that_covers_no_verb_does_not_go_live() {
    let stage = Stage::set_for(Host::builder().policy("baseline.wasm", covers_nothing())).await;
    still_gates(&stage).await;

    // Nor while the host runs, in place of what decided before.
    let stage = Stage::set().await;
    let file = stage.host.data_dir().join("policies/baseline.wasm");
    std::fs::write(file, covers_nothing()).expect("the folder is there");
    still_gates(&stage).await;
}

async fn still_gates(stage: &Stage) {
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let shown = until("the problem shows", Duration::from_secs(10), async || {
        let shown = person.get("/policies").await.expect(200).json;
        (shown["problems"] != json!([])).then_some(shown)
    })
    .await;
    let problem = shown["problems"].to_string();
    assert!(
        problem.contains("org_token_mint"),
        "a verb that is left: {problem}"
    );
    assert_eq!(shown["modules"][0]["name"], "baseline", "{shown}");
    assert_eq!(
        shown["modules"][0]["version"], "0.1.0",
        "the built-in one: {shown}"
    );
    mint(&agent, &json!({})).await.approval();
    assert!(tokens(&person).await.is_empty());
}

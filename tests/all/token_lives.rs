//! Organisation tokens from the mint to their end: drained, and revoked with all that they minted.

use countersign_tests::{Caller, FakeClock, Host, Reply};
use serde_json::{Value, json};

use crate::stage::{Stage, approval, approve, minted, pending, tokens, workspace, workspace_token};

/// The id of the token with this name, as a person sees it.
async fn id_of(person: &Caller, name: &str) -> String {
    let listed = tokens(person).await;
    let token = listed.iter().find(|token| token["name"] == name);
    let token = token.unwrap_or_else(|| panic!("no `{name}` in {listed:?}"));
    token["id"].as_str().expect("an id").to_owned()
}

/// A token that a caller mints, who may have to be allowed to: its plaintext.
async fn mint_as(stage: &Stage, minter: &Caller, name: &str) -> String {
    let body = json!({ "name": name });
    let id = minter.post("/org/tokens", body.clone()).await.approval();
    approve(&stage.person("ann").await, &id).await;
    let reply = minter.post("/org/tokens", body).await.expect(200);
    reply.text("auth_token").to_owned()
}

fn drains(reply: &Reply) -> bool {
    match reply.header("x-token-draining") {
        None => false,
        Some("true") => true,
        Some(other) => panic!("`{other}` in {reply}"),
    }
}

// Guards: `Draining::note` in host/server/src/routes/call.rs and `Draining::stamp` in routes.rs beside it.
#[tokio::test]
async fn a_draining_token_works_on_and_every_answer_to_it_says_so() {
    let clock = FakeClock::default();
    let stage = Stage::set_for(Host::builder().clock(&clock)).await;
    let person = stage.person("ann").await;
    let token = minted(&person, json!({ "name": "old" })).await;
    let agent = stage.host.agent(&token);
    assert!(!drains(&agent.get("/org/tokens").await.expect(200)));

    let id = id_of(&person, "old").await;
    let path = format!("/org/tokens/{id}");
    let reply = person.delete(&format!("{path}?drain_seconds=600")).await;
    let until = reply.expect(200);
    assert_eq!(until.json["revoked"], id);
    assert_eq!(until.json.as_object().map(|o| o.len()), Some(2), "{until}");
    let listed = &tokens(&person).await[0];
    assert_eq!(listed["draining_until"], until.json["draining_until"]);

    // At once, though this host had just found it not to drain; and whatever the answer is.
    let body = json!({ "name": "child" });
    let of_agent = [
        agent.get("/org/tokens").await.expect(200),
        agent.post("/org/tokens", body).await.expect(202),
        agent.get("/audit").await.expect(403),
        agent.get("/org/tokens/x/usage").await.expect(400),
        agent.get("/org/tokens?a=1&a=2").await.expect(400),
        agent.post_text("/org/tokens", "no JSON").await.expect(400),
        agent
            .post_text("/org/tokens", &"x".repeat(400_000))
            .await
            .expect(413),
        agent
            .with("approval-id", "x")
            .get("/org/tokens")
            .await
            .expect(400),
        agent
            .get("/approvals/11111111-1111-4111-8111-111111111111")
            .await
            .expect(404),
        agent.get("/console/keys").await,
    ];
    for reply in &of_agent {
        assert!(drains(reply), "{reply}");
    }
    // Whoever is known by something else is not told of it.
    for reply in [
        person.get("/org/tokens").await.expect(200),
        person.bearer(&token).get("/org/tokens").await.expect(200),
        stage.agent().get("/org/tokens").await.expect(200),
        stage.host.anonymous().get("/health").await.expect(200),
    ] {
        assert!(!drains(&reply), "{reply}");
    }
    // What it mints ends with it.
    let asked = approval(&person, of_agent[1].text("approval_id")).await;
    assert_eq!(
        asked["payload"]["arguments"]["expires_at"],
        until.json["draining_until"]
    );
    let later = json!({ "expires_at": "2100-01-01T00:00:00Z" });
    let wider = agent.post("/org/tokens", later).await;
    let wider = wider.refused(403, "denied_by_policy");
    assert_eq!(wider.json["rule"], "outlives-the-minter", "{wider}");

    // Never later than it was told first.
    let again = person.delete(&format!("{path}?drain_seconds=3600")).await;
    assert_eq!(
        again.expect(200).json["draining_until"],
        until.json["draining_until"]
    );
    clock.set(601);
    let over = agent.get("/org/tokens").await;
    assert!(!drains(&over), "{over}");
    over.refused(401, "unauthenticated");
    person.delete(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_drain_that_is_cut_short_ends_at_once() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let agent = stage
        .host
        .agent(&minted(&person, json!({ "name": "old" })).await);
    let path = format!("/org/tokens/{}", id_of(&person, "old").await);
    person
        .delete(&format!("{path}?drain_seconds=600"))
        .await
        .expect(200);
    assert!(drains(&agent.get("/org/tokens").await.expect(200)));
    let reply = person.delete(&path).await.expect(200);
    assert_eq!(reply.json.as_object().map(|o| o.len()), Some(1), "{reply}");
    let over = agent.get("/org/tokens").await;
    over.refused(401, "unauthenticated");
}

/// What a token is told of a mistake, before anything is asked of the ledger.
async fn mistaken(agent: &Caller) -> u16 {
    agent.get("/org/tokens/x/usage").await.status
}

/// The same of a workspace's token.
async fn mistaken_in(agent: &Caller, workspace: &str) -> u16 {
    let path = format!("/workspaces/{workspace}/tokens?limit=x");
    agent.get(&path).await.status
}

// Guard: `forget_tokens` in `Call::submit`, host/server/src/routes/call.rs. Without it, a token that this
// host has just seen is told of its mistakes for another second.
#[tokio::test]
async fn an_end_is_felt_at_once_however_a_token_ends() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let home = workspace(&person, "home", None).await;
    let other = workspace(&person, "other", None).await;
    let tokens_of = format!("/workspaces/{home}/tokens");

    let token = stage
        .host
        .agent(&minted(&person, json!({ "name": "alone" })).await);
    let path = format!("/org/tokens/{}", id_of(&person, "alone").await);
    assert_eq!(mistaken(&token).await, 400);
    person.delete(&path).await.expect(200);
    assert_eq!(mistaken(&token).await, 401, "revoked");

    let root = minted(&person, json!({ "name": "root" })).await;
    let child = mint_as(&stage, &stage.host.agent(&root), "child").await;
    let [root, child] = [root, child].map(|token| stage.host.agent(&token));
    assert_eq!((mistaken(&root).await, mistaken(&child).await), (400, 400));
    let path = format!(
        "/org/tokens/{}?descendants=true",
        id_of(&person, "root").await
    );
    person.delete(&path).await.expect(200);
    assert_eq!((mistaken(&root).await, mistaken(&child).await), (401, 401));

    let own = stage.host.agent(&workspace_token(&person, &home).await);
    assert_eq!(mistaken_in(&own, &home).await, 400);
    let rotated = own.post(&tokens_of, json!({})).await.expect(201);
    assert_eq!(mistaken_in(&own, &home).await, 401, "rotated");
    let own = stage.host.agent(rotated.text("auth_token"));
    assert_eq!(mistaken_in(&own, &home).await, 400);
    let path = format!("{tokens_of}/{}", rotated.text("id"));
    person.delete(&path).await.expect(200);
    assert_eq!(mistaken_in(&own, &home).await, 401, "revoked");

    let own = stage.host.agent(&workspace_token(&person, &home).await);
    assert_eq!(mistaken_in(&own, &home).await, 400);
    person
        .delete(&format!("/workspaces/{home}"))
        .await
        .expect(200);
    assert_eq!(mistaken_in(&own, &home).await, 401, "removed");

    let org = stage.host.agent(&minted(&person, json!({})).await);
    let own = stage.host.agent(&workspace_token(&person, &other).await);
    assert_eq!(mistaken(&org).await, 400);
    assert_eq!(mistaken_in(&own, &other).await, 400);
    person
        .post("/org/deprovision", json!({ "confirm": "acme" }))
        .await
        .expect(200);
    assert_eq!(mistaken(&org).await, 401, "deprovisioned");
    assert_eq!(mistaken_in(&own, &other).await, 401, "deprovisioned");
}

#[tokio::test]
async fn what_a_token_minted_falls_with_it_and_is_listed() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let home = workspace(&person, "home", None).await;
    let root = stage
        .host
        .agent(&minted(&person, json!({ "name": "root" })).await);
    let child = mint_as(&stage, &root, "child").await;
    let tokens_of = format!("/workspaces/{home}/tokens");
    let asked = root.post(&tokens_of, json!({})).await.approval();
    approve(&person, &asked).await;
    let of_home = root.post(&tokens_of, json!({})).await.expect(201);
    minted(&person, json!({ "name": "stranger" })).await;
    let waits = stage
        .host
        .agent(&child)
        .post("/org/tokens", json!({ "name": "waits" }))
        .await
        .approval();

    // It is the agent's own: no person is needed.
    let path = format!(
        "/org/tokens/{}?descendants=true",
        id_of(&person, "root").await
    );
    let child_id = id_of(&person, "child").await;
    let reply = root.delete(&path).await.expect(200);
    assert_eq!(
        reply.json["descendants"],
        json!([
            { "id": child_id, "prefix": child[..8], "kind": "organisation" },
            {
                "id": of_home.text("id"), "prefix": of_home.text("auth_token")[..8],
                "kind": "workspace", "workspace_id": home,
            },
        ])
    );
    assert_eq!(reply.json["approvals"], json!([waits]));
    let left: Vec<Value> = tokens(&person).await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0]["name"], "stranger");
    assert!(pending(&person).await.is_empty());
    assert_eq!(approval(&person, &waits).await["status"], "withdrawn");
    person.delete(&path).await.refused(404, "not_found");
}

// Guard: `of_revocation` in host/store/src/portable/facts.rs.
#[tokio::test]
async fn what_people_agreed_to_let_fall_is_what_falls() {
    let stage = Stage::set().await;
    let (person, agent) = (stage.person("ann").await, stage.agent());
    let root = stage
        .host
        .agent(&minted(&person, json!({ "name": "root" })).await);
    mint_as(&stage, &root, "child").await;
    let path = format!(
        "/org/tokens/{}?descendants=true",
        id_of(&person, "root").await
    );
    let asked = agent.delete(&path).await.approval();
    let row = approval(&person, &asked).await;
    assert!(
        row["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("and all that it minted")),
        "{row}"
    );
    approve(&person, &asked).await;
    mint_as(&stage, &root, "late").await;
    agent.delete(&path).await.refused(409, "approval_stale");
    assert_eq!(tokens(&person).await.len(), 3, "nothing fell");

    let asked = agent.delete(&path).await.approval();
    approve(&person, &asked).await;
    // What was approved is this, and neither less nor later.
    for other in [
        path.replace("?descendants=true", ""),
        format!("{path}&drain_seconds=1"),
    ] {
        let named = agent.with("approval-id", &asked).delete(&other).await;
        named.refused(403, "approval_mismatch");
    }
    let reply = agent.delete(&path).await.expect(200);
    assert_eq!(reply.json["descendants"].as_array().map(Vec::len), Some(2));
    assert!(tokens(&person).await.is_empty());
}

#[tokio::test]
async fn a_person_revokes_a_key_with_all_that_it_minted_in_the_console() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let root = stage
        .host
        .agent(&minted(&person, json!({ "name": "root" })).await);
    mint_as(&stage, &root, "child").await;
    minted(&person, json!({ "name": "alone" })).await;
    let path = |id: &str| format!("/console/keys/{id}/revoke");
    let alone = path(&id_of(&person, "alone").await);
    person.post_form(&alone, &[]).await.expect(303);
    assert_eq!(tokens(&person).await.len(), 2);
    let root = path(&id_of(&person, "root").await);
    let page = person.get(&root).await.expect(200).page();
    assert!(page.contains("name=\"descendants\""), "{page}");
    person
        .post_form(&root, &[("descendants", "true")])
        .await
        .expect(303);
    assert!(tokens(&person).await.is_empty());
}

#[tokio::test]
async fn a_token_is_listed_with_all_that_is_known_of_it() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let first = minted(&person, json!({ "name": "first", "role": "reader" })).await;
    minted(&person, json!({ "name": "second" })).await;
    let id = stage
        .agent()
        .post("/org/tokens", json!({}))
        .await
        .approval();
    approve(&person, &id).await;
    stage
        .agent()
        .post("/org/tokens", json!({}))
        .await
        .expect(200);
    let listed = tokens(&person).await;
    let names: Vec<_> = listed.iter().map(|token| token["name"].as_str()).collect();
    assert_eq!(names, [None, Some("second"), Some("first")], "newest first");
    let members = |token: &Value| {
        let token = token.as_object().expect("an object");
        token.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        members(&listed[0]),
        [
            "created_at",
            "created_by",
            "id",
            "org_id",
            "prefix",
            "role",
            "uses_24h"
        ],
        "what there is not is absent"
    );
    assert_eq!(listed[0]["created_by"], "admin-token");
    assert_eq!(listed[1]["created_by_user"], "ann");
    assert_eq!(listed[2]["role"], "reader");
    assert_eq!(listed[2]["prefix"], first[..8]);
    assert_eq!(listed[2]["org_id"], listed[0]["org_id"]);

    // Of those who can mint, everybody has the role that is the default.
    assert_eq!(listed[0]["role"], "admin");
    for past in ["2020-01-01T00:00:00Z", "2020-01-01", "tomorrow", ""] {
        let body = json!({ "expires_at": past });
        person.post("/org/tokens", body).await.blames("expires_at");
    }
}

//! A workspace's token as a credential: what it opens, what it does not, and how it is replaced.

use countersign_tests::{Caller, Reply};
use serde_json::{Value, json};

use crate::stage::{Stage, approval, approve, minted, pending, workspace, workspace_token};

/// A stage with a workspace, another one, and a bearer for the first.
struct Scene {
    stage: Stage,
    person: Caller,
    home: String,
    other: String,
    token: String,
}

impl Scene {
    async fn set() -> Self {
        let stage = Stage::set().await;
        let person = stage.person("ann").await;
        let home = workspace(&person, "home", None).await;
        let other = workspace(&person, "other", None).await;
        let token = workspace_token(&person, &home).await;
        Self {
            stage,
            person,
            home,
            other,
            token,
        }
    }

    fn bearer(&self, token: &str) -> Caller {
        self.stage.host.agent(token)
    }
}

async fn listed(caller: &Caller, workspace: &str) -> Vec<Value> {
    let path = format!("/workspaces/{workspace}/tokens");
    let reply = caller.get(&path).await.expect(200);
    let tokens = reply.json["tokens"].as_array().expect("tokens").clone();
    assert_eq!(reply.json["count"], tokens.len(), "{reply}");
    tokens
}

#[tokio::test]
async fn the_shapes_that_clients_rely_on() {
    let scene = Scene::set().await;
    let (person, home) = (&scene.person, &scene.home);
    let path = format!("/workspaces/{home}/tokens");
    let minted = person.post_text(&path, "").await.expect(201);
    let plain = minted.text("auth_token");
    assert!(plain.starts_with("csw_") && plain.len() == 53, "{minted}");
    assert_eq!(minted.json["workspace_id"], *home);
    assert!(minted.text("message").contains("not be shown again"));

    let tokens = listed(person, home).await;
    assert_eq!(tokens.len(), 2);
    assert_eq!(tokens[0]["prefix"], plain[..8]);
    assert_eq!(tokens[0]["last_used_at"], Value::Null);
    assert!(tokens[0]["created_at"].is_string());
    assert!(!tokens[0].to_string().contains(plain));
    scene
        .bearer(plain)
        .get(&format!("/workspaces/{home}"))
        .await
        .expect(200);
    assert!(listed(person, home).await[0]["last_used_at"].is_string());

    for (query, ids) in [
        ("limit=1", &tokens[..1]),
        ("limit=1&offset=1", &tokens[1..]),
        ("offset=2", &[][..]),
    ] {
        let page = person.get(&format!("{path}?{query}")).await.expect(200);
        let ids: Vec<_> = ids.iter().map(|token| &token["id"]).collect();
        let found = page.json["tokens"].as_array().expect("tokens");
        assert_eq!(
            found.iter().map(|t| &t["id"]).collect::<Vec<_>>(),
            ids,
            "{query}"
        );
    }
    for (field, query) in [
        ("limit", "limit=201"),
        ("limit", "limit=0"),
        ("offset", "offset=-1"),
        ("offset", "offset=x"),
    ] {
        person.get(&format!("{path}?{query}")).await.blames(field);
    }

    let one = format!("{path}/{}", tokens[0]["id"].as_str().expect("an id"));
    let other = one.replace(home, &scene.other);
    person.delete(&other).await.refused(404, "not_found");
    let revoked = person.delete(&one).await.expect(200);
    assert_eq!(revoked.json["status"], "revoked");
    let gone = person.delete(&one).await.refused(404, "not_found");
    assert_eq!(gone.text("error"), "token not found or already revoked");
    let refused = scene
        .bearer(plain)
        .get(&format!("/workspaces/{home}"))
        .await;
    refused.refused(401, "unauthenticated");
    person.delete(&format!("{path}/x")).await.blames("token");
}

// Guard: `confine` in host/core/src/gate/confine.rs.
#[tokio::test]
async fn a_workspace_token_opens_the_routes_of_its_own_workspace_and_no_other() {
    let scene = Scene::set().await;
    let (person, home, other) = (&scene.person, &scene.home, &scene.other);
    let own = scene.bearer(&scene.token);
    own.get(&format!("/workspaces/{home}")).await.expect(200);
    own.patch(&format!("/workspaces/{home}"), json!({ "name": "x" }))
        .await
        .expect(200);
    own.get(&format!("/workspaces/{home}/secrets"))
        .await
        .expect(200);
    own.get(&format!("/workspaces/{home}/secrets/values"))
        .await
        .expect(200);
    assert_eq!(listed(&own, home).await.len(), 1);

    let foreign = person.post("/org/tokens", json!({})).await.expect(200);
    let foreign_id = foreign.text("id");
    let secret = json!({ "key": "KEY", "value": "v" });
    for path in ["/settings/secrets", "/admin/secrets"] {
        person.post(path, secret.clone()).await.expect(200);
    }
    let there = format!("/workspaces/{other}");
    let in_there = |rest: &str| format!("{there}/{rest}");
    let theirs = workspace_token(person, other).await;
    let their_id = listed(person, other).await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let mut refused: Vec<Reply> = vec![
        own.post("/org/tokens", json!({})).await,
        own.post(
            "/org/tokens",
            json!({ "workspace_id": home, "role": "reader" }),
        )
        .await,
        own.delete(&format!("/org/tokens/{foreign_id}")).await,
        own.post("/workspaces", json!({ "name": "x" })).await,
        own.post("/workspaces", json!({ "name": "x", "parent_id": home }))
            .await,
        own.patch(&there, json!({ "name": "x" })).await,
        own.patch(&there, json!({ "parent_id": home })).await,
        own.delete(&there).await,
        own.delete(&in_there("tokens/x").replace('x', &their_id))
            .await,
        own.post(&in_there("tokens"), json!({})).await,
        own.post(&in_there("secrets"), secret.clone()).await,
        own.put(&in_there("secrets"), secret.clone()).await,
        own.delete(&in_there("secrets/KEY")).await,
    ];
    for path in ["/settings/secrets", "/admin/secrets"] {
        refused.push(own.post(path, secret.clone()).await);
        refused.push(own.put(path, secret.clone()).await);
        refused.push(own.delete(&format!("{path}/KEY")).await);
    }
    for path in [
        "/org/tokens",
        "/settings/secrets",
        "/admin/secrets",
        "/workspaces",
        "/policies",
        "/policies/generations",
        "/decisions",
        "/audit",
        "/audit/verify",
        &there,
        &in_there("tokens"),
        &in_there("secrets"),
        &in_there("secrets/values"),
    ] {
        refused.push(own.get(path).await);
    }
    for reply in refused {
        let reply = reply.refused(403, "denied_by_policy");
        assert_eq!(reply.json["policy"], "core", "{reply}");
        let rule = reply.text("rule");
        assert!(
            ["bound-to-a-workspace", "role-too-narrow"].contains(&rule),
            "{reply}"
        );
    }
    for page in ["/console/keys", "/console/policies", "/console/audit"] {
        own.get(page).await.expect(403);
    }
    // Nor does it decide, or see what others ask.
    let asked = scene
        .stage
        .agent()
        .post("/org/tokens", json!({}))
        .await
        .approval();
    own.get(&format!("/approvals/{asked}"))
        .await
        .refused(404, "not_found");
    assert!(pending(&own).await.is_empty());
    for path in [
        format!("/approvals/{asked}/decide"),
        format!("/workspaces/{home}/approvals/{asked}/decide"),
    ] {
        let decided = own.post(&path, json!({ "decision": "approved" })).await;
        decided.refused(403, "approver_must_be_human");
    }
    // Nothing of it happened.
    assert_eq!(listed(person, other).await.len(), 1);
    scene.bearer(&theirs).get(&there).await.expect(200);
    assert_eq!(person.get(&there).await.expect(200).json["name"], "other");
    assert_eq!(pending(person).await.len(), 1, "what the admin token asked");
}

#[tokio::test]
async fn what_a_workspace_token_asks_is_filed_under_its_workspace_and_it_can_wait_for_it() {
    let scene = Scene::set().await;
    let (person, home) = (&scene.person, &scene.home);
    let own = scene.bearer(&scene.token);
    let removal = format!("/workspaces/{home}");
    let asked = own.delete(&removal).await.expect(202);
    let poll = asked.text("poll").to_owned();
    let id = asked.approval();
    let waiting = own.get(&poll).await.expect(200);
    assert_eq!(waiting.json["workspace_id"], *home);
    assert_eq!(waiting.json["workspace_name"], "home");
    let requester = waiting.text("requester");
    assert_eq!(requester, format!("workspace-token:{}", &scene.token[..8]));
    approve(person, &id).await;
    own.delete(&removal).await.expect(200);
    own.get(&poll).await.refused(401, "unauthenticated");
    assert_eq!(approval(person, &id).await["status"], "used");
}

// Guards: the presented token's end in `of_workspace_token`, host/store/src/portable/deeds.rs, and for
// whoever is late, `credential_lives` in settle.rs beside it.
#[tokio::test]
async fn a_workspace_token_replaces_itself_at_once_and_without_a_person() {
    let scene = Scene::set().await;
    let (person, home) = (&scene.person, &scene.home);
    let path = format!("/workspaces/{home}/tokens");
    let own = scene.bearer(&scene.token);
    let rotated = own.post(&path, json!({})).await.expect(201);
    own.get(&format!("/workspaces/{home}"))
        .await
        .refused(401, "unauthenticated");
    own.post(&path, json!({}))
        .await
        .refused(401, "unauthenticated");
    let next = scene.bearer(rotated.text("auth_token"));
    next.get(&format!("/workspaces/{home}")).await.expect(200);
    assert_eq!(listed(person, home).await.len(), 1);
    assert!(pending(person).await.is_empty());

    // Any other program needs a person for one.
    let agent = scene.stage.agent();
    let id = agent.post(&path, json!({})).await.approval();
    assert_eq!(listed(person, home).await.len(), 1);
    approve(person, &id).await;
    agent.post(&path, json!({})).await.expect(201);
    assert_eq!(listed(person, home).await.len(), 2);
}

#[tokio::test]
async fn fifty_tokens_of_one_workspace_live_and_no_more() {
    let scene = Scene::set().await;
    let (person, home) = (&scene.person, &scene.home);
    let path = format!("/workspaces/{home}/tokens");
    for _ in 1..50 {
        person.post(&path, json!({})).await.expect(201);
    }
    person
        .post(&path, json!({}))
        .await
        .refused(429, "too_many_tokens");
    let agent = scene.stage.agent();
    agent
        .post(&path, json!({}))
        .await
        .refused(429, "too_many_tokens");
    assert!(pending(person).await.is_empty(), "nobody is asked in vain");
    assert_eq!(listed(person, home).await.len(), 50);
    // Another workspace has fifty of its own, and replacing one makes no more.
    workspace_token(person, &scene.other).await;
    scene
        .bearer(&scene.token)
        .post(&path, json!({}))
        .await
        .expect(201);
    let tokens = person.get(&format!("{path}?limit=200")).await.expect(200);
    assert_eq!(tokens.json["count"], 50);
}

// Guard: `mints_wider` in host/core/src/gate/confine.rs, and the expiry that `mint` in
// host/server/src/routes/workspace_tokens.rs takes from the minter.
#[tokio::test]
async fn a_workspace_token_ends_no_later_than_who_minted_it() {
    let scene = Scene::set().await;
    let (person, home) = (&scene.person, &scene.home);
    let end = "2100-01-01T00:00:00Z";
    let body = json!({ "role": "editor", "expires_at": end });
    let brief = scene.bearer(&minted(person, body).await);
    let path = format!("/workspaces/{home}/tokens");
    let id = brief.post(&path, json!({})).await.approval();
    let asked = approval(person, &id).await;
    assert_eq!(asked["payload"]["arguments"]["expires_at"], end);
    approve(person, &id).await;
    let first = brief.post(&path, json!({})).await.expect(201);
    assert_eq!(first.json["expires_at"], end);
    let rotated = scene
        .bearer(first.text("auth_token"))
        .post(&path, json!({}))
        .await;
    assert_eq!(rotated.expect(201).json["expires_at"], end);
    // A reader mints none.
    let reader = scene.bearer(&minted(person, json!({ "role": "reader" })).await);
    let refused = reader
        .post(&path, json!({}))
        .await
        .refused(403, "denied_by_policy");
    assert_eq!(refused.json["rule"], "role-too-narrow");
}

#[tokio::test]
async fn all_ways_of_a_workspace_token_to_be_wrong_look_the_same() {
    let scene = Scene::set().await;
    let path = format!("/workspaces/{}", scene.home);
    let token = &scene.token;
    let expected = scene.bearer("junk").get(&path).await.expect(401).json;
    for wrong in [
        format!("{token}x"),
        token[..52].to_owned(),
        token.replacen("csw_", "cso_", 1),
        token.to_uppercase(),
        format!("csw_{}", "x".repeat(49)),
    ] {
        let refused = scene.bearer(&wrong).get(&path).await.expect(401);
        assert_eq!(refused.json, expected, "{wrong}");
    }
    // A person beside any of them stays a person.
    let listed = scene.person.bearer(token).get("/workspaces").await;
    listed.expect(200);
}

//! Asking ahead.

use countersign_tests::{Caller, Host, Reply};
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{
    ADMIN_TOKEN, Stage, approval, approve, decide, minted, pending, secrets, tokens, workspace,
    workspace_token,
};

/// A host, its people, and the workspace under which the admin token's requests are filed.
struct Scene {
    stage: Stage,
    agent: Caller,
    person: Caller,
    anchor: String,
}

impl Scene {
    async fn set() -> Self {
        let stage = Stage::set_for(Host::builder()).await;
        let (agent, person) = (stage.agent(), stage.person("ann").await);
        let listed = person.get("/workspaces").await.expect(200);
        let anchor = listed.items()[0]["id"].as_str().expect("an id").to_owned();
        Self {
            stage,
            agent,
            person,
            anchor,
        }
    }

    async fn ask(&self, body: Value) -> Reply {
        let path = format!("/workspaces/{}/approvals", self.anchor);
        self.agent.post(&path, body).await
    }
}

async fn send(caller: &Caller, method: &str, path: &str, body: &Value) -> Reply {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let body = body.to_string().into_bytes();
    caller
        .send(method, path, Some("application/json"), body)
        .await
}

#[tokio::test]
async fn each_verb_that_waits_for_people_can_be_asked_ahead_and_done_later() {
    let scene = Scene::set().await;
    let (agent, person) = (&scene.agent, &scene.person);
    let home = workspace(person, "home", None).await;
    let doomed = workspace(person, "doomed", None).await;
    workspace(person, "below", Some(&doomed)).await;
    minted(person, json!({ "name": "old" })).await;
    let old = tokens(person).await[0]["id"].clone();
    let old = old.as_str().expect("an id").to_owned();
    for key in ["GLOBAL", "MINE"] {
        let path = match key {
            "GLOBAL" => "/settings/secrets".to_owned(),
            _ => format!("/workspaces/{home}/secrets"),
        };
        let body = json!({ "key": key, "value": "v" });
        person.post(&path, body).await.expect(200);
    }
    let mint = json!({ "name": "ci", "role": "reader", "expires_at": "2100-01-01T00:00:00Z" });
    let global = json!({ "key": "NEW", "value": "a-secret-value" });
    let nothing = json!({});
    for (verb, context, (method, path, body)) in [
        (
            "org_token_mint",
            mint.clone(),
            ("POST", "/org/tokens".to_owned(), &mint),
        ),
        (
            "org_token_revoke",
            json!({ "token_id": old }),
            ("DELETE", format!("/org/tokens/{old}"), &nothing),
        ),
        (
            "secret_write",
            json!({ "scope": "global", "key": "NEW", "value": "a-secret-value" }),
            ("PUT", "/settings/secrets".to_owned(), &global),
        ),
        (
            "secret_write",
            json!({ "workspace_id": home, "key": "NEW", "value": "a-secret-value" }),
            ("POST", format!("/workspaces/{home}/secrets"), &global),
        ),
        (
            "secret_delete",
            json!({ "scope": "global", "key": "GLOBAL" }),
            ("DELETE", "/admin/secrets/GLOBAL".to_owned(), &nothing),
        ),
        (
            "secret_delete",
            json!({ "workspace_id": home, "key": "MINE", "scope": "workspace" }),
            (
                "DELETE",
                format!("/workspaces/{home}/secrets/MINE"),
                &nothing,
            ),
        ),
        (
            "workspace_update",
            json!({ "workspace_id": home, "parent_id": scene.anchor }),
            (
                "PATCH",
                format!("/workspaces/{home}"),
                &json!({ "parent_id": scene.anchor }),
            ),
        ),
        (
            "workspace_token_mint",
            json!({ "workspace_id": home }),
            ("POST", format!("/workspaces/{home}/tokens"), &nothing),
        ),
        (
            "delete_workspace",
            json!({ "workspace_id": doomed, "confirm": true }),
            (
                "DELETE",
                format!("/workspaces/{doomed}?confirm=true"),
                &nothing,
            ),
        ),
    ] {
        let ask = json!({
            "action": verb, "context": context, "reason": "for the release", "task_id": "task-7",
        });
        let reply = scene.ask(ask.clone()).await.expect(201);
        let id = reply.text("approval_id").to_owned();
        assert_eq!(reply.json["status"], "pending", "{reply}");
        assert_eq!(reply.header("location"), Some(&*format!("/approvals/{id}")));
        assert!(reply.header("x-decision-id").is_some(), "{reply}");
        let asked = approval(person, &id).await;
        assert_eq!(asked["action"], verb);
        assert_eq!(asked["workspace_id"], scene.anchor);
        let claim = json!({ "reason": "for the release", "task_id": "task-7" });
        assert_eq!(asked["claim"], claim);
        assert!(!asked["reason"].to_string().contains("release"), "{asked}");
        // The same again is the same, and so is the request itself.
        assert_eq!(
            scene.ask(ask.clone()).await.expect(201).text("approval_id"),
            id
        );
        assert_eq!(send(agent, method, &path, body).await.approval(), id);
        approve(person, &id).await;
        let again = scene.ask(ask).await.expect(200);
        assert_eq!(again.json["status"], "approved", "{again}");
        let done = send(agent, method, &path, body).await;
        assert!((200..=201).contains(&done.status), "{verb}: {done}");
        assert_eq!(approval(person, &id).await["status"], "used", "{verb}");
    }
    assert!(pending(person).await.is_empty());
    let found = scene.stage.host.files_with("a-secret-value");
    assert!(found.is_empty(), "{found:?}");
    let listed = person
        .get(&format!("/workspaces/{}/approvals?limit=5", scene.anchor))
        .await
        .expect(200);
    assert_eq!(listed.items().len(), 5);
    assert_eq!(listed.items()[0]["action"], "delete_workspace");
    let cursor = listed.header("x-next-cursor").expect("more").to_owned();
    let rest = person
        .get(&format!(
            "/workspaces/{}/approvals?limit=5&cursor={cursor}",
            scene.anchor
        ))
        .await
        .expect(200);
    assert_eq!(rest.items().len(), 4);
    assert!(
        rest.items()
            .iter()
            .all(|approval| approval["status"] == "used")
    );
}

#[tokio::test]
async fn what_cannot_be_asked_ahead_is_400_with_its_field_and_files_nothing() {
    let scene = Scene::set().await;
    let home = workspace(&scene.person, "home", None).await;
    for (field, body) in [
        ("action", json!({})),
        ("action", json!({ "action": 7 })),
        ("action", json!({ "action": "" })),
        ("action", json!({ "action": "org_token_mint " })),
        ("action", json!({ "action": "launch_missiles" })),
        ("action", json!({ "action": "approval_decide" })),
        ("action", json!({ "action": "approval_list" })),
        ("action", json!({ "action": "policy_push" })),
        ("action", json!({ "action": "policy_read" })),
        (
            "reason",
            json!({ "action": "org_token_mint", "reason": "two\nlines" }),
        ),
        (
            "reason",
            json!({ "action": "org_token_mint", "reason": "x".repeat(501) }),
        ),
        (
            "task_id",
            json!({ "action": "org_token_mint", "task_id": "pay\u{202e}roll" }),
        ),
        (
            "task_id",
            json!({ "action": "org_token_mint", "task_id": "x".repeat(201) }),
        ),
        (
            "context",
            json!({ "action": "org_token_mint", "context": ["ci"] }),
        ),
        (
            "context",
            json!({ "action": "org_token_mint", "context": "ci" }),
        ),
        (
            "context.name",
            json!({ "action": "org_token_mint", "context": { "name": 7 } }),
        ),
        (
            "name",
            json!({ "action": "org_token_mint", "context": { "name": "  " } }),
        ),
        (
            "role",
            json!({ "action": "org_token_mint", "context": { "role": "owner" } }),
        ),
        ("context.token_id", json!({ "action": "org_token_revoke" })),
        (
            "context.token_id",
            json!({ "action": "org_token_revoke", "context": { "token_id": "x" } }),
        ),
        (
            "key",
            json!({ "action": "secret_write", "context": { "scope": "global" } }),
        ),
        (
            "context.workspace_id",
            json!({ "action": "secret_write", "context": { "key": "K", "value": "v" } }),
        ),
        (
            "context.scope",
            json!({ "action": "secret_delete", "context": { "key": "K", "scope": "all" } }),
        ),
        (
            "context.scope",
            json!({ "action": "secret_delete", "context": {
                "key": "K", "scope": "global", "workspace_id": home,
            } }),
        ),
        (
            "context.value",
            json!({ "action": "secret_write", "context": {
                "scope": "global", "key": "K", "value": 4711,
            } }),
        ),
        (
            "key",
            json!({ "action": "secret_delete", "context": { "scope": "global", "key": "a/b" } }),
        ),
        (
            "context.workspace_id",
            json!({ "action": "delete_workspace" }),
        ),
        (
            "context.confirm",
            json!({ "action": "delete_workspace", "context": {
                "workspace_id": home, "confirm": "true",
            } }),
        ),
        (
            "context.workspace_id",
            json!({ "action": "workspace_token_mint", "context": {} }),
        ),
    ] {
        let reply = scene.ask(body.clone()).await;
        assert_eq!(reply.json["field"], field, "{body}: {reply}");
        reply.refused(400, "bad_request");
    }
    let path = format!("/workspaces/{}/approvals", scene.anchor);
    let twice = r#"{"action":"org_token_mint","context":{"name":"a","name":"b"}}"#;
    scene.agent.post_text(&path, twice).await.blames("name");
    let twice = r#"{"action":"org_token_mint","action":"secret_write"}"#;
    scene.agent.post_text(&path, twice).await.blames("action");
    let reply = scene.agent.post(
        "/workspaces/x/approvals",
        json!({ "action": "org_token_mint" }),
    );
    reply.await.blames("workspace");
    let nobody = scene.stage.host.anonymous();
    let reply = nobody
        .post(&path, json!({ "action": "org_token_mint" }))
        .await;
    reply.refused(401, "unauthenticated");
    assert!(pending(&scene.person).await.is_empty());
}

#[tokio::test]
async fn what_needs_nobody_or_is_denied_files_nothing() {
    let scene = Scene::set().await;
    let create = json!({ "action": "workspace_create", "context": { "name": "x" } });
    scene.ask(create).await.refused(409, "approval_not_needed");
    let own = json!({ "action": "secret_write", "context": {
        "workspace_id": scene.anchor, "key": "K", "value": "v",
    } });
    let denied = scene.ask(own).await.refused(403, "denied_by_policy");
    assert_eq!(denied.json["rule"], "own-secret", "{denied}");
    let read = json!({ "action": "audit_read" });
    scene.ask(read).await.refused(403, "denied_by_policy");
    let gone = json!({ "action": "secret_delete", "context": { "scope": "global", "key": "K" } });
    scene.ask(gone).await.refused(404, "not_found");
    let nowhere = "/workspaces/00000000-0000-4000-8000-000000000000/approvals";
    let mint = json!({ "action": "org_token_mint" });
    scene
        .agent
        .post(nowhere, mint.clone())
        .await
        .refused(404, "not_found");
    // For people, the baseline gates nothing.
    let path = format!("/workspaces/{}/approvals", scene.anchor);
    let reply = scene.person.post(&path, mint.clone()).await;
    reply.refused(409, "approval_not_needed");
    assert!(pending(&scene.person).await.is_empty());
    assert!(tokens(&scene.person).await.is_empty());
    assert!(secrets(&scene.person).await.is_empty());

    // A denial holds for what is asked ahead as well.
    let id = scene.ask(mint.clone()).await.expect(201);
    let id = id.text("approval_id").to_owned();
    decide(&scene.person, &id, "denied").await.expect(200);
    scene.ask(mint).await.refused(403, "approval_denied");
}

// Guard: `files_elsewhere` in host/core/src/gate/confine.rs.
#[tokio::test]
async fn whoever_is_bound_to_a_workspace_asks_ahead_there_alone() {
    let scene = Scene::set().await;
    let (home, other) = (
        workspace(&scene.person, "home", None).await,
        workspace(&scene.person, "other", None).await,
    );
    let token = workspace_token(&scene.person, &home).await;
    let own = scene.stage.host.agent(&token);
    let ask = |target: &str| json!({ "action": "secret_delete", "context": { "workspace_id": target, "key": "K" } });
    for target in [&home, &other] {
        let path = format!("/workspaces/{target}/secrets");
        let body = json!({ "key": "K", "value": "v" });
        scene.person.post(&path, body).await.expect(200);
    }
    for (filed, target) in [(&other, &home), (&home, &other), (&other, &other)] {
        let path = format!("/workspaces/{filed}/approvals");
        let reply = own.post(&path, ask(target)).await;
        let reply = reply.refused(403, "denied_by_policy");
        assert_eq!(reply.json["rule"], "bound-to-a-workspace", "{reply}");
    }
    let path = format!("/workspaces/{home}/approvals");
    let id = own.post(&path, ask(&home)).await.expect(201);
    let id = id.text("approval_id").to_owned();
    // Whoever has no bounds may file where it likes; each sees its own, and people see all.
    let agents = scene.agent.post(&path, ask(&home)).await.expect(201);
    let agents = agents.text("approval_id").to_owned();
    let ids = async |caller: &Caller| {
        let listed = caller.get(&path).await.expect(200);
        let id = |approval: &Value| approval["id"].as_str().expect("an id").to_owned();
        listed.items().iter().map(id).collect::<Vec<_>>()
    };
    let (own, others) = (ids(&own).await, ids(&scene.agent).await);
    assert_eq!(own, std::slice::from_ref(&id));
    assert_eq!(others, std::slice::from_ref(&agents));
    assert_eq!(ids(&scene.person).await, [agents, id]);
    assert_eq!(
        scene.stage.host.agent(ADMIN_TOKEN).get(&path).await.status,
        200
    );
}

#[tokio::test]
async fn the_console_shows_what_the_caller_claims_apart() {
    let scene = Scene::set().await;
    let body = json!({ "action": "org_token_mint", "reason": "<b>all agreed</b>" });
    let id = scene
        .ask(body)
        .await
        .expect(201)
        .text("approval_id")
        .to_owned();
    let page = scene.person.get(&format!("/console/approvals/{id}")).await;
    let page = page.expect(200).page();
    assert!(page.contains("&#60;b&#62;all agreed"), "{page}");
    assert!(page.contains("caller’s words"), "{page}");
}

//! Workspaces over HTTP: the shapes that clients rely on, the tree, the anchor that always stands, and
//! what a removal takes along.

mod standing;

use countersign_tests::{Caller, Reply};
use serde_json::{Value, json};

use crate::stage::{Stage, approval, approve, minted, pending, tokens, workspace, workspaces};

const NOBODYS: &str = "11111111-1111-4111-8111-111111111111";

fn path(workspace: &str) -> String {
    format!("/workspaces/{workspace}")
}

async fn move_to(caller: &Caller, id: &str, parent: Option<&str>) -> Reply {
    caller
        .patch(&path(id), json!({ "parent_id": parent }))
        .await
}

async fn remove(caller: &Caller, id: &str) -> Reply {
    caller
        .delete(&format!("/workspaces/{id}?confirm=true"))
        .await
}

#[tokio::test]
async fn the_shapes_that_clients_rely_on() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let body =
        json!({ "name": "research", "status": "online", "id": NOBODYS, "created_by": "eve" });
    let created = person.post("/workspaces", body).await.expect(201);
    let id = created.text("id").to_owned();
    assert_ne!(id, NOBODYS);
    assert_eq!(created.json["name"], "research");
    assert_eq!(created.json["status"], "provisioning");
    assert_eq!(created.json["parent_id"], Value::Null);
    assert!(
        created.text("created_by").starts_with("session:"),
        "{created}"
    );

    let listed = workspaces(&person).await;
    assert_eq!(listed, std::slice::from_ref(&created.json));
    let read = person.get(&path(&id)).await.expect(200);
    assert_eq!(read.json, created.json);

    let renamed = json!({ "name": "lab", "x": 12, "y": 7 });
    let renamed = person.patch(&path(&id), renamed).await.expect(200);
    assert_eq!(renamed.json["name"], "lab", "{renamed}");
    assert_eq!(renamed.json["id"], id, "{renamed}");
    // What a canvas keeps is nothing of this host's, and no reason to refuse it.
    let same = person
        .patch(&path(&id), json!({ "x": 1 }))
        .await
        .expect(200);
    assert_eq!(same.json, renamed.json);

    let child = workspace(&person, "child", Some(&id)).await;
    let asked = person
        .delete(&path(&id))
        .await
        .refused(409, "confirmation_required");
    assert_eq!(asked.json["status"], "confirmation_required");
    assert_eq!(asked.json["children_count"], 1);
    assert_eq!(
        asked.json["children"],
        json!([{ "id": child, "name": "child" }])
    );
    let removed = remove(&person, &id).await.expect(200);
    assert_eq!(removed.json["status"], "removed");
    assert_eq!(removed.json["removed"], json!([id, child]));
    for gone in [&id, &child] {
        person.get(&path(gone)).await.refused(404, "not_found");
        remove(&person, gone).await.refused(404, "not_found");
        let renamed = person.patch(&path(gone), json!({ "name": "x" })).await;
        renamed.refused(404, "not_found");
    }
    // A leaf needs no word for its children.
    let leaf = workspace(&person, "leaf", None).await;
    person.delete(&path(&leaf)).await.expect(200);
    assert!(workspaces(&person).await.is_empty());

    let audit = person.get("/audit?limit=200").await.expect(200).page();
    for name in ["research", "lab", "child", "leaf"] {
        assert!(audit.contains(name), "{name} is not in {audit}");
    }
    assert!(!audit.contains("eve"), "{audit}");
}

#[tokio::test]
async fn what_is_wrong_with_a_workspace_is_named() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let id = workspace(&person, "here", None).await;
    let long = "x".repeat(101);
    for (field, body) in [
        ("name", json!({})),
        ("name", json!({ "name": null })),
        ("name", json!({ "name": "" })),
        ("name", json!({ "name": "  " })),
        ("name", json!({ "name": 7 })),
        ("name", json!({ "name": "pay\u{202e}roll" })),
        ("name", json!({ "name": "two\nlines" })),
        ("name", json!({ "name": long })),
        ("parent_id", json!({ "name": "x", "parent_id": "x" })),
        ("parent_id", json!({ "name": "x", "parent_id": "" })),
        ("parent_id", json!({ "name": "x", "parent_id": 7 })),
        ("parent_id", json!({ "name": "x", "parent_id": NOBODYS })),
    ] {
        let reply = person.post("/workspaces", body.clone()).await.blames(field);
        assert_eq!(reply.status, 400, "{body}");
    }
    for (field, body) in [
        ("name", json!({ "name": " " })),
        ("name", json!({ "name": ["x"] })),
        ("parent_id", json!({ "parent_id": "x" })),
        ("parent_id", json!({ "parent_id": NOBODYS })),
        ("parent_id", json!({ "parent_id": id })),
    ] {
        person.patch(&path(&id), body).await.blames(field);
    }
    let twice = person
        .post_text("/workspaces", r#"{"name":"a","name":"b"}"#)
        .await;
    twice.blames("name");
    for bad in ["x", "1", "%00"] {
        person.get(&path(bad)).await.blames("workspace");
        person.delete(&path(bad)).await.blames("workspace");
    }
    let reply = person.delete(&format!("{}?confirm=yes", path(&id))).await;
    reply.blames("confirm");
    assert_eq!(workspaces(&person).await.len(), 1);
}

#[tokio::test]
async fn nothing_is_below_itself_and_nothing_is_too_deep() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let mut branch = vec![workspace(&person, "1", None).await];
    for level in 2..=16 {
        let parent = branch.last().map(String::as_str);
        branch.push(workspace(&person, &level.to_string(), parent).await);
    }
    let body = json!({ "name": "17", "parent_id": branch[15] });
    person.post("/workspaces", body).await.blames("parent_id");
    for below in &branch {
        let moved = move_to(&person, &branch[0], Some(below)).await;
        moved.blames("parent_id");
    }
    let top = workspace(&person, "top", None).await;
    move_to(&person, &branch[0], Some(&top))
        .await
        .blames("parent_id");
    // Without its last level, the branch fits.
    let moved = move_to(&person, &branch[15], None).await.expect(200);
    assert_eq!(moved.json["parent_id"], Value::Null);
    let moved = move_to(&person, &branch[0], Some(&top)).await.expect(200);
    assert_eq!(moved.json["parent_id"], top);
}

#[tokio::test]
async fn an_agent_creates_and_renames_and_needs_a_person_to_move() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let here = workspace(&agent, "here", None).await;
    let there = workspace(&agent, "there", None).await;
    let renamed = json!({ "name": "renamed" });
    agent.patch(&path(&here), renamed).await.expect(200);
    assert!(pending(&person).await.is_empty());

    let id = move_to(&agent, &here, Some(&there)).await.approval();
    let asked = approval(&person, &id).await;
    assert_eq!(asked["action"], "workspace_update");
    assert_eq!(
        asked["resource"],
        json!({ "kind": "workspace", "id": here })
    );
    assert_eq!(asked["payload"]["arguments"], json!({ "parent_id": there }));
    assert_eq!(asked["workspace_name"], "Platform agent");
    let reason = asked["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("`renamed`") && reason.contains(&there),
        "{reason}"
    );
    assert_eq!(
        workspaces(&person).await[0]["parent_id"],
        Value::Null,
        "not moved"
    );
    let page = person
        .get(&format!("/console/approvals/{id}"))
        .await
        .expect(200);
    assert!(page.page().contains("renamed"), "{page}");

    approve(&person, &id).await;
    // The target has moved meanwhile, if only by its name.
    person
        .patch(&path(&here), json!({ "name": "other" }))
        .await
        .expect(200);
    move_to(&agent, &here, Some(&there))
        .await
        .refused(409, "approval_stale");
    assert_eq!(approval(&person, &id).await["status"], "lapsed");

    let again = move_to(&agent, &here, Some(&there)).await.approval();
    assert_ne!(again, id);
    approve(&person, &again).await;
    // Approved to be below `there`, it is put nowhere else.
    move_to(&agent, &here, None).await.expect(202);
    let moved = move_to(&agent, &here, Some(&there)).await.expect(200);
    assert_eq!(moved.json["parent_id"], there);
    assert_eq!(approval(&person, &again).await["status"], "used");
}

#[tokio::test]
async fn a_bound_organisation_token_reaches_its_workspace_and_no_other() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let home = workspace(&person, "home", None).await;
    let other = workspace(&person, "other", Some(&home)).await;
    let body = json!({ "name": "bound", "workspace_id": home });
    let bound = stage.host.agent(&minted(&person, body).await);
    bound.get(&path(&home)).await.expect(200);
    bound
        .get(&format!("/workspaces/{home}/secrets"))
        .await
        .expect(200);
    bound
        .patch(&path(&home), json!({ "name": "x" }))
        .await
        .expect(200);
    for refused in [
        bound.get("/workspaces").await,
        bound.post("/workspaces", json!({ "name": "x" })).await,
        bound
            .post("/workspaces", json!({ "name": "x", "parent_id": home }))
            .await,
        bound.get(&path(&other)).await,
        bound.patch(&path(&other), json!({ "name": "x" })).await,
        remove(&bound, &other).await,
        bound.get(&format!("/workspaces/{other}/secrets")).await,
        bound.get(&format!("/workspaces/{other}/tokens")).await,
        bound
            .post(&format!("/workspaces/{other}/tokens"), json!({}))
            .await,
        bound.get("/settings/secrets").await,
        bound.get("/org/tokens").await,
        bound
            .post("/org/tokens", json!({ "workspace_id": home }))
            .await,
    ] {
        let refused = refused.refused(403, "denied_by_policy");
        assert_eq!(refused.json["rule"], "bound-to-a-workspace", "{refused}");
    }
    assert!(pending(&person).await.is_empty());
}

#[tokio::test]
async fn a_form_for_a_workspace_that_does_not_stand_comes_back_and_says_so() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let fields = [
        ("name", "ci"),
        ("role", "reader"),
        ("workspace_id", NOBODYS),
    ];
    let page = person.post_form("/console/keys", &fields).await.expect(400);
    assert!(page.page().contains("aria-invalid"), "{page}");
    assert!(page.page().contains("names no workspace"), "{page}");
    assert!(page.page().contains(NOBODYS), "as it was sent: {page}");
    assert!(tokens(&person).await.is_empty());
    let home = workspace(&person, "home", None).await;
    let fields = [
        ("name", "ci"),
        ("role", "reader"),
        ("workspace_id", home.as_str()),
    ];
    person.post_form("/console/keys", &fields).await.expect(200);
    assert_eq!(tokens(&person).await[0]["workspace_id"], home);
}

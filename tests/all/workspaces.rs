//! Workspaces over HTTP: the shapes that clients rely on, the tree, the anchor that always stands, and
//! what a removal takes along.

use countersign_tests::{Caller, Reply};
use serde_json::{Value, json};

use crate::stage::{
    Stage, approval, approve, minted, pending, tokens, workspace, workspace_token, workspaces,
};

const NOBODYS: &str = "11111111-1111-4111-8111-111111111111";

/// The approval anchor's id, as whoever may list workspaces sees it.
async fn anchor(caller: &Caller) -> String {
    let listed = caller.get("/workspaces").await.expect(200);
    let anchor = listed
        .items()
        .iter()
        .find(|workspace| workspace["created_by"] == "host")
        .unwrap_or_else(|| panic!("no anchor in {listed}"));
    anchor["id"].as_str().expect("an id").to_owned()
}

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

/// The same host, started anew with another anchor.
async fn with_anchor(stage: Stage, anchor: &str) -> Stage {
    let builder = stage.host.stop().await;
    let builder = builder.env("MOLECULE_PLATFORM_WORKSPACE_ID", anchor);
    Stage {
        control_plane: stage.control_plane,
        host: builder.start().await,
    }
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
async fn an_agents_removal_is_for_what_would_fall_when_a_person_agreed() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let root = workspace(&agent, "root", None).await;
    let child = workspace(&agent, "child", Some(&root)).await;
    // Nobody is asked for what could not be done.
    agent
        .delete(&path(&root))
        .await
        .refused(409, "confirmation_required");
    assert!(pending(&person).await.is_empty());

    let id = remove(&agent, &root).await.approval();
    approve(&person, &id).await;
    let late = workspace(&agent, "late", Some(&child)).await;
    remove(&agent, &root).await.refused(409, "approval_stale");
    assert_eq!(workspaces(&person).await.len(), 3, "nothing fell");

    let id = remove(&agent, &root).await.approval();
    approve(&person, &id).await;
    let removed = remove(&agent, &root).await.expect(200);
    assert_eq!(removed.json["removed"], json!([root, child, late]));
    assert_eq!(approval(&person, &id).await["status"], "used");
    assert!(workspaces(&person).await.is_empty());
}

#[tokio::test]
async fn the_anchor_stands_and_nobody_moves_or_removes_it() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let anchor = anchor(&person).await;
    let read = person.get(&path(&anchor)).await.expect(200);
    assert_eq!(read.json["name"], "Platform agent");
    let elsewhere = workspace(&person, "elsewhere", None).await;
    for caller in [&agent, &person] {
        for refused in [
            remove(caller, &anchor).await,
            caller.delete(&path(&anchor)).await,
            move_to(caller, &anchor, Some(&elsewhere)).await,
            move_to(caller, &anchor, None).await,
        ] {
            let refused = refused.refused(403, "denied_by_policy");
            assert_eq!(refused.json["rule"], "approval-anchor", "{refused}");
            assert_eq!(refused.json["policy"], "core", "{refused}");
            assert!(refused.text("error").contains("anchor"), "{refused}");
        }
    }
    assert!(pending(&person).await.is_empty());
    // It has a name like any other, and others can be below it.
    let renamed = person.patch(&path(&anchor), json!({ "name": "hub" })).await;
    renamed.expect(200);
    let below = workspace(&person, "below", Some(&anchor)).await;
    let id = agent.post("/org/tokens", json!({})).await.approval();
    let filed = approval(&person, &id).await;
    assert_eq!(filed["workspace_id"], anchor);
    assert_eq!(filed["workspace_name"], "hub");
    remove(&person, &below).await.expect(200);

    // It is the same one after a restart, under its new name.
    let host = stage.host.restart().await;
    let person = host.session(&stage.control_plane.sign_in("ann").await);
    assert_eq!(self::anchor(&person).await, anchor);
    assert_eq!(
        person.get(&path(&anchor)).await.expect(200).json["name"],
        "hub"
    );
}

#[tokio::test]
async fn another_anchor_can_be_configured_and_one_that_was_removed_is_none() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let derived = anchor(&person).await;
    let above = workspace(&person, "above", None).await;
    let chosen = workspace(&person, "chosen", Some(&above)).await;
    let gone = workspace(&person, "gone", None).await;
    remove(&person, &gone).await.expect(200);
    let stage = with_anchor(stage, &chosen).await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let id = agent.post("/org/tokens", json!({})).await.approval();
    assert_eq!(approval(&person, &id).await["workspace_id"], chosen);
    // Nor can it fall with one above it.
    let refused = remove(&person, &above)
        .await
        .refused(403, "approval_anchor");
    assert!(refused.text("error").contains("anchor"), "{refused}");
    remove(&agent, &above).await.refused(403, "approval_anchor");
    assert_eq!(
        person.get(&path(&chosen)).await.expect(200).json["status"],
        "provisioning"
    );
    // The one before is a workspace like any other.
    remove(&person, &derived).await.expect(200);

    let stage = with_anchor(stage, &gone).await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let refused = agent.post("/org/tokens", json!({})).await;
    let refused = refused.refused(400, "no_approval_anchor");
    assert!(
        refused
            .text("error")
            .starts_with("no approval anchor for this caller class — set")
    );
    assert!(
        stage.host.said().contains("was removed"),
        "{}",
        stage.host.said()
    );
    person.post("/org/tokens", json!({})).await.expect(200);
}

#[tokio::test]
async fn nothing_that_hangs_on_a_removed_workspace_outlives_it() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let root = workspace(&person, "root", None).await;
    let child = workspace(&person, "child", Some(&root)).await;
    let other = workspace(&person, "other", None).await;
    let own = stage.host.agent(&workspace_token(&person, &child).await);
    let bound = minted(&person, json!({ "name": "bound", "workspace_id": child })).await;
    let bound = stage.host.agent(&bound);
    let secret = json!({ "key": "KEY", "value": "v" });
    let secrets = format!("/workspaces/{child}/secrets");
    person.post(&secrets, secret.clone()).await.expect(200);
    let removed_secret = format!("{secrets}/KEY");

    let by_own = own.delete(&removed_secret).await.approval();
    let by_bound = bound.delete(&removed_secret).await.approval();
    let about = agent.post(&secrets, secret.clone()).await.approval();
    approve(&person, &about).await;
    let below = move_to(&agent, &other, Some(&child)).await.approval();
    let elsewhere = move_to(&agent, &other, None).await.approval();

    remove(&person, &root).await.expect(200);
    for (id, status) in [
        (&by_own, "withdrawn"),
        (&by_bound, "withdrawn"),
        (&below, "withdrawn"),
        (&about, "lapsed"),
        (&elsewhere, "pending"),
    ] {
        assert_eq!(approval(&person, id).await["status"], status);
    }
    for caller in [&own, &bound] {
        caller
            .get(&path(&child))
            .await
            .refused(401, "unauthenticated");
    }
    assert!(tokens(&person).await.is_empty());
    agent.post(&secrets, secret).await.refused(404, "not_found");
    person.get(&secrets).await.refused(404, "not_found");
    let mint = json!({ "workspace_id": child });
    person
        .post("/org/tokens", mint.clone())
        .await
        .blames("workspace_id");
    agent.post("/org/tokens", mint).await.blames("workspace_id");
    let tokens = format!("/workspaces/{child}/tokens");
    person.get(&tokens).await.refused(404, "not_found");
    person
        .post(&tokens, json!({}))
        .await
        .refused(404, "not_found");
    let verified = person.get("/audit/verify").await.expect(200);
    assert_eq!(verified.json["whole"], true, "{verified}");
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

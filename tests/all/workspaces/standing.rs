//! What stands whatever anybody does, and what falls with what.

use countersign_tests::Caller;
use serde_json::json;

use super::{move_to, path, remove};
use crate::stage::{
    Stage, approval, approve, minted, pending, tokens, workspace, workspace_token, workspaces,
};

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

// Guard: the keys and secrets in `whole` in host/store/src/portable/falling.rs.
#[tokio::test]
async fn an_agents_removal_is_for_the_keys_and_secrets_that_a_person_agreed_to_lose() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let root = workspace(&agent, "root", None).await;
    let child = workspace(&agent, "child", Some(&root)).await;
    let token = workspace_token(&person, &child).await;
    let secrets = format!("{}/secrets", path(&child));
    let write = |value: &str| json!({ "key": "API_KEY", "value": value });
    let agreed = async || {
        let id = remove(&agent, &root).await.approval();
        approve(&person, &id).await;
    };
    agreed().await;
    person.post(&secrets, write("one")).await.expect(200);
    remove(&agent, &root).await.refused(409, "approval_stale");
    agreed().await;
    person.post(&secrets, write("two")).await.expect(200);
    remove(&agent, &root).await.refused(409, "approval_stale");
    agreed().await;
    workspace_token(&person, &root).await;
    remove(&agent, &root).await.refused(409, "approval_stale");
    agreed().await;
    minted(
        &person,
        json!({ "name": "bound", "role": "editor", "workspace_id": child }),
    )
    .await;
    remove(&agent, &root).await.refused(409, "approval_stale");
    assert_eq!(workspaces(&person).await.len(), 2, "nothing fell");

    // Its own agent changes its key for another one without a person, and puts nothing off so.
    agreed().await;
    let own = stage.host.agent(&token);
    let rotated = own
        .post(&format!("{}/tokens", path(&child)), json!({}))
        .await;
    let rotated = stage.host.agent(rotated.expect(201).text("auth_token"));
    remove(&agent, &root).await.expect(200);
    rotated.get(&path(&child)).await.expect(401);
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

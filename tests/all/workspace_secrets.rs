//! The secrets of a workspace: whom they reach, who reads their values, and where their plaintext is not.

use std::path::PathBuf;

use countersign_tests::{Caller, Host, HostBuilder, Reply};
use serde_json::{Value, json};

use crate::stage::{Stage, approve, pending, rewrite, workspace, workspace_token};

fn secrets(workspace: &str) -> String {
    format!("/workspaces/{workspace}/secrets")
}

async fn write(caller: &Caller, path: &str, key: &str, value: &str) -> Reply {
    caller
        .post(path, json!({ "key": key, "value": value }))
        .await
}

/// Key and scope of each secret that reaches a workspace.
async fn scopes(caller: &Caller, workspace: &str) -> Vec<(String, String)> {
    let reply = caller.get(&secrets(workspace)).await.expect(200);
    let text = |secret: &Value, name: &str| secret[name].as_str().expect("a text").to_owned();
    for secret in reply.items() {
        assert_eq!(secret["has_value"], true, "{reply}");
        assert!(secret["created_at"].is_string() && secret["updated_at"].is_string());
        assert_eq!(secret.get("value"), None);
    }
    reply
        .items()
        .iter()
        .map(|secret| (text(secret, "key"), text(secret, "scope")))
        .collect()
}

/// Changes one row of the stopped host's database behind its back.
pub async fn tamper(host: &HostBuilder, sql: &'static str) {
    let changed = rewrite(host.database(), &host.data_dir(), sql).await;
    assert!(changed.is_none_or(|rows| rows == 1), "{sql}: {changed:?}");
}

/// What the audit says of restarts: the secret, and whom it reached.
async fn restarts(person: &Caller) -> Vec<(String, Vec<String>)> {
    let audit = person.get("/audit?limit=200").await.expect(200);
    let entries = audit.json["entries"].as_array().expect("entries");
    entries
        .iter()
        .filter(|entry| entry["kind"] == "workspace_restart_requested")
        .map(|entry| {
            let reached = entry["detail"]["workspaces"].as_array().expect("a list");
            let reached = reached
                .iter()
                .map(|id| id.as_str().expect("an id").to_owned());
            let secret = entry["detail"]["secret"].as_str().expect("an address");
            (secret.to_owned(), reached.collect())
        })
        .collect()
}

#[tokio::test]
async fn a_workspace_sees_its_own_secrets_over_the_global_ones() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let home = workspace(&person, "home", None).await;
    let other = workspace(&person, "other", Some(&home)).await;
    let saved = write(&person, &secrets(&home), "OWN", "a")
        .await
        .expect(200);
    assert_eq!(saved.json, json!({ "status": "saved", "key": "OWN" }));
    let body = json!({ "key": "BOTH", "value": "own" });
    person.put(&secrets(&home), body).await.expect(200);
    for key in ["BOTH", "SHARED"] {
        let saved = write(&person, "/settings/secrets", key, "global")
            .await
            .expect(200);
        assert_eq!(
            saved.json,
            json!({ "status": "saved", "key": key, "scope": "global" })
        );
    }
    let pair = |key: &str, scope: &str| (key.to_owned(), scope.to_owned());
    assert_eq!(
        scopes(&person, &home).await,
        [
            pair("BOTH", "workspace"),
            pair("OWN", "workspace"),
            pair("SHARED", "global")
        ]
    );
    // Those of a workspace above are not those of one below.
    assert_eq!(
        scopes(&person, &other).await,
        [pair("BOTH", "global"), pair("SHARED", "global")]
    );

    let own = stage.host.agent(&workspace_token(&person, &home).await);
    let values = own
        .get(&format!("{}/values", secrets(&home)))
        .await
        .expect(200);
    assert_eq!(
        values.json,
        json!({ "BOTH": "own", "OWN": "a", "SHARED": "global" })
    );
    assert_eq!(values.header("cache-control"), Some("no-store"));

    let deleted = person
        .delete(&format!("{}/BOTH", secrets(&home)))
        .await
        .expect(200);
    assert_eq!(deleted.json, json!({ "status": "deleted", "key": "BOTH" }));
    let again = person.delete(&format!("{}/BOTH", secrets(&home))).await;
    again.refused(404, "not_found");
    let values = own
        .get(&format!("{}/values", secrets(&home)))
        .await
        .expect(200);
    assert_eq!(values.json["BOTH"], "global");
}

#[tokio::test]
async fn a_secret_may_be_called_values() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let home = workspace(&person, "home", None).await;
    write(&person, &secrets(&home), "values", "v")
        .await
        .expect(200);
    let deleted = person
        .delete(&format!("{}/values", secrets(&home)))
        .await
        .expect(200);
    assert_eq!(deleted.json["key"], "values");
    assert!(scopes(&person, &home).await.is_empty());
}

// Guard: `reads_values` in host/core/src/gate/confine.rs.
#[tokio::test]
async fn values_are_for_the_workspaces_own_token_alone() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let home = workspace(&person, "home", None).await;
    let other = workspace(&person, "other", None).await;
    write(&person, &secrets(&home), "KEY", "plain-value")
        .await
        .expect(200);
    let values = format!("{}/values", secrets(&home));
    let bound = json!({ "workspace_id": home });
    let bound = person.post("/org/tokens", bound).await.expect(200);
    let whole = person.post("/org/tokens", json!({})).await.expect(200);
    let theirs = workspace_token(&person, &other).await;
    for caller in [
        person.clone(),
        stage.agent(),
        stage.host.agent(bound.text("auth_token")),
        stage.host.agent(whole.text("auth_token")),
        stage.host.agent(&theirs),
    ] {
        let refused = caller.get(&values).await.refused(403, "denied_by_policy");
        assert_eq!(refused.json["policy"], "core", "{refused}");
        assert!(!refused.page().contains("plain-value"), "{refused}");
    }
    stage
        .host
        .anonymous()
        .get(&values)
        .await
        .refused(401, "unauthenticated");
    // Nor are there values of the whole organisation.
    stage
        .agent()
        .get("/settings/secrets/values")
        .await
        .expect(405);
    assert!(pending(&person).await.is_empty());
}

#[tokio::test]
async fn an_agent_needs_a_person_for_a_workspaces_secrets_and_writes_none_of_its_own() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let home = workspace(&person, "home", None).await;
    let id = write(&agent, &secrets(&home), "KEY", "a").await.approval();
    assert!(scopes(&person, &home).await.is_empty());
    assert!(
        restarts(&person).await.is_empty(),
        "what waits changes nothing"
    );
    let asked = person.get(&format!("/approvals/{id}")).await.expect(200);
    assert_eq!(asked.json["resource"]["id"], format!("{home}/KEY"));
    assert!(
        asked
            .text("reason")
            .starts_with("write secret `KEY` of workspace `home`")
    );
    approve(&person, &id).await;
    write(&agent, &secrets(&home), "KEY", "b").await.approval();
    write(&agent, &secrets(&home), "KEY", "a").await.expect(200);

    let own = stage.host.agent(&workspace_token(&person, &home).await);
    let refused = write(&own, &secrets(&home), "KEY", "c").await;
    let refused = refused.refused(403, "denied_by_policy");
    assert_eq!(refused.json["rule"], "own-secret", "{refused}");
    own.delete(&format!("{}/KEY", secrets(&home)))
        .await
        .approval();
    assert_eq!(scopes(&own, &home).await.len(), 1);
}

#[tokio::test]
async fn a_change_asks_those_to_start_anew_whom_it_reaches() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let listed = person.get("/workspaces").await.expect(200);
    let anchor = listed.items()[0]["id"].as_str().expect("an id").to_owned();
    let home = workspace(&person, "home", None).await;
    let other = workspace(&person, "other", None).await;
    write(&person, &secrets(&home), "KEY", "a")
        .await
        .expect(200);
    write(&person, "/settings/secrets", "KEY", "b")
        .await
        .expect(200);
    person
        .delete(&format!("{}/KEY", secrets(&home)))
        .await
        .expect(200);
    person.delete("/settings/secrets/KEY").await.expect(200);
    person.delete("/settings/secrets/KEY").await.expect(404);

    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    let (own, global) = (format!("{home}/KEY"), "global/KEY".to_owned());
    let all = sorted(vec![anchor.clone(), home.clone(), other.clone()]);
    assert_eq!(
        restarts(&person).await,
        [
            (own.clone(), vec![home.clone()]),
            // The one that overrides it is not reached.
            (global.clone(), sorted(vec![anchor, other])),
            (own, vec![home]),
            (global, all),
        ]
    );
}

#[tokio::test]
async fn where_one_value_does_not_open_none_is_given_out() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let home = workspace(&person, "home", None).await;
    for key in ["A", "B", "C"] {
        write(&person, &secrets(&home), key, "plain-value")
            .await
            .expect(200);
    }
    let token = workspace_token(&person, &home).await;
    let Stage {
        control_plane: _control_plane,
        host,
    } = stage;
    let builder = host.stop().await;
    // A row that was copied over another one, as a database's owner could.
    let sql =
        "UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE key = 'A') WHERE key = 'B'";
    tamper(&builder, sql).await;
    let host = builder.start().await;
    let own = host.agent(&token);
    let refused = own.get(&format!("{}/values", secrets(&home))).await;
    let refused = refused.refused(500, "secrets_unreadable");
    assert_eq!(refused.json["failed_keys"], json!(["B"]));
    assert!(!refused.page().contains("plain-value"), "{refused}");
    // Listing needs no value.
    assert_eq!(scopes(&own, &home).await.len(), 3);
}

#[tokio::test]
async fn plaintext_of_a_workspaces_token_and_secrets_is_nowhere() {
    let stage = Stage::set_for(Host::builder().env("COUNTERSIGN_LOG", "trace")).await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let home = workspace(&person, "a-name-that-is-stored", None).await;
    let first = workspace_token(&person, &home).await;
    let own = stage.host.agent(&first);
    let path = format!("/workspaces/{home}/tokens");
    let second = own.post(&path, json!({})).await.expect(201);
    let second = second.text("auth_token").to_owned();
    let own = stage.host.agent(&second);
    write(&person, &secrets(&home), "WRITTEN", "plain-written")
        .await
        .expect(200);
    let id = write(&agent, &secrets(&home), "GRANTED", "plain-granted")
        .await
        .approval();
    approve(&person, &id).await;
    write(&agent, &secrets(&home), "GRANTED", "plain-granted")
        .await
        .expect(200);
    write(&agent, &secrets(&home), "PENDING", "plain-pending")
        .await
        .approval();
    write(&own, &secrets(&home), "DENIED", "plain-denied")
        .await
        .expect(403);
    let values = own
        .get(&format!("{}/values", secrets(&home)))
        .await
        .expect(200);
    assert_eq!(values.json["GRANTED"], "plain-granted");
    for page in [
        "/console/approvals",
        "/approvals/pending",
        "/decisions",
        "/audit?limit=200",
    ] {
        let shown = person.get(page).await.expect(200).page();
        assert!(!shown.contains("plain-"), "{page}: {shown}");
        assert!(
            !shown.contains(&first[8..]) && !shown.contains(&second[8..]),
            "{page}"
        );
    }
    let nowhere: [PathBuf; 0] = [];
    assert_ne!(stage.host.files_with("a-name-that-is-stored"), nowhere);
    assert_eq!(stage.host.files_with("plain-"), nowhere);
    for token in [&first, &second] {
        assert_eq!(stage.host.files_with(token), nowhere);
        assert_eq!(stage.host.files_with(&token[8..47]), nowhere);
    }
}

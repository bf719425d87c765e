//! What is wrong with a request is named, with the field and without the value, and nothing is done.
//!
//! The requests are a person's: they would be done at once if they were taken.

use serde_json::json;

use crate::stage::{Stage, approval, secrets, tokens};

/// What must never come back, nor reach a log.
const SECRET: &str = "hunter2-is-not-for-logs";

#[tokio::test]
async fn a_mint_that_is_wrong_names_the_field_and_mints_nothing() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let long = "é".repeat(101);
    for (field, value) in [
        ("name", json!(long)),
        ("name", json!("x".repeat(5_000))),
        ("name", json!("pay\u{202e}roll")),
        ("name", json!("zero\u{200b}width")),
        ("name", json!("two\nlines")),
        ("name", json!("tab\t")),
        ("name", json!("  ")),
        ("name", json!("line\u{2028}separator")),
        ("name", json!("nul\u{0}")),
        ("name", json!(7)),
        ("name", json!({ "text": "x" })),
        ("name", json!(["x"])),
        ("name", json!(true)),
        ("role", json!("owner")),
        ("role", json!("none")),
        ("role", json!("Admin")),
        ("role", json!("")),
        ("role", json!(7)),
        ("workspace_id", json!("x")),
        ("workspace_id", json!("")),
        ("workspace_id", json!("11111111-1111-4111-8111-11111111111")),
        (
            "workspace_id",
            json!("11111111-1111-4111-8111-1111111111111"),
        ),
        ("workspace_id", json!(7)),
        ("expires_at", json!("2001-01-01T00:00:00Z")),
        ("expires_at", json!("tomorrow")),
        ("expires_at", json!("2100-01-01")),
        ("expires_at", json!("2100-01-01T00:00:00")),
        ("expires_at", json!("2100-02-30T00:00:00Z")),
        ("expires_at", json!("")),
        ("expires_at", json!(4_102_444_800_u64)),
    ] {
        person
            .post("/org/tokens", json!({ field: value }))
            .await
            .blames(field);
    }
    for (field, body) in [
        ("name", r#"{"name":"a","name":"a"}"#),
        ("role", r#"{"role":"reader","name":"a","role":"admin"}"#),
        ("expires_at", r#"{"expires_at":null,"expires_at":null}"#),
    ] {
        let reply = person.post_text("/org/tokens", body).await.blames(field);
        assert!(reply.text("error").contains("twice"), "{reply}");
    }
    assert!(tokens(&person).await.is_empty());

    // The longest name, and members that mean nothing.
    let fits = json!({ "name": "é".repeat(100), "scopes": ["*"], "role_": 7, "auth_token": "x" });
    let reply = person.post("/org/tokens", fits).await.expect(200);
    assert_ne!(reply.json["auth_token"], "x");
}

#[tokio::test]
async fn what_is_no_json_object_is_refused_as_a_whole() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let deep = format!(r#"{{"x":{}"#, "[".repeat(100_000));
    for body in [
        "{",
        "{}}",
        "{} {}",
        "[]",
        "null",
        "7",
        "\"name\"",
        "name=x",
        "{name:\"x\"}",
        "{'name':'x'}",
        "{\"name\":\"x\",}",
        "{\"name\":\"\\ud800\"}",
        "\u{feff}{}",
        &deep,
    ] {
        let reply = person.post_text("/org/tokens", body).await;
        reply.refused(400, "bad_request");
    }
    let bytes = b"{\"name\":\"\xff\"}".to_vec();
    let reply = person
        .send(
            "POST".parse().expect("a method"),
            "/org/tokens",
            None,
            bytes,
        )
        .await;
    reply.refused(400, "bad_request");
    assert!(tokens(&person).await.is_empty());
    // An empty body is an empty object.
    person.post_text("/org/tokens", "").await.expect(200);
}

#[tokio::test]
async fn a_secret_that_is_wrong_names_the_field_and_its_value_comes_back_nowhere() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let long = "K".repeat(129);
    for key in [
        "", "1KEY", "A-KEY", "A KEY", "KÉY", "KEY\n", "../KEY", "KEY=", &long,
    ] {
        let body = json!({ "key": key, "value": SECRET });
        for path in ["/settings/secrets", "/admin/secrets"] {
            let reply = person.post(path, body.clone()).await.blames("key");
            assert!(!reply.page().contains(SECRET), "{reply}");
        }
    }
    let torn = format!(r#"{{"key":"K","value":"{SECRET}"#);
    for (field, body) in [
        (Some("key"), format!(r#"{{"value":"{SECRET}"}}"#)),
        (Some("key"), format!(r#"{{"key":7,"value":"{SECRET}"}}"#)),
        (Some("key"), format!(r#"{{"key":null,"value":"{SECRET}"}}"#)),
        (
            Some("key"),
            format!(r#"{{"key":"K","key":"K","value":"{SECRET}"}}"#),
        ),
        (Some("value"), r#"{"key":"K"}"#.to_owned()),
        (
            Some("value"),
            format!(r#"{{"key":"K","value":["{SECRET}"]}}"#),
        ),
        (
            Some("value"),
            format!(r#"{{"key":"K","value":{{"{SECRET}":"{SECRET}"}}}}"#),
        ),
        (Some("value"), r#"{"key":"K","value":4711}"#.to_owned()),
        (Some("value"), r#"{"key":"K","value":null}"#.to_owned()),
        (
            Some("value"),
            format!(r#"{{"key":"K","value":"{SECRET}","value":"{SECRET}"}}"#),
        ),
        (None, torn),
        (None, format!(r#"["K","{SECRET}"]"#)),
        (
            None,
            format!(r#"{{"key":"K","value":"{SECRET}"}} {SECRET}"#),
        ),
        (None, format!("key=K&value={SECRET}")),
    ] {
        let reply = person.post_text("/settings/secrets", &body).await;
        let reply = match field {
            Some(field) => reply.blames(field),
            None => reply.refused(400, "bad_request"),
        };
        assert!(!reply.page().contains(SECRET), "{reply}");
        assert!(!reply.page().contains("4711"), "{reply}");
    }
    let big = format!("{SECRET}{}", "x".repeat(256 * 1024));
    let reply = person
        .post("/settings/secrets", json!({ "key": "K", "value": big }))
        .await;
    let reply = reply.blames("value");
    assert!(!reply.page().contains(SECRET), "{reply}");

    person.delete("/settings/secrets/1KEY").await.blames("key");
    person
        .delete("/settings/secrets/KEY")
        .await
        .refused(404, "not_found");
    assert!(secrets(&person).await.is_empty());
    assert_eq!(
        stage.host.files_with(SECRET),
        Vec::<std::path::PathBuf>::new()
    );
}

#[tokio::test]
async fn a_decision_that_is_wrong_decides_nothing() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let id = stage
        .agent()
        .post("/org/tokens", json!({}))
        .await
        .approval();
    let path = format!("/approvals/{id}/decide");
    for (field, body) in [
        ("decision", json!({})),
        ("decision", json!({ "decision": "approve" })),
        ("decision", json!({ "decision": "APPROVED" })),
        ("decision", json!({ "decision": " approved" })),
        ("decision", json!({ "decision": "" })),
        ("decision", json!({ "decision": true })),
        ("decision", json!({ "decision": null })),
        ("decision", json!({ "decision": ["approved"] })),
        (
            "reason",
            json!({ "decision": "approved", "reason": "x".repeat(501) }),
        ),
        (
            "reason",
            json!({ "decision": "approved", "reason": "a\u{202e}b" }),
        ),
        ("reason", json!({ "decision": "approved", "reason": 7 })),
        ("digest", json!({ "decision": "approved", "digest": 7 })),
    ] {
        person.post(&path, body).await.blames(field);
    }
    let twice = r#"{"decision":"denied","decision":"approved"}"#;
    person.post_text(&path, twice).await.blames("decision");
    let other = json!({ "decision": "approved", "digest": "0".repeat(64) });
    person
        .post(&path, other)
        .await
        .refused(409, "digest_mismatch");

    let body = json!({ "decision": "approved" });
    for bad in ["x", "1", "11111111-1111-4111-8111-11111111111", "%00"] {
        let path = format!("/approvals/{bad}/decide");
        person.post(&path, body.clone()).await.blames("id");
        let path = format!("/workspaces/{bad}/approvals/{id}/decide");
        person.post(&path, body.clone()).await.blames("workspace");
    }
    let nobody = "/approvals/11111111-1111-4111-8111-111111111111/decide";
    let reply = person.post(nobody, body).await.expect(404);
    assert_eq!(reply.json["error"], "approval not found or already decided");
    assert_eq!(approval(&person, &id).await["status"], "pending");
}

#[tokio::test]
async fn a_query_or_a_path_that_is_wrong_names_its_part() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let id = stage
        .agent()
        .post("/org/tokens", json!({}))
        .await
        .approval();
    for (field, path) in [
        ("wait", format!("/approvals/{id}?wait=56")),
        ("wait", format!("/approvals/{id}?wait=-1")),
        ("wait", format!("/approvals/{id}?wait=soon")),
        ("wait", format!("/approvals/{id}?wait=0&wait=0")),
        ("limit", "/approvals/pending?limit=0".to_owned()),
        ("limit", "/audit?limit=201".to_owned()),
        ("limit", "/decisions?limit=all".to_owned()),
        ("cursor", "/approvals/pending?cursor=nonsense".to_owned()),
        ("cursor", "/decisions?cursor=7".to_owned()),
        ("cursor", format!("/audit?cursor={id}")),
        ("cursor", "/audit?cursor=-1".to_owned()),
        ("cursor", "/policies/generations?cursor=last".to_owned()),
        ("id", "/approvals/x".to_owned()),
        ("id", "/decisions/x".to_owned()),
    ] {
        person.get(&path).await.blames(field);
    }
    person.delete("/org/tokens/x").await.blames("id");
    person
        .get("/approvals/%FF")
        .await
        .refused(400, "bad_request");
    let nobody = "11111111-1111-4111-8111-111111111111";
    // What is misspelt would leave alive what the caller believes to be revoked, or end what it needs.
    for (field, value) in [
        ("descendants", "1"),
        ("descendants", "TRUE"),
        ("descendants", ""),
        ("drain_seconds", ""),
        ("drain_seconds", "-1"),
        ("drain_seconds", "1.5"),
        ("drain_seconds", "3601"),
        ("drain_seconds", "99999999999999999999"),
    ] {
        let path = format!("/org/tokens/{nobody}?{field}={value}");
        person.delete(&path).await.blames(field);
    }
    for hours in ["0", "745", "x"] {
        let path = format!("/org/tokens/{nobody}/usage?hours={hours}");
        person.get(&path).await.blames("hours");
    }
    person
        .get(&format!("/org/tokens/{nobody}/usage"))
        .await
        .refused(404, "not_found");
    person
        .get(&format!("/approvals/{nobody}"))
        .await
        .refused(404, "not_found");
    person
        .get(&format!("/decisions/{nobody}"))
        .await
        .refused(404, "not_found");
    let reply = person
        .delete(&format!("/org/tokens/{nobody}"))
        .await
        .expect(404);
    assert_eq!(reply.json["error"], "token not found or already revoked");
}

#[tokio::test]
async fn an_approval_id_that_is_wrong_is_refused_before_anything_is_asked() {
    let stage = Stage::set().await;
    let agent = stage.agent();
    for wrong in [
        agent.with("approval-id", "x"),
        agent.with("approval-id", ""),
        agent.with("approval-id", b"\xff"),
    ] {
        wrong
            .post("/org/tokens", json!({}))
            .await
            .blames("Approval-Id");
    }
    let id = "11111111-1111-4111-8111-111111111111";
    let named = agent.with("approval-id", id);
    let twice = named.also("approval-id", id);
    twice
        .post("/org/tokens", json!({}))
        .await
        .blames("Approval-Id");
    let unknown = named.post("/org/tokens", json!({})).await;
    unknown.refused(403, "approval_mismatch");
    assert!(
        agent
            .get("/approvals/pending")
            .await
            .expect(200)
            .items()
            .is_empty()
    );
}

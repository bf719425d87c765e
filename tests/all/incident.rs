//! The incident that the project was born from, act by act: an agent holds the tenant's ADMIN_TOKEN, asks
//! for more than it should have, and a person stands between.

use countersign_tests::Caller;
use serde_json::json;

use crate::stage::{
    ADMIN_TOKEN, Stage, approval, approve, decide, minted, pending, secrets, tokens,
};

/// What the agent asks for.
const MINT: &str = r#"{"name":"ci","role":"editor"}"#;

async fn ask(agent: &Caller) -> String {
    agent.post_text("/org/tokens", MINT).await.approval()
}

#[tokio::test]
async fn an_agents_mint_waits_for_a_person_and_nothing_is_minted() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);

    let reply = agent.post_text("/org/tokens", MINT).await.expect(202);
    let id = reply.clone().approval();
    assert_eq!(reply.json["action"], "org_token_mint", "{reply}");
    let reason = reply.text("reason");
    assert!(reason.contains("`ci`"), "what is asked: {reply}");
    assert!(
        reason.contains("need a person"),
        "and why it is gated: {reply}"
    );
    assert!(!reason.contains('\n'), "in one line: {reply}");
    let poll = format!("/approvals/{id}");
    assert_eq!(reply.header("location"), Some(poll.as_str()));
    assert_eq!(reply.json["poll"], poll);
    let retry: u32 = reply
        .header("retry-after")
        .expect("there")
        .parse()
        .expect("seconds");
    assert!((1..=60).contains(&retry), "{retry}");
    assert!(
        reply.text("approve_url").starts_with(stage.host.origin()),
        "{reply}"
    );
    assert!(reply.text("expires_at").ends_with('Z'), "{reply}");
    assert!(reply.json.get("auth_token").is_none(), "{reply}");
    assert!(reply.header("x-decision-id").is_some(), "{reply}");
    assert_eq!(reply.header("x-policy-generation"), Some("1"), "{reply}");

    let rows = pending(&person).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["id"], id);
    assert_eq!(rows[0]["action"], "org_token_mint");
    assert_eq!(rows[0]["status"], "pending");
    assert_eq!(rows[0]["requester"], "admin-token");
    for member in ["workspace_id", "workspace_name", "reason", "created_at"] {
        assert!(rows[0][member].is_string(), "{member}: {}", rows[0]);
    }
    assert_eq!(pending(&agent).await.len(), 1, "the agent sees its own");
    assert_eq!(tokens(&person).await.len(), 0);
}

#[tokio::test]
async fn an_agents_secret_write_waits_for_a_person_and_nothing_is_written() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let write = json!({ "key": "DEPLOY_KEY", "value": "hunter2-hunter2" });

    let reply = agent
        .post("/settings/secrets", write.clone())
        .await
        .expect(202);
    let id = reply.clone().approval();
    assert_eq!(reply.json["action"], "secret_write", "{reply}");
    assert!(reply.text("reason").contains("DEPLOY_KEY"), "{reply}");
    assert!(!reply.page().contains("hunter2"), "{reply}");

    // The other routes of the same deed ask for the same.
    assert_eq!(
        agent
            .put("/settings/secrets", write.clone())
            .await
            .approval(),
        id
    );
    assert_eq!(agent.post("/admin/secrets", write).await.approval(), id);

    let rows = pending(&person).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["resource"]["id"], "global/DEPLOY_KEY");
    assert!(!rows[0].to_string().contains("hunter2"), "{}", rows[0]);
    assert!(secrets(&person).await.is_empty());
}

#[tokio::test]
async fn the_same_request_again_is_the_same_approval() {
    let stage = Stage::set().await;
    let agent = stage.agent();
    let first = ask(&agent).await;
    for same in [
        MINT,
        r#"{"role":"editor","name":"ci"}"#,
        "\n{ \"name\" :\t\"ci\",\r\n \"role\" : \"editor\" } ",
        r#"{"name":"\u0063i","role":"editor"}"#,
        r#"{"name":"ci","role":"editor","workspace_id":null,"unknown":{"name":"x"}}"#,
    ] {
        let again = agent.post_text("/org/tokens", same).await.approval();
        assert_eq!(again, first, "{same}");
    }
    let other = agent.post("/org/tokens", json!({ "name": "cd", "role": "editor" }));
    assert_ne!(other.await.approval(), first);
    assert_eq!(pending(&agent).await.len(), 2);
}

#[tokio::test]
async fn the_agent_cannot_decide_on_any_route_in_any_disguise() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let id = ask(&agent).await;
    let workspace = approval(&person, &id).await["workspace_id"].clone();
    let workspace = workspace.as_str().expect("a workspace");
    let own_token = minted(&person, json!({ "name": "another agent's" })).await;

    let posts = [
        format!("/approvals/{id}/decide"),
        format!("/workspaces/{workspace}/approvals/{id}/decide"),
    ];
    let disguises = [
        agent.clone(),
        stage.host.agent(&own_token),
        agent.cookie("cp_session=junk"),
        agent.cookie("countersign=junk; session=junk; user=ann"),
        agent
            .with("origin", stage.host.origin())
            .with("sec-fetch-site", "same-origin"),
        agent
            .with("x-user", "ann")
            .with("x-forwarded-user", "ann")
            .with("x-actor", "human"),
        agent.with("approval-id", &id),
    ];
    let claims = json!({
        "decision": "approved", "decided_by": "ann", "class": "human", "human": true,
        "user_id": "ann", "approver": "ann", "session": true,
    });
    for path in &posts {
        for disguise in &disguises {
            let reply = disguise.post(path, claims.clone()).await;
            reply.refused(403, "approver_must_be_human");
        }
        let nobody = stage.host.anonymous().post(path, claims.clone()).await;
        nobody.refused(401, "unauthenticated");
        let junk = stage
            .host
            .session("cp_session=junk")
            .post(path, claims.clone())
            .await;
        junk.refused(401, "unauthenticated");
    }
    let form = [("decision", "approved"), ("digest", "x")];
    let console = agent
        .post_form(&format!("/console/approvals/{id}"), &form)
        .await;
    assert_eq!(console.status, 403, "{console}");
    assert_eq!(approval(&person, &id).await["status"], "pending");
    assert_eq!(ask(&agent).await, id, "it still waits");
}

#[tokio::test]
async fn reading_never_decides() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let id = ask(&stage.agent()).await;
    for path in [
        format!("/approvals/{id}/decide"),
        format!("/approvals/{id}/decide?decision=approved"),
        format!("/console/approvals/{id}?decision=approved"),
        format!("/approvals/{id}?decision=approved"),
    ] {
        person.get(&path).await;
        assert_eq!(approval(&person, &id).await["status"], "pending", "{path}");
    }
    let decide = person.get(&format!("/approvals/{id}/decide")).await;
    assert_eq!(decide.status, 405, "{decide}");
}

#[tokio::test]
async fn another_site_cannot_decide_with_a_persons_cookie() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let id = ask(&stage.agent()).await;
    let elsewhere = person.without("sec-fetch-site");
    for forged in [
        elsewhere.clone(),
        person.with("sec-fetch-site", "cross-site"),
        person.with("sec-fetch-site", "same-site"),
        person.with("sec-fetch-site", "none"),
        // What the browser says outweighs an origin that happens to fit.
        person
            .with("sec-fetch-site", "cross-site")
            .with("origin", stage.host.origin()),
        elsewhere.with("origin", "https://evil.example"),
        elsewhere.with("origin", "null"),
        elsewhere.with("origin", format!("{}.evil.example", stage.host.origin())),
        elsewhere.with("origin", stage.host.origin().replace("http:", "https:")),
        elsewhere.with("referer", format!("{}/console", stage.host.origin())),
    ] {
        let reply = decide(&forged, &id, "approved").await;
        reply.refused(403, "cross_site");
        let mint = forged.post("/org/tokens", json!({})).await;
        mint.refused(403, "cross_site");
    }
    assert_eq!(approval(&person, &id).await["status"], "pending");
    assert!(tokens(&person).await.is_empty());

    // An old browser, which says only where it is.
    approve(&elsewhere.with("origin", stage.host.origin()), &id).await;
}

#[tokio::test]
async fn a_person_approves_and_the_retry_mints_exactly_once() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let id = ask(&agent).await;
    approve(&person, &id).await;
    assert!(
        tokens(&person).await.is_empty(),
        "approving does nothing yet"
    );

    let reply = agent.post_text("/org/tokens", MINT).await.expect(200);
    let token = reply.text("auth_token").to_owned();
    assert!(token.starts_with("cso_") && token.len() == 53, "{reply}");
    assert_eq!(reply.json["prefix"], token[..8], "{reply}");
    assert_eq!(reply.json["name"], "ci", "{reply}");
    assert_eq!(
        reply.json["warning"],
        "copy this token now; it will not be shown again"
    );
    stage
        .host
        .agent(&token)
        .get("/approvals/pending")
        .await
        .expect(200);

    let listed = tokens(&person).await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["created_by"], "admin-token");
    assert_eq!(listed[0]["role"], "editor");
    assert_eq!(approval(&person, &id).await["status"], "used");

    let again = ask(&agent).await;
    assert_ne!(again, id, "a grant works once");
    let named = agent
        .with("approval-id", &id)
        .post_text("/org/tokens", MINT)
        .await;
    named.refused(403, "grant_used");
    assert_eq!(tokens(&person).await.len(), 1);
}

#[tokio::test]
async fn the_workspaces_route_decides_as_well_and_only_for_its_own_workspace() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let id = ask(&agent).await;
    let workspace = approval(&person, &id).await["workspace_id"].clone();
    let workspace = workspace.as_str().expect("a workspace").to_owned();
    let body = json!({ "decision": "approved" });

    let elsewhere = "00000000-0000-4000-8000-000000000000";
    let path = format!("/workspaces/{elsewhere}/approvals/{id}/decide");
    let reply = person.post(&path, body.clone()).await.expect(404);
    assert_eq!(reply.json["error"], "approval not found or already decided");

    let path = format!("/workspaces/{workspace}/approvals/{id}/decide");
    let reply = person.post(&path, body.clone()).await.expect(200);
    assert_eq!(
        reply.json,
        json!({ "status": "approved", "approval_id": id })
    );
    let again = person.post(&path, body).await.expect(404);
    assert_eq!(again.json["error"], "approval not found or already decided");
    agent.post_text("/org/tokens", MINT).await.expect(200);
}

#[tokio::test]
async fn what_a_person_denies_stays_undone_and_is_not_asked_again_at_once() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let id = ask(&agent).await;
    let path = format!("/approvals/{id}/decide");
    let body = json!({ "decision": "denied", "reason": "not today" });
    let reply = person.post(&path, body).await.expect(200);
    assert_eq!(reply.json["status"], "denied", "{reply}");

    for retry in [agent.clone(), agent.with("approval-id", &id)] {
        let reply = retry.post_text("/org/tokens", MINT).await;
        let reply = reply.refused(403, "approval_denied");
        assert!(reply.text("error").contains("not today"), "{reply}");
    }
    let overruled = decide(&person, &id, "approved").await;
    overruled.refused(404, "not_pending");
    assert!(pending(&person).await.is_empty());
    assert!(tokens(&person).await.is_empty());
}

#[tokio::test]
async fn an_organisation_token_is_gated_like_the_admin_token() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let token = minted(&person, json!({ "name": "agent" })).await;
    let agent = stage.host.agent(&token);

    let id = ask(&agent).await;
    let row = approval(&person, &id).await;
    assert_eq!(row["requester"], format!("org-token:{}", &token[..8]));
    agent
        .post("/settings/secrets", json!({ "key": "K", "value": "v" }))
        .await
        .approval();
    assert_eq!(tokens(&person).await.len(), 1);

    approve(&person, &id).await;
    agent.post_text("/org/tokens", MINT).await.expect(200);
    assert_eq!(tokens(&person).await.len(), 2);
}

#[tokio::test]
async fn another_credential_can_neither_see_nor_use_the_grant() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let token = minted(&person, json!({ "name": "agent" })).await;
    let other = stage.host.agent(&token);
    let id = ask(&agent).await;
    approve(&person, &id).await;

    other.get(&format!("/approvals/{id}")).await.expect(404);
    let named = other
        .with("approval-id", &id)
        .post_text("/org/tokens", MINT)
        .await;
    named.refused(403, "approval_mismatch");
    assert_ne!(ask(&other).await, id, "it has to ask for itself");
    assert_eq!(tokens(&person).await.len(), 1);

    agent.post_text("/org/tokens", MINT).await.expect(200);
}

#[tokio::test]
async fn another_admin_token_is_another_credential() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let id = ask(&stage.agent()).await;
    approve(&person, &id).await;

    let host = stage.host.stop().await.admin_token("rotated").start().await;
    let former = host.agent(ADMIN_TOKEN).post_text("/org/tokens", MINT).await;
    former.refused(401, "unauthenticated");
    let rotated = host.agent("rotated");
    assert_ne!(ask(&rotated).await, id);
    let named = rotated
        .with("approval-id", &id)
        .post_text("/org/tokens", MINT)
        .await;
    named.refused(403, "approval_mismatch");
}

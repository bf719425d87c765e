//! The provisioner: the install path's own secret, its four verbs, and its trace.

use countersign_tests::{Caller, Host, Reply};
use serde_json::{Value, json};

use crate::stage::{ADMIN_TOKEN, Stage, minted, pending, tokens, workspaces};

const PROVISION_TOKEN: &str = "the-provision-token-of-the-install-path";

async fn stage() -> Stage {
    Stage::set_for(Host::builder().provision_token(PROVISION_TOKEN)).await
}

async fn mint(caller: &Caller) -> Reply {
    caller.post("/org/tokens", json!({ "name": "first" })).await
}

/// The audit's entries of the provisioner's uses, oldest first: verb and outcome.
async fn uses(person: &Caller) -> Vec<(String, String)> {
    let audit = person.get("/audit?limit=200").await.expect(200);
    let entries = audit.json["entries"].as_array().expect("entries");
    let text = |entry: &Value, name: &str| entry["detail"][name].as_str().unwrap_or("").to_owned();
    entries
        .iter()
        .filter(|entry| entry["kind"] == "provisioner_used")
        .inspect(|entry| assert_eq!(entry["actor"], "provisioner"))
        .map(|entry| (text(entry, "verb"), text(entry, "outcome")))
        .collect()
}

// Guards: `record` in host/store/src/portable/settle.rs, without which no use has an entry of its own.
#[tokio::test]
async fn what_an_installation_needs_is_done_at_once_and_each_use_is_on_record() {
    let stage = stage().await;
    let installer = stage.host.provisioner(PROVISION_TOKEN);
    let person = stage.person("ann").await;
    let created = installer.post("/workspaces", json!({ "name": "research" }));
    let id = created.await.expect(201).text("id").to_owned();
    let token = installer
        .post(&format!("/workspaces/{id}/tokens"), json!({}))
        .await
        .expect(201);
    let secret = json!({ "key": "API_KEY", "value": "v" });
    let path = format!("/workspaces/{id}/secrets");
    installer.post(&path, secret).await.expect(200);
    let minted = mint(&installer).await.expect(200);

    let listed = tokens(&person).await;
    assert_eq!(listed[0]["created_by"], "provisioner");
    assert_eq!(listed[0]["created_by_user"], Value::Null);
    let created = &workspaces(&person).await[0];
    assert_eq!(created["created_by"], "provisioner", "{created}");
    assert!(pending(&person).await.is_empty());
    let expected = [
        "workspace_create",
        "workspace_token_mint",
        "secret_write",
        "org_token_mint",
    ];
    let expected = expected.map(|verb| (verb.to_owned(), "allowed".to_owned()));
    assert_eq!(uses(&person).await, expected);

    // What it equipped is no family: each is a program of its own.
    let agent = stage.host.agent(token.text("auth_token"));
    agent.get(&path).await.expect(200);
    let other = mint(&installer).await.expect(200);
    let agent = stage.host.agent(minted.text("auth_token"));
    let path = format!("/org/tokens/{}", other.text("id"));
    agent.delete(&path).await.approval();
    person.get("/audit/verify").await.expect(200);
    assert_eq!(
        stage.host.files_with(PROVISION_TOKEN),
        [] as [std::path::PathBuf; 0]
    );
}

#[tokio::test]
async fn everything_else_is_refused_by_the_core_and_on_record_too() {
    let stage = stage().await;
    let installer = stage.host.provisioner(PROVISION_TOKEN);
    let person = stage.person("ann").await;
    let id = crate::stage::workspace(&person, "research", None).await;
    let token = minted(&person, json!({})).await;
    let listed = tokens(&person).await;
    let minted = format!("/org/tokens/{}", listed[0]["id"].as_str().expect("an id"));
    let workspace = format!("/workspaces/{id}");
    // What it asks for may have to wait, where another module says so: it sees its own requests, and no more.
    let own = installer.get("/approvals/pending").await.expect(200);
    assert_eq!(own.items().len(), 0, "{own}");
    for reply in [
        installer.get("/org/tokens").await,
        installer.delete(&minted).await,
        installer.get("/workspaces").await,
        installer.get(&workspace).await,
        installer.patch(&workspace, json!({ "name": "x" })).await,
        installer.delete(&format!("{workspace}?confirm=true")).await,
        installer.get(&format!("{workspace}/secrets")).await,
        installer.get(&format!("{workspace}/secrets/values")).await,
        installer.delete("/settings/secrets/API_KEY").await,
        installer.get("/policies").await,
        installer.get("/audit").await,
        installer.get("/decisions").await,
    ] {
        let reply = reply.refused(403, "denied_by_policy");
        assert_eq!(reply.json["policy"], "core", "{reply}");
        assert_eq!(reply.json["rule"], "provisioner-scope", "{reply}");
    }
    let uses = uses(&person).await;
    assert_eq!(uses.len(), 13, "{uses:?}");
    assert!(
        uses.iter()
            .all(|(verb, outcome)| (outcome == "refused") == (verb != "approval_list")),
        "{uses:?}"
    );
    let id = mint(&stage.agent()).await.approval();
    crate::stage::decide(&installer, &id, "approved")
        .await
        .refused(403, "approver_must_be_human");
    stage
        .host
        .agent(&token)
        .get("/org/tokens")
        .await
        .expect(200);
}

// Guards: `shared_secret::provisioner` and `Credentials::verify` in host/server/src/credentials.
#[tokio::test]
async fn a_provision_token_that_is_wrong_or_not_alone_is_nobodys() {
    let stage = stage().await;
    let host = &stage.host;
    let installer = host.provisioner(PROVISION_TOKEN);
    let person = stage.person("ann").await;
    let token = minted(&person, json!({})).await;
    let mut bodies = Vec::new();
    for caller in [
        host.provisioner("wrong"),
        host.provisioner(""),
        host.provisioner(ADMIN_TOKEN),
        host.provisioner(&PROVISION_TOKEN[1..]),
        host.provisioner(&PROVISION_TOKEN.to_uppercase()),
        host.provisioner(&format!("Bearer {PROVISION_TOKEN}")),
        host.anonymous().with("x-provision-token", b"\xff\xfe"),
        installer.also("x-provision-token", PROVISION_TOKEN),
        installer.also("x-provision-token", "wrong"),
        installer.bearer(ADMIN_TOKEN),
        installer.bearer(&token),
        installer.bearer("junk"),
        installer.with("authorization", ""),
        person.with("x-provision-token", PROVISION_TOKEN),
        person.with("x-provision-token", "wrong"),
        host.agent(ADMIN_TOKEN).with("x-provision-token", "wrong"),
    ] {
        let reply = mint(&caller).await.refused(401, "unauthenticated");
        bodies.push(reply.page());
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    // As a bearer it is none.
    mint(&host.agent(PROVISION_TOKEN))
        .await
        .refused(401, "unauthenticated");
    assert_eq!(tokens(&person).await.len(), 1);
    assert_eq!(uses(&person).await, []);

    // A cookie that proves nothing is nothing, beside this as beside a bearer.
    let junk = host.session("cp_session=junk");
    let beside = junk.with("x-provision-token", PROVISION_TOKEN);
    mint(&beside).await.expect(200);
}

#[tokio::test]
async fn a_host_without_a_provision_token_takes_none() {
    let host = Host::start(ADMIN_TOKEN).await;
    for token in ["", "anything", PROVISION_TOKEN] {
        let caller = host.provisioner(token);
        mint(&caller).await.refused(401, "unauthenticated");
        let caller = host.agent(ADMIN_TOKEN).with("x-provision-token", token);
        mint(&caller).await.refused(401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_provision_token_that_an_agent_may_hold_or_guess_stops_the_start() {
    let long = "an-admin-token-that-is-longer-than-32-bytes";
    let builder = || Host::builder().admin_token(long);
    let failure = builder().provision_token(long).fail().await;
    let failure = failure.says(&["PROVISION_TOKEN", "ADMIN_TOKEN"]);
    assert!(!failure.said.contains(long), "{}", failure.said);
    let short = "0123456789abcdef0123456789abcde";
    let failure = builder().provision_token(short).fail().await;
    let failure = failure.says(&["PROVISION_TOKEN", "32 bytes"]);
    assert!(!failure.said.contains(short), "{}", failure.said);
}

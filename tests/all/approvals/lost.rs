//! Answers that got lost on their way.

use countersign_tests::Caller;
use serde_json::json;
use tokio::task::JoinSet;

use super::mint;
use crate::stage::{Stage, approve, tokens, workspace};

// Guard: `last_used_at IS NULL` in the statements of `unclaimed` and `retire`,
// host/store/src/portable/tokens.rs, and that the first use is noted before the answer, in
// host/server/src/credentials/tokens.rs.
#[tokio::test]
async fn of_many_repeats_at_once_each_token_but_one_is_dead() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let id = mint(&stage.agent(), "ci").await.approval();
    approve(&person, &id).await;
    let named = stage.agent().with("approval-id", &id);
    let mut repeats = JoinSet::new();
    for _ in 0..24 {
        let named = named.clone();
        repeats.spawn(async move { mint(&named, "ci").await });
    }
    let mut minted = Vec::new();
    for reply in repeats.join_all().await {
        let reply = reply.expect(200);
        assert_eq!(reply.json["name"], "ci", "{reply}");
        minted.push(stage.host.agent(reply.text("auth_token")));
    }
    assert_eq!(tokens(&person).await.len(), 1);
    let mut live = 0;
    for token in &minted {
        let reply = token.get("/org/tokens").await;
        match reply.status {
            200 => live += 1,
            _ => drop(reply.refused(401, "unauthenticated")),
        }
    }
    assert_eq!(live, 1);
    // Now that it was presented, it stays.
    mint(&named, "ci").await.refused(403, "grant_used");
    assert_eq!(tokens(&person).await.len(), 1);
    let audit = person.get("/audit?limit=200").await.expect(200).page();
    let events = |kind: &str| audit.matches(&format!("\"{kind}\"")).count();
    assert_eq!(events("org_token_minted"), 1);
    assert_eq!(events("org_token_replaced"), 23);
    assert_eq!(events("org_token_revoked"), 0);
}

#[tokio::test]
async fn a_token_that_was_presented_once_is_never_replaced() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let home = workspace(&person, "home", None).await;
    let agent = stage.agent();
    let paths = [
        ("/org/tokens".to_owned(), "/approvals/pending".to_owned()),
        (
            format!("/workspaces/{home}/tokens"),
            format!("/workspaces/{home}/secrets"),
        ),
    ];
    for (mint, read) in paths {
        let ask = async |caller: &Caller| caller.post(&mint, json!({})).await;
        let id = ask(&agent).await.approval();
        approve(&person, &id).await;
        let named = agent.with("approval-id", &id);
        let lost = ask(&agent).await;
        let found = ask(&named).await;
        assert_eq!(lost.status, found.status, "{found}");
        let [lost, found] = [lost, found].map(|reply| stage.host.agent(reply.text("auth_token")));
        lost.get(&read).await.refused(401, "unauthenticated");
        // The very request after the first one that presents it.
        found.get(&read).await.expect(200);
        ask(&named).await.refused(403, "grant_used");
        found.get(&read).await.expect(200);
        // Without the name, it is another request.
        assert_ne!(ask(&agent).await.approval(), id);
    }
}

#[tokio::test]
async fn nobody_else_gets_what_was_lost() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let other = crate::stage::minted(&person, json!({ "name": "other" })).await;
    let agent = stage.agent();
    let id = mint(&agent, "ci").await.approval();
    approve(&person, &id).await;
    let token = mint(&agent, "ci").await.expect(200);
    for thief in [stage.host.agent(&other), person.clone()] {
        let reply = mint(&thief.with("approval-id", &id), "ci").await;
        assert_ne!(reply.json["id"], token.json["id"]);
    }
    let changed = mint(&agent.with("approval-id", &id), "CI").await;
    changed.refused(403, "approval_mismatch");
    let token = stage.host.agent(token.text("auth_token"));
    token.get("/org/tokens").await.expect(200);
}

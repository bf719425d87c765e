//! The disk fails: it is full, read-only, or holds pages that nobody wrote. Whatever the host cannot
//! record it does not do, what it acknowledged is there afterwards, and it goes on when the disk does.

mod corrupt;
mod full;
mod read_only;

use std::time::Duration;

use countersign_tests::{Caller, Host, OperatorSession, Reply, until};
use serde_json::{Value, json};

use crate::stage::{ADMIN_TOKEN, approve, minted, tokens};

/// A host notices so soon that it can write again: it looks when it is asked, once a second at most.
const RECOVERY: Duration = Duration::from_secs(15);

/// What was acknowledged before the disk failed.
struct Before {
    session: OperatorSession,
    /// A token that works.
    token: String,
    /// Its id.
    id: Value,
    /// A request of the agent's that a person approved, not yet repeated.
    granted: String,
    /// One that waits.
    pending: String,
}

impl Before {
    async fn acknowledged(host: &Host) -> Self {
        let session = host.operator_session().await;
        let person = host.signed_in(&session);
        let agent = host.agent(ADMIN_TOKEN);
        let token = minted(&person, json!({ "name": "kept" })).await;
        let id = tokens(&person).await[0]["id"].clone();
        let granted = mint(&agent, "granted").await.approval();
        approve(&person, &granted).await;
        let pending = mint(&agent, "pending").await.approval();
        Self {
            session,
            token,
            id,
            granted,
            pending,
        }
    }

    /// All of it is there and nothing else, the grant works once, and the record is whole.
    async fn is_all_there_is(&self, host: &Host) {
        let (person, agent) = (host.signed_in(&self.session), host.agent(ADMIN_TOKEN));
        tokens(&host.agent(&self.token)).await;
        assert_eq!(names(&person).await, ["kept"]);
        let waiting = person.get("/approvals/pending").await.expect(200);
        let waiting: Vec<_> = waiting.items().iter().map(|item| &item["id"]).collect();
        assert_eq!(waiting, [self.pending.as_str()]);
        let secrets = person.get("/settings/secrets").await.expect(200);
        assert!(secrets.items().is_empty(), "{secrets}");

        let named = agent.with("approval-id", &self.granted);
        let granted = mint(&named, "granted").await.expect(200);
        tokens(&host.agent(granted.text("auth_token"))).await;
        mint(&named, "granted").await.refused(403, "grant_used");
        assert_eq!(names(&person).await, ["granted", "kept"]);
        is_whole(&person).await;
    }
}

async fn mint(caller: &Caller, name: &str) -> Reply {
    caller.post("/org/tokens", json!({ "name": name })).await
}

/// The names of the live tokens, newest first.
async fn names(person: &Caller) -> Vec<String> {
    let name = |token: &Value| token["name"].as_str().unwrap_or_default().to_owned();
    tokens(person).await.iter().map(name).collect()
}

async fn is_whole(person: &Caller) {
    let walked = person.get("/audit/verify").await.expect(200);
    assert_eq!(walked.json["whole"], true, "{walked}");
}

/// The contract's words, and none of the database's.
#[track_caller]
fn is_unavailable(reply: Reply) {
    let reply = reply.refused(503, "platform_unavailable");
    assert_eq!(
        reply.json["error"], "platform datastore unavailable — retry shortly",
        "{reply}"
    );
    assert!(reply.header("retry-after").is_some(), "{reply}");
}

/// The host lives, and says that it can do nothing.
async fn is_not_ready(host: &Host) {
    let anybody = host.anonymous();
    until("the host says no", RECOVERY, async || {
        let ready = anybody.get("/ready").await;
        (ready.status != 200).then(|| is_unavailable(ready))
    })
    .await;
    anybody.get("/health").await.expect(200);
}

async fn is_ready_again(host: &Host) {
    until("the host is ready again", RECOVERY, async || {
        (host.anonymous().get("/ready").await.status == 200).then_some(())
    })
    .await;
}

/// A token that nobody has presented yet, and one that somebody has.
struct FirstUse {
    agent: Caller,
    approval: String,
    fresh: Caller,
    known: Caller,
}

impl FirstUse {
    async fn lies_ahead(host: &Host, person: &Caller) -> Self {
        let known = host.agent(&minted(person, json!({ "name": "known" })).await);
        tokens(&known).await;
        let agent = host.agent(ADMIN_TOKEN);
        let approval = mint(&agent, "fresh").await.approval();
        approve(person, &approval).await;
        let fresh = mint(&agent, "fresh").await.expect(200);
        Self {
            fresh: host.agent(fresh.text("auth_token")),
            agent,
            approval,
            known,
        }
    }

    /// While it cannot be written down, it is not believed: not even a mistake is answered, of which a
    /// token that was used before is told.
    async fn is_refused(&self) {
        let mistake = "/org/tokens/x/usage";
        // A server that is told to write nothing ends the connections that there are.
        until("the host reads again", RECOVERY, async || {
            (self.known.get(mistake).await.status == 400).then_some(())
        })
        .await;
        is_unavailable(self.fresh.get(mistake).await);
        is_unavailable(self.fresh.get("/org/tokens").await);
        is_unavailable(mint(&self.fresh, "child").await);
        is_unavailable(self.fresh.delete("/settings/secrets/DEPLOY_KEY").await);
    }

    /// So it is still one that nobody ever got, and can be replaced; and nothing else was done.
    async fn still_lies_ahead(&self, person: &Caller, host: &Host) {
        let named = self.agent.with("approval-id", &self.approval);
        let replacement = mint(&named, "fresh").await.expect(200);
        let dead = self.fresh.get("/org/tokens").await;
        dead.refused(401, "unauthenticated");
        let replacement = host.agent(replacement.text("auth_token"));
        assert_eq!(tokens(&replacement).await.len(), 2);
        mint(&named, "fresh").await.refused(403, "grant_used");
        assert_eq!(names(person).await, ["fresh", "known"]);
        is_whole(person).await;
    }
}

/// Every verb that a host has, once, of whoever could have it: each is refused.
async fn nothing_is_allowed(host: &Host, before: &Before) {
    let person = host.signed_in(&before.session);
    let agent = host.agent(ADMIN_TOKEN);
    let id = before.id.as_str().expect("an id");
    let token = format!("/org/tokens/{id}");
    let secret = json!({ "key": "DEPLOY_KEY", "value": "v" });
    for caller in [&person, &agent, &host.agent(&before.token)] {
        is_unavailable(mint(caller, "while it failed").await);
        is_unavailable(caller.delete(&token).await);
        is_unavailable(caller.post("/settings/secrets", secret.clone()).await);
        is_unavailable(caller.delete("/settings/secrets/DEPLOY_KEY").await);
        for path in [
            "/org/tokens",
            "/settings/secrets",
            "/approvals/pending",
            "/policies",
        ] {
            is_unavailable(caller.get(path).await);
        }
    }
    for path in ["/audit", "/audit/verify", "/decisions"] {
        is_unavailable(person.get(path).await);
        is_unavailable(agent.get(path).await);
    }
    let named = agent.with("approval-id", &before.granted);
    is_unavailable(mint(&named, "granted").await);
    for decision in ["approved", "denied"] {
        is_unavailable(crate::stage::decide(&person, &before.pending, decision).await);
    }
}

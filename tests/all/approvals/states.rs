//! What a repeat that names its approval is told, for each state that the approval can be in.

use countersign_tests::{FakeClock, Host, Reply};
use serde_json::json;

use super::{mint, revoke, withdraw};
use crate::stage::{Stage, approve};

#[track_caller]
fn says(reply: &Reply, words: &[&str]) {
    for word in words {
        assert!(reply.text("error").contains(word), "`{word}`: {reply}");
    }
}

/// Which rule asks for an approval at all is in every answer that one does not help with.
#[track_caller]
fn gates(reply: &Reply) {
    assert_eq!(reply.json["rule"], "agents-need-a-person", "{reply}");
    assert_eq!(reply.json["policy"], "baseline@0.1.0", "{reply}");
}

#[tokio::test]
async fn each_state_has_its_code_and_a_next_step() {
    let clock = FakeClock::default();
    let stage = Stage::set_for(Host::builder().clock(&clock)).await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let ids = [
        "denied",
        "expired",
        "withdrawn",
        "lapsed",
        "revoked",
        "used",
    ]
    .map(str::to_owned);
    let mut asked = Vec::new();
    for name in &ids {
        asked.push(mint(&agent, name).await.approval());
    }
    let [denied, expired, withdrawn, lapsed, revoked, used] =
        <[String; 6]>::try_from(asked).expect("six");
    withdraw(&agent, &withdrawn).await.expect(200);
    for id in [&lapsed, &revoked, &used] {
        approve(&person, id).await;
    }
    revoke(&person, &revoked).await.expect(200);
    let token = mint(&agent, "used").await.expect(200);
    let token = stage.host.agent(token.text("auth_token"));
    token.get("/org/tokens").await.expect(200);
    let path = format!("/approvals/{denied}/decide");
    let body = json!({ "decision": "denied", "reason": "not on a Friday" });
    person.post(&path, body).await.expect(200);
    clock.set(3_601);

    let named = async |id: &str, name: &str| mint(&agent.with("approval-id", id), name).await;
    let reply = named(&denied, "denied").await;
    let reply = reply.refused(403, "approval_denied");
    assert_eq!(reply.json["denial_reason"], "not on a Friday");
    gates(&reply);
    says(&reply, &["not on a Friday", "without Approval-Id", "after"]);
    assert!(reply.json["again_at"].is_string(), "{reply}");
    for (id, name, code, words) in [
        (&expired, "expired", "approval_expired", "nobody decided"),
        (&withdrawn, "withdrawn", "approval_withdrawn", "taken back"),
        (&lapsed, "lapsed", "grant_expired", "not used in time"),
        (
            &revoked,
            "revoked",
            "approval_revoked",
            "took the approval back",
        ),
        (&used, "used", "grant_used", "works once"),
    ] {
        let reply = named(id, name).await.refused(403, code);
        says(&reply, &[words, "without Approval-Id"]);
        gates(&reply);
        let other = named(id, "something else").await;
        other.refused(403, "approval_mismatch");
    }
    // And the next step works.
    for name in [
        "expired",
        "withdrawn",
        "lapsed",
        "revoked",
        "used",
        "denied",
    ] {
        assert!(!ids.contains(&mint(&agent, name).await.approval()));
    }
}

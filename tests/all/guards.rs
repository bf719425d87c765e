//! The holes of the platform's later code that ours must not have: M1 to M7 of the design's table. Each
//! test names, in a comment, the guard without which it fails.

mod verbs;

use std::time::Duration;

use countersign_core::time::Timestamp;
use countersign_tests::guest::Guest;
use countersign_tests::{Caller, Host, Reply, until};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::stage::{Stage, approval, approve, decide, minted, pending, secrets, tokens};

/// A policy that gates everybody until one person agrees, people included. It asks for lives of a second,
/// so people have 30 seconds to decide and a grant lives for 10: the least that the host allows. (The
/// offsets are those of the quorum and of the two lives in a verdict.)
fn everybody_needs_a_person() -> Vec<u8> {
    let guest = Guest {
        rule: "everybody",
        decide: "(i32.store (i32.load offset=28 (global.get $gate)) (i32.const 1))
                 (i32.store offset=40 (global.get $gate) (i32.const 1))
                 (i32.store offset=48 (global.get $gate) (i32.const 1))
                 (global.get $gate)",
        ..Guest::default()
    };
    guest.component()
}

/// The seconds between two instants of an approval.
fn seconds(approval: &Value, from: &str, to: &str) -> i64 {
    let micros = |member: &str| {
        let at = approval[member].as_str().and_then(Timestamp::parse);
        at.unwrap_or_else(|| panic!("no instant `{member}` in {approval}"))
            .as_micros()
    };
    (micros(to) - micros(from)) / 1_000_000
}

async fn write(caller: &Caller, value: &str) -> Reply {
    let body = json!({ "key": "DEPLOY_KEY", "value": value });
    caller.post("/settings/secrets", body).await
}

async fn mint(caller: &Caller, body: &Value) -> Reply {
    caller.post("/org/tokens", body.clone()).await
}

// Guard: `decide_one` in host/server/src/routes/approvals.rs, which looks for a person before it looks at
// the body: without it, the bodies that are no decisions are 400. Behind it, `Gate::vote` in
// host/core/src/gate.rs has no other voter to count than a session's person: without both, agents decide.
#[tokio::test]
async fn m1_the_credentials_that_an_agent_holds_do_not_decide() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let token = minted(&person, json!({ "name": "agent", "role": "admin" })).await;
    for (agent, asks) in [
        (stage.agent(), "by-admin-token"),
        (stage.host.agent(&token), "by-org-token"),
    ] {
        let id = mint(&agent, &json!({ "name": asks })).await.approval();
        for body in [
            r#"{"decision":"approved"}"#,
            r#"{"decision":"denied"}"#,
            r#"{"decision":"nonsense"}"#,
            "",
            "not JSON",
        ] {
            let path = format!("/approvals/{id}/decide");
            let reply = agent.post_text(&path, body).await;
            reply.refused(403, "approver_must_be_human");
        }
        assert_eq!(approval(&person, &id).await["status"], "pending");
    }
    assert_eq!(tokens(&person).await.len(), 1);
}

// Guard: `objection` in host/store/src/portable/votes.rs, which compares people and not sessions.
#[tokio::test]
async fn m1_nobody_approves_their_own_request_not_even_from_another_browser() {
    let builder = Host::builder().policy("baseline.wasm", everybody_needs_a_person());
    let stage = Stage::set_for(builder).await;
    let (ann, again) = (stage.person("ann").await, stage.person("ann").await);
    let body = json!({ "name": "mine" });
    let id = mint(&ann, &body).await.approval();
    for own in [&ann, &again] {
        let reply = decide(own, &id, "approved").await;
        reply.refused(403, "requester_cannot_approve");
    }
    mint(&again, &body).await.expect(202);
    approve(&stage.person("bob").await, &id).await;
    mint(&ann, &body).await.expect(200);
}

// Guard: `Gate::vote` in host/core/src/gate.rs takes the voter from the verified session, and
// `DecideBody` in host/server/src/routes/approvals.rs has no member that names one.
#[tokio::test]
async fn m2_the_approver_is_the_session_and_not_who_the_body_says() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let id = mint(&stage.agent(), &json!({})).await.approval();
    let body = json!({
        "decision": "approved", "decided_by": "mallory", "approver": "mallory", "user": "mallory",
        "user_id": "mallory", "by": "mallory", "person": { "issuer": "operator", "user": "mallory" },
    });
    let named = person
        .with("x-user-id", "mallory")
        .with("x-decided-by", "mallory");
    named
        .post(&format!("/approvals/{id}/decide"), body)
        .await
        .expect(200);

    let decided = approval(&person, &id).await;
    assert_eq!(
        decided["votes"].as_array().map(Vec::len),
        Some(1),
        "{decided}"
    );
    assert_eq!(decided["votes"][0]["user"], "ann");
    assert_eq!(decided["votes"][0]["issuer"], "control-plane");
    let audit = person.get("/audit?limit=200").await.expect(200);
    assert!(audit.page().contains("\"ann\""), "{audit}");
    assert!(!audit.page().contains("mallory"), "{audit}");
    assert!(!decided.to_string().contains("mallory"), "{decided}");
}

// Guard: the commitment to the value that `Action::arguments_json` in host/core/src/action.rs puts into
// the digest, and the digest in `newest` and `is_for` of host/store/src/portable/grants.rs.
#[tokio::test]
async fn m3_what_was_approved_for_one_value_does_not_write_another() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let first = write(&agent, "value-a").await.approval();
    approve(&person, &first).await;

    let second = write(&agent, "value-b").await.approval();
    assert_ne!(second, first);
    let named = agent.with("approval-id", &first);
    write(&named, "value-b")
        .await
        .refused(403, "approval_mismatch");
    assert!(secrets(&person).await.is_empty());

    // Two approvals of different values look different to whoever decides.
    let (a, b) = (
        approval(&person, &first).await,
        approval(&person, &second).await,
    );
    let fingerprint = |row: &Value| row["payload"]["arguments"]["value"]["fingerprint"].clone();
    assert!(fingerprint(&a).is_string(), "{a}");
    assert_ne!(fingerprint(&a), fingerprint(&b));

    let saved = write(&agent, "value-a").await.expect(200);
    assert_eq!(saved.json["status"], "saved", "{saved}");
    assert_eq!(secrets(&person).await, ["DEPLOY_KEY"]);
    assert_eq!(approval(&person, &second).await["status"], "pending");
}

// Guard: every field of the mint in `Action::arguments_json`, host/core/src/action.rs.
#[tokio::test]
async fn m4_every_field_of_a_mint_is_bound_its_expiry_included() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let workspace = crate::stage::workspace(&person, "bound", None).await;
    let other = crate::stage::workspace(&person, "other", None).await;
    let approved = json!({
        "name": "ci", "role": "reader", "workspace_id": workspace,
        "expires_at": "2100-01-01T00:00:00Z",
    });
    let id = mint(&agent, &approved).await.approval();
    approve(&person, &id).await;

    for (field, other) in [
        ("expires_at", json!("2100-01-01T00:00:01Z")),
        ("expires_at", json!("2099-12-31T00:00:00Z")),
        ("expires_at", Value::Null),
        ("role", json!("editor")),
        ("role", Value::Null),
        ("workspace_id", json!(other)),
        ("workspace_id", Value::Null),
        ("name", json!("CI")),
        ("name", Value::Null),
    ] {
        let mut changed = approved.clone();
        changed[field] = other;
        let named = mint(&agent.with("approval-id", &id), &changed).await;
        named.refused(403, "approval_mismatch");
        assert_ne!(mint(&agent, &changed).await.approval(), id, "{changed}");
    }
    assert!(tokens(&person).await.is_empty());

    // The same instant, written in another way, is the same request.
    let mut same = approved;
    same["expires_at"] = json!("2100-01-01T01:00:00.000+01:00");
    mint(&agent, &same).await.expect(200);
    let listed = tokens(&person).await;
    assert_eq!(
        listed[0]["expires_at"], "2100-01-01T00:00:00Z",
        "{listed:?}"
    );
}

// Guards: the end that `count` in host/store/src/portable/votes.rs gives a grant, within the bounds of
// `Ttl::bounded` in host/core/src/approval.rs, and `newest` in grants.rs, which asks for it. The store's
// own tests hold each statement that looks at the time against it alone.
#[tokio::test]
async fn m5_a_grant_that_is_not_used_ends() {
    let builder = Host::builder().policy("baseline.wasm", everybody_needs_a_person());
    let stage = Stage::set_for(builder).await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let body = json!({ "name": "late" });
    let id = mint(&agent, &body).await.approval();
    approve(&person, &id).await;
    let granted = approval(&person, &id).await;
    assert_eq!(granted["status"], "approved");
    let lives = seconds(&granted, "decided_at", "grant_expires_at");
    assert_eq!(lives, 10, "a second is too short for anybody: {granted}");

    until("the grant lapses", Duration::from_secs(15), async || {
        (approval(&person, &id).await["status"] == "lapsed").then_some(())
    })
    .await;
    let named = mint(&agent.with("approval-id", &id), &body).await;
    named.refused(403, "grant_expired");
    assert_ne!(mint(&agent, &body).await.approval(), id);
    decide(&person, &id, "approved")
        .await
        .refused(404, "not_pending");
}

// Guards: the end that `request` in host/store/src/portable/requests.rs gives a request, within the bounds
// of `Ttl::bounded`, and `Approval::state_at` in host/core/src/approval.rs, by which nobody decides it
// later; the statement that keeps a vote asks again, as the store's own tests hold.
#[tokio::test]
async fn m5_a_request_that_nobody_decides_ends() {
    let builder = Host::builder().policy("baseline.wasm", everybody_needs_a_person());
    let stage = Stage::set_for(builder).await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let body = json!({ "name": "late" });
    let id = mint(&agent, &body).await.approval();
    let lives = seconds(&approval(&agent, &id).await, "created_at", "expires_at");
    assert_eq!(lives, 30, "a second is too short for anybody");

    until("the request expires", Duration::from_secs(40), async || {
        (approval(&agent, &id).await["status"] == "expired").then_some(())
    })
    .await;
    assert!(pending(&agent).await.is_empty());
    decide(&person, &id, "approved")
        .await
        .refused(404, "not_pending");
    let named = mint(&agent.with("approval-id", &id), &body).await;
    named.refused(403, "approval_expired");
    assert_ne!(
        mint(&agent, &body).await.approval(),
        id,
        "it can be asked again"
    );
}

// Guard: `attempt` in host/store/src/portable/settle.rs spends the grant in the transaction of the deed;
// `newest` in grants.rs beside it finds no spent one. That `spend` itself asks for the state, the store's
// own tests hold.
#[tokio::test]
async fn m6_a_grant_that_many_use_at_once_works_once() {
    for named in [false, true] {
        let stage = Stage::set().await;
        let person = stage.person("ann").await;
        let body = json!({ "name": "once" });
        // A mint that names its grant again is a lost answer's; anything else is a second use.
        let ask = async |agent: &Caller| match named {
            true => write(agent, "once").await,
            false => mint(agent, &body).await,
        };
        let id = ask(&stage.agent()).await.approval();
        approve(&person, &id).await;

        let agent = match named {
            true => stage.agent().with("approval-id", &id),
            false => stage.agent(),
        };
        let mut requests = JoinSet::new();
        for _ in 0..24 {
            let (agent, body) = (agent.clone(), body.clone());
            requests.spawn(async move {
                match named {
                    true => write(&agent, "once").await,
                    false => mint(&agent, &body).await,
                }
            });
        }
        let replies = requests.join_all().await;
        let (winners, losers): (Vec<_>, Vec<_>) =
            replies.into_iter().partition(|reply| reply.status == 200);
        assert_eq!(winners.len(), 1, "named: {named}");
        let mut asked_again: Vec<String> = Vec::new();
        for loser in losers {
            match named {
                true => {
                    loser.refused(403, "grant_used");
                }
                false => asked_again.push(loser.approval()),
            }
        }
        asked_again.dedup();
        assert_eq!(asked_again.len(), usize::from(!named), "{asked_again:?}");
        assert!(!asked_again.contains(&id));
        assert_eq!(tokens(&person).await.len(), usize::from(!named));
        assert_eq!(secrets(&person).await.len(), usize::from(named));
        assert_eq!(approval(&person, &id).await["status"], "used");
    }
}

// Guard: the savepoint in `carry_out`, host/store/src/portable/settle.rs.
#[tokio::test]
async fn m6_a_deed_that_cannot_be_done_does_not_use_its_grant_up() {
    let stage = Stage::set_for(Host::builder().env("LIVE_TOKEN_LIMIT", "1")).await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    minted(&person, json!({ "name": "in the way" })).await;
    let first = tokens(&person).await[0]["id"].clone();
    let body = json!({ "name": "ci" });
    let id = mint(&agent, &body).await.approval();
    approve(&person, &id).await;

    mint(&agent, &body).await.refused(429, "too_many_tokens");
    assert_eq!(approval(&person, &id).await["status"], "approved");
    let path = format!("/org/tokens/{}", first.as_str().expect("an id"));
    person.delete(&path).await.expect(200);
    mint(&agent, &body).await.expect(200);
    assert_eq!(approval(&person, &id).await["status"], "used");
}

//! Requests taken back, and grants revoked.

use countersign_tests::Caller;
use serde_json::json;

use super::{mint, revoke, withdraw};
use crate::stage::{Stage, approval, approve, decide, minted, pending, tokens};

// Guards: `withdraw` in host/store/src/portable/endings.rs, which compares credentials, and the statement
// of `take_back` there, as the store's own tests hold.
#[tokio::test]
async fn a_requester_takes_its_request_back_and_nobody_else_does() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let token = minted(&person, json!({ "name": "agent" })).await;
    let other = stage.host.agent(&token);
    let id = mint(&agent, "ci").await.approval();
    for stranger in [&person, &other] {
        let reply = withdraw(stranger, &id).await;
        reply.refused(403, "not_the_requester");
    }
    assert_eq!(approval(&person, &id).await["status"], "pending");

    let workspace = approval(&person, &id).await["workspace_id"].clone();
    let workspace = workspace.as_str().expect("a workspace").to_owned();
    let elsewhere = "00000000-0000-4000-8000-000000000000";
    let path = |workspace: &str| format!("/workspaces/{workspace}/approvals/{id}/withdraw");
    let reply = agent.post(&path(elsewhere), json!({})).await;
    reply.refused(404, "not_found");
    let reply = agent.post_text(&path(&workspace), "").await.expect(200);
    assert_eq!(
        reply.json,
        json!({ "status": "withdrawn", "approval_id": id })
    );

    let again = withdraw(&agent, &id).await.refused(409, "not_pending");
    assert_eq!(again.json["status"], "withdrawn");
    assert!(pending(&agent).await.is_empty());
    let named = mint(&agent.with("approval-id", &id), "ci").await;
    named.refused(403, "approval_withdrawn");
    assert_ne!(mint(&agent, "ci").await.approval(), id);
    withdraw(&agent, elsewhere).await.refused(404, "not_found");
    let anonymous = withdraw(&stage.host.anonymous(), &id).await;
    anonymous.refused(401, "unauthenticated");
    let audit = person.get("/audit?limit=200").await.expect(200).page();
    assert_eq!(audit.matches("approval_withdrawn").count(), 1, "{audit}");
}

#[tokio::test]
async fn what_is_decided_is_not_taken_back() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let id = mint(&agent, "ci").await.approval();
    approve(&person, &id).await;
    let reply = withdraw(&agent, &id).await.refused(409, "not_pending");
    assert_eq!(reply.json["status"], "approved");
    mint(&agent, "ci").await.expect(200);
}

// Guards: `revoke` in host/server/src/routes/endings.rs looks for a person before it looks at the body, and
// `Gate::revoke` in host/core/src/gate/end.rs does behind it; the statement of `cancel` in
// host/store/src/portable/endings.rs asks for an unused grant.
#[tokio::test]
async fn a_person_revokes_an_unused_grant_and_nobody_else_does() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let id = mint(&agent, "ci").await.approval();
    let reply = revoke(&person, &id).await.refused(409, "not_approved");
    assert_eq!(reply.json["status"], "pending");
    approve(&person, &id).await;

    let path = format!("/approvals/{id}/revoke");
    for body in ["{}", "", "not JSON", r#"{"reason":7}"#] {
        let reply = agent.post_text(&path, body).await;
        reply.refused(403, "approver_must_be_human");
    }
    let long = json!({ "reason": "x".repeat(501) });
    person.post(&path, long).await.blames("reason");
    let cross = person.with("sec-fetch-site", "cross-site");
    revoke(&cross, &id).await.refused(403, "cross_site");

    let reply = revoke(&stage.person("bob").await, &id).await.expect(200);
    assert_eq!(
        reply.json,
        json!({ "status": "revoked", "approval_id": id })
    );
    let again = revoke(&person, &id).await.refused(409, "not_approved");
    assert_eq!(again.json["status"], "revoked");
    let named = mint(&agent.with("approval-id", &id), "ci").await;
    let named = named.refused(403, "approval_revoked");
    assert_eq!(named.json["revoke_reason"], "the wrong key");
    assert!(named.text("error").contains("the wrong key"), "{named}");
    assert_ne!(mint(&agent, "ci").await.approval(), id);
    assert!(tokens(&person).await.is_empty());
    let audit = person.get("/audit?limit=200").await.expect(200).page();
    assert_eq!(audit.matches("approval_revoked").count(), 1, "{audit}");
    assert!(audit.contains("\"bob\""), "{audit}");
}

#[tokio::test]
async fn a_grant_that_was_used_is_not_revoked() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let id = mint(&agent, "ci").await.approval();
    approve(&person, &id).await;
    mint(&agent, "ci").await.expect(200);
    let reply = revoke(&person, &id).await.refused(409, "not_approved");
    assert_eq!(reply.json["status"], "used");
    let unknown = "00000000-0000-4000-8000-000000000000";
    revoke(&person, unknown).await.refused(404, "not_found");
}

// Guard: `freshness` in host/server/src/routes.rs.
#[tokio::test]
async fn a_person_who_left_a_moment_ago_revokes_nothing() {
    let stage = Stage::set().await;
    let cookie = stage.control_plane.sign_in("ann").await;
    let person = stage.host.session(&cookie);
    let id = mint(&stage.agent(), "ci").await.approval();
    approve(&person, &id).await;
    stage.control_plane.sign_out(&cookie).await;
    revoke(&person, &id).await.refused(401, "unauthenticated");
    let bob = stage.person("bob").await;
    assert_eq!(approval(&bob, &id).await["status"], "approved");
}

#[tokio::test]
async fn a_person_revokes_in_the_console() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let id = mint(&agent, "ci").await.approval();
    approve(&person, &id).await;
    let page = format!("/console/approvals/{id}");
    let form = format!("{page}/revoke");
    assert!(person.get(&page).await.expect(200).page().contains(&form));
    let fields = [("reason", "the%20wrong%20key")];
    let reply = agent.post_form(&form, &fields).await;
    assert_eq!(reply.status, 403, "{reply}");
    person.post_form(&form, &fields).await.expect(303);
    let shown = approval(&agent, &id).await;
    assert_eq!(shown["status"], "revoked");
    assert_eq!(shown["revoke_reason"], "the wrong key");
    assert!(!person.get(&page).await.expect(200).page().contains(&form));
}

// Guards: as of `withdraw` above; `Origins::same_origin`, asked by `Call::admit`.
#[tokio::test]
async fn whoever_asked_takes_it_back_in_the_console_and_nobody_else_does() {
    let stage = Stage::gated("verbs = [\"org_token_mint\"]\napprovers = 1\n").await;
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let id = mint(&ann, "one").await.approval();
    let page = format!("/console/approvals/{id}");
    let form = format!("{page}/withdraw");
    let shown = async |person: &Caller| person.get(&page).await.expect(200).page();
    assert!(shown(&ann).await.contains(&form));
    assert!(!shown(&bob).await.contains(&form));

    let refused = bob.post_form(&form, &[]).await.expect(403).page();
    assert!(
        refused.contains("whoever asked takes a request back"),
        "{refused}"
    );
    let elsewhere = ann.with("sec-fetch-site", "cross-site");
    let refused = elsewhere.post_form(&form, &[]).await.expect(403).page();
    assert!(refused.contains("This came from another site"), "{refused}");
    let anonymous = stage.host.anonymous();
    anonymous.post_form(&form, &[]).await.expect(401);
    assert_eq!(approval(&bob, &id).await["status"], "pending");

    // Sent twice, it is one.
    for _ in 0..2 {
        let done = ann.post_form(&form, &[]).await.expect(303);
        assert_eq!(done.header("location"), Some(page.as_str()));
    }
    let ended = approval(&bob, &id).await;
    assert_eq!(ended["status"], "withdrawn");
    assert_eq!(ended["ended_by_user"], "ann");
    let told = shown(&ann).await;
    assert!(
        told.contains("<strong>Withdrawn</strong> by <bdi"),
        "{told}"
    );
    assert!(!told.contains(&form), "{told}");
    let audit = bob.get("/audit?limit=200").await.expect(200).page();
    assert_eq!(audit.matches("approval_withdrawn").count(), 1, "{audit}");
    let again = ann.get(&form).await.expect(303);
    assert_eq!(again.header("location"), Some(page.as_str()));

    // A program takes back its own, as on its own route.
    let agent = stage.agent();
    let own = mint(&agent, "two").await.approval();
    let form = format!("/console/approvals/{own}/withdraw");
    ann.post_form(&form, &[]).await.expect(403);
    agent.post_form(&form, &[]).await.expect(303);
    assert_eq!(approval(&agent, &own).await["status"], "withdrawn");
    let none = "/console/approvals/00000000-0000-4000-8000-000000000000/withdraw";
    ann.post_form(none, &[]).await.expect(404);
}

#[tokio::test]
async fn whoever_takes_their_request_back_too_late_is_told_what_moved() {
    let stage = Stage::gated("verbs = [\"org_token_mint\"]\napprovers = 1\n").await;
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let asked = async |name: &str| mint(&ann, name).await.approval();
    let (approved, denied, used) = (asked("a").await, asked("b").await, asked("c").await);
    approve(&bob, &approved).await;
    approve(&bob, &used).await;
    mint(&ann, "c").await.expect(200);
    decide(&bob, &denied, "denied").await.expect(200);
    for (id, words) in [
        (&approved, "This was approved before you took it back"),
        (&denied, "This was denied before you took it back"),
        (&used, "This was approved and done before you took it back"),
    ] {
        let before = approval(&ann, id).await["status"].clone();
        let form = format!("/console/approvals/{id}/withdraw");
        let page = ann.post_form(&form, &[]).await.expect(409).page();
        let leads = format!("href=\"/console/approvals/{id}\"");
        for words in [words, "That you took it back was not recorded", &leads] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert_eq!(approval(&ann, id).await["status"], before);
        withdraw(&ann, id).await.refused(409, "not_pending");
    }
}

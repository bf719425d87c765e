//! What the host asks the control plane, how long it believes the answer, and what it makes of none.

use std::time::{Duration, Instant};

use countersign_tests::{ControlPlane, Host, Mode, until};
use serde_json::json;
use tokio::task::JoinSet;

use crate::stage::{ADMIN_TOKEN, Stage, approval, decide, minted, tokens};

#[tokio::test]
async fn a_member_is_asked_about_once_and_nothing_but_the_cookie_leaves() {
    let stage = Stage::set().await;
    let cookie = stage.control_plane.sign_in("ann").await;
    let person = stage.host.session(&cookie).bearer("a-bearer-of-ours");
    for _ in 0..5 {
        tokens(&person).await;
        minted(&person, json!({})).await;
    }
    let calls = stage.control_plane.calls().await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(calls[0].cookie, cookie);
    assert_eq!(calls[0].slug, "acme");
    assert_eq!(calls[0].headers, ["cookie", "accept", "host"]);
}

#[tokio::test]
async fn who_left_is_a_member_for_half_a_minute_at_most() {
    let stage = Stage::set().await;
    let cookie = stage.control_plane.sign_in("ann").await;
    let person = stage.host.session(&cookie);
    tokens(&person).await;
    let asked = Instant::now();
    stage.control_plane.sign_out(&cookie).await;
    until("a yes is forgotten", Duration::from_secs(35), async || {
        (person.get("/org/tokens").await.status == 401).then_some(())
    })
    .await;
    let believed = asked.elapsed();
    assert!(believed < Duration::from_secs(31), "{believed:?}");
    assert_eq!(stage.control_plane.calls().await.len(), 2);
}

#[tokio::test]
async fn a_stranger_is_asked_about_once_in_a_while_and_can_come_back_soon() {
    let stage = Stage::set().await;
    let cookie = stage.control_plane.sign_in("ann").await;
    stage.control_plane.sign_out(&cookie).await;
    let person = stage.host.session(&cookie);
    for _ in 0..5 {
        person
            .get("/org/tokens")
            .await
            .refused(401, "unauthenticated");
    }
    assert_eq!(stage.control_plane.calls().await.len(), 1);

    stage.control_plane.behave(Mode::Stranger).await;
    let signed_in = stage.control_plane.sign_in("ann").await;
    let again = stage.host.session(&signed_in);
    again
        .get("/org/tokens")
        .await
        .refused(401, "unauthenticated");
    stage.control_plane.behave(Mode::Normal).await;
    until(
        "a no is forgotten after 5 s",
        Duration::from_secs(10),
        async || (again.get("/org/tokens").await.status == 200).then_some(()),
    )
    .await;
}

#[tokio::test]
async fn concurrent_requests_of_one_session_share_one_question() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    stage.control_plane.behave(Mode::Tardy).await;
    let mut requests = JoinSet::new();
    for _ in 0..24 {
        let person = person.clone();
        requests.spawn(async move { person.get("/org/tokens").await.status });
    }
    assert_eq!(requests.join_all().await, [200; 24]);
    assert_eq!(stage.control_plane.calls().await.len(), 1);
}

// Guard: `in_flight` of `ControlPlaneSessions`. Without it, whoever makes up cookies makes as many questions.
#[tokio::test]
async fn made_up_cookies_become_a_queue_and_not_a_flood() {
    let stage = Stage::set().await;
    stage.control_plane.behave(Mode::Tardy).await;
    let mut requests = JoinSet::new();
    for number in 0..60 {
        let made_up = stage.host.session(&format!("cp_session=made-up-{number}"));
        requests.spawn(async move { made_up.get("/org/tokens").await.status });
    }
    let statuses = requests.join_all().await;
    // Who waited for too long in the queue is told to come back.
    assert!(
        statuses.iter().all(|status| [401, 503].contains(status)),
        "{statuses:?}"
    );
    let most = stage.control_plane.most_at_once().await;
    assert!((17..=32).contains(&most), "{most}");
}

// Guard: `key` in host/server/src/credentials/control_plane.rs has the slug, and `ask` sends it.
#[tokio::test]
async fn each_tenant_asks_for_itself() {
    let stage = Stage::set().await;
    let other = Host::builder()
        .control_plane(&stage.control_plane)
        .env("MOLECULE_ORG_SLUG", "globex")
        .start()
        .await;
    let cookie = stage.control_plane.sign_in("ann").await;
    tokens(&stage.host.session(&cookie)).await;
    stage.control_plane.behave(Mode::Stranger).await;
    other
        .session(&cookie)
        .get("/org/tokens")
        .await
        .refused(401, "unauthenticated");
    let calls = stage.control_plane.calls().await;
    let slugs: Vec<&str> = calls.iter().map(|call| call.slug.as_str()).collect();
    assert_eq!(slugs, ["acme", "globex"]);
}

// A workspace's token is revoked by a fresh answer too, and reading is not.
#[tokio::test]
async fn revoking_a_workspaces_token_asks_afresh() {
    let stage = Stage::set().await;
    let cookie = stage.control_plane.sign_in("ann").await;
    let person = stage.host.session(&cookie);
    let id = crate::stage::workspace(&person, "research", None).await;
    let path = format!("/workspaces/{id}/tokens");
    let token = person.post(&path, json!({})).await.expect(201);
    stage.control_plane.sign_out(&cookie).await;
    person.get(&path).await.expect(200);
    let token = format!("{path}/{}", token.text("id"));
    person.delete(&token).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn deciding_and_revoking_ask_afresh() {
    let stage = Stage::set().await;
    let cookie = stage.control_plane.sign_in("ann").await;
    let person = stage.host.session(&cookie);
    let id = stage
        .agent()
        .post("/org/tokens", json!({}))
        .await
        .approval();
    minted(&person, json!({})).await;
    let token = tokens(&person).await[0]["id"].clone();
    let token = format!("/org/tokens/{}", token.as_str().expect("an id"));
    assert_eq!(stage.control_plane.calls().await.len(), 1);

    stage.control_plane.sign_out(&cookie).await;
    person.get("/org/tokens").await.expect(200);
    person.delete(&token).await.refused(401, "unauthenticated");
    // The fresh answer is what is remembered now.
    person
        .get("/org/tokens")
        .await
        .refused(401, "unauthenticated");

    let other = stage.person("bob").await;
    assert_eq!(approval(&other, &id).await["status"], "pending");
    assert_eq!(tokens(&other).await.len(), 1);
    let calls = stage.control_plane.calls().await.len();
    decide(&other, &id, "approved").await.expect(200);
    assert_eq!(stage.control_plane.calls().await.len(), calls + 1);
}

#[tokio::test]
async fn a_session_that_was_ended_does_not_decide() {
    let stage = Stage::set().await;
    let cookie = stage.control_plane.sign_in("ann").await;
    let person = stage.host.session(&cookie);
    let id = stage
        .agent()
        .post("/org/tokens", json!({}))
        .await
        .approval();
    approval(&person, &id).await;

    stage.control_plane.sign_out(&cookie).await;
    approval(&person, &id).await;
    decide(&person, &id, "approved")
        .await
        .refused(401, "unauthenticated");
    let other = stage.person("bob").await;
    assert_eq!(approval(&other, &id).await["status"], "pending");
}

#[tokio::test]
async fn our_own_cookie_never_leaves() {
    let host = Host::start(ADMIN_TOKEN).await;
    let own = host.operator_session().await.cookie;
    let control_plane = ControlPlane::start();
    let host = host
        .stop()
        .await
        .control_plane(&control_plane)
        .start()
        .await;

    tokens(&host.session(&own)).await;
    assert_eq!(control_plane.calls().await, [], "there was nothing to ask");

    let theirs = control_plane.sign_in("ann").await;
    for both in [format!("{own}; {theirs}"), format!("{theirs}; {own}")] {
        host.session(&both).get("/org/tokens").await;
    }
    host.session(&theirs)
        .also("cookie", &own)
        .get("/org/tokens")
        .await;
    let calls = control_plane.calls().await;
    assert!(calls.iter().all(|call| call.cookie == theirs), "{calls:?}");
}

#[tokio::test]
async fn what_the_control_plane_says_badly_signs_nobody_in() {
    let stage = Stage::set().await;
    for (mode, status) in [
        (Mode::Html, 503),
        (Mode::Failing, 503),
        (Mode::Huge, 503),
        (Mode::Torn, 503),
        (Mode::Nameless, 503),
        (Mode::Forged, 503),
        (Mode::Redirect, 401),
        (Mode::Stranger, 401),
    ] {
        stage.control_plane.behave(mode).await;
        unverified(&stage, status).await;
    }
}

#[tokio::test]
async fn a_control_plane_that_answers_too_late_signs_nobody_in() {
    let stage = Stage::set().await;
    stage.control_plane.behave(Mode::Slow).await;
    unverified(&stage, 503).await;
}

#[tokio::test]
async fn a_control_plane_that_never_answers_signs_nobody_in() {
    let stage = Stage::set().await;
    stage.control_plane.behave(Mode::Never).await;
    unverified(&stage, 503).await;
}

/// A person cannot be verified: what they ask is refused with `status` and not done, an agent goes on as
/// an agent, and nothing is lost once the control plane has recovered.
async fn unverified(stage: &Stage, status: u16) {
    let cookie = stage.control_plane.sign_in("ann").await;
    let person = stage.host.session(&cookie);
    let code = match status {
        401 => "unauthenticated",
        _ => "control_plane_unavailable",
    };
    let id = stage
        .agent()
        .post("/org/tokens", json!({}))
        .await
        .approval();
    let agent = person.bearer(ADMIN_TOKEN);
    let (asked, as_agent, decided) = tokio::join!(
        person.post("/org/tokens", json!({})),
        agent.post("/org/tokens", json!({})),
        decide(&person, &id, "approved"),
    );
    assert_eq!(as_agent.approval(), id);
    for reply in [asked, decided] {
        let reply = reply.refused(status, code);
        assert_eq!(
            reply.header("retry-after").is_some(),
            status == 503,
            "{reply}"
        );
        // Nothing that the control plane sent reaches a caller.
        for inside in ["doctype", "padding", "user_id", "127.0.0.1"] {
            assert!(!reply.page().contains(inside), "{reply}");
        }
    }
    stage.host.anonymous().get("/health").await.expect(200);
    assert!(!stage.host.said().contains("panicked"));

    stage.control_plane.behave(Mode::Normal).await;
    // Only a no is remembered, and that for moments.
    let other = match status {
        401 => stage.person("bob").await,
        _ => person,
    };
    assert_eq!(approval(&other, &id).await["status"], "pending");
    assert!(tokens(&other).await.is_empty());
}

#[tokio::test]
async fn a_control_plane_that_is_gone_signs_nobody_in() {
    let Stage {
        control_plane,
        host,
    } = Stage::set().await;
    let cookie = control_plane.sign_in("ann").await;
    drop(control_plane);
    let person = host.session(&cookie);
    let reply = person.post("/org/tokens", json!({})).await;
    reply.refused(503, "control_plane_unavailable");
    host.agent(ADMIN_TOKEN)
        .post("/org/tokens", json!({}))
        .await
        .approval();
}

// Guard: `Credentials::session` in host/server/src/credentials.rs. Without it, a cookie of anybody's sets
// the host to ask, and the operator waits for the control plane that they came to do without.
#[tokio::test]
async fn the_operator_still_decides_while_the_control_plane_is_broken() {
    let host = Host::start(ADMIN_TOKEN).await;
    let own = host.operator_session().await;
    let control_plane = ControlPlane::start();
    let host = host
        .stop()
        .await
        .control_plane(&control_plane)
        .start()
        .await;
    let id = host
        .agent(ADMIN_TOKEN)
        .post("/org/tokens", json!({}))
        .await
        .approval();
    let theirs = control_plane.sign_in("ann").await;
    let both = format!("{}; {theirs}", own.cookie);
    let operator = host.session(&both).proof(&own.proof);
    control_plane.behave(Mode::Failing).await;
    tokens(&operator).await;
    drop(control_plane);
    decide(&operator, &id, "approved").await.expect(200);
    assert_eq!(
        approval(&operator, &id).await["votes"][0]["issuer"],
        "operator"
    );
    // And whoever has nothing but the other session is as unverified as before.
    host.session(&theirs)
        .get("/org/tokens")
        .await
        .refused(503, "control_plane_unavailable");
}

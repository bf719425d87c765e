//! The host's own login: a link that works once, and the session that it starts.

use countersign_tests::{Caller, Host, OperatorSession, Reply};
use serde_json::json;

use crate::stage::{ADMIN_TOKEN, approval, approve, decide, minted, secrets, tokens};

fn browser(host: &Host) -> Caller {
    host.anonymous().with("sec-fetch-site", "same-origin")
}

async fn press(browser: &Caller, link: &str) -> Reply {
    browser
        .post_form("/console/sign-in", &[("link", link)])
        .await
}

#[tokio::test]
async fn opening_the_link_uses_nothing_up_and_pressing_the_button_does() {
    let host = Host::start(ADMIN_TOKEN).await;
    let link = host.login_secret();
    let path = format!("/console/sign-in?link={link}");
    for _ in 0..3 {
        let page = host.anonymous().get(&path).await.expect(200);
        assert!(page.page().contains("<form method=\"post\""), "{page}");
        assert_eq!(page.header("set-cookie"), None, "{page}");
    }
    let signed_in = press(&browser(&host), &link).await.expect(200);
    let cookie = signed_in.header("set-cookie").expect("a cookie");
    let attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
    assert_eq!(
        attributes,
        ["Path=/", "Max-Age=43200", "HttpOnly", "SameSite=Strict"]
    );
    assert!(cookie.starts_with("countersign="), "{cookie}");
    assert!(!cookie.contains(&link), "the session is not the link");
    assert_eq!(signed_in.header("cache-control"), Some("no-store"));
    let session = OperatorSession::of(&signed_in);
    assert_eq!(session.proof.len(), 43);
    assert!(!cookie.contains(&session.proof), "{cookie}");

    let again = press(&browser(&host), &link).await.expect(403);
    assert_eq!(again.header("set-cookie"), None, "{again}");
    assert!(again.page().contains("does not work any more"), "{again}");
}

#[tokio::test]
async fn a_link_that_many_press_at_once_works_once() {
    let host = Host::start(ADMIN_TOKEN).await;
    let link = host.login_secret();
    let mut presses = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (browser, link) = (browser(&host), link.clone());
        presses.spawn(async move { press(&browser, &link).await.status });
    }
    let mut statuses = presses.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(
        statuses[1..].iter().all(|status| *status == 403),
        "{statuses:?}"
    );
}

#[tokio::test]
async fn a_wrong_link_is_refused_and_the_right_one_still_works() {
    let host = Host::start(ADMIN_TOKEN).await;
    let link = host.login_secret();
    let long = "x".repeat(200);
    let shorter = &link[..link.len() - 1];
    for wrong in [
        "",
        "x",
        &long,
        shorter,
        &link.to_lowercase(),
        &format!("{link}x"),
        "%00",
    ] {
        press(&browser(&host), wrong).await.expect(403);
    }
    let fields = [("link", link.as_str()), ("link", link.as_str())];
    let twice = browser(&host).post_form("/console/sign-in", &fields).await;
    assert_eq!(twice.status, 400, "{twice}");
    press(&browser(&host), &link).await.expect(200);
}

#[tokio::test]
async fn another_site_cannot_press_the_button() {
    let host = Host::start(ADMIN_TOKEN).await;
    let link = host.login_secret();
    let nowhere = host.anonymous();
    for site in [
        nowhere.clone(),
        nowhere.with("sec-fetch-site", "cross-site"),
        nowhere.with("sec-fetch-site", "none"),
        nowhere.with("origin", "https://evil.example"),
        nowhere.with("origin", "null"),
    ] {
        let reply = press(&site, &link).await.expect(403);
        assert_eq!(reply.header("set-cookie"), None, "{reply}");
    }
    press(&nowhere.with("origin", host.origin()), &link)
        .await
        .expect(200);
}

#[tokio::test]
async fn a_restart_makes_a_new_link_and_the_old_one_dies() {
    let host = Host::start(ADMIN_TOKEN).await;
    let old = host.login_secret();
    let host = host.restart().await;
    let new = host.login_secret();
    assert_ne!(old, new);
    press(&browser(&host), &old).await.expect(403);
    press(&browser(&host), &new).await.expect(200);
}

#[tokio::test]
async fn the_link_is_for_its_owner_alone_and_in_no_log() {
    use std::os::unix::fs::PermissionsExt as _;
    let host = Host::start(ADMIN_TOKEN).await;
    let file = host.data_dir().join("login-link");
    let mode = std::fs::metadata(&file)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let link = host.login_secret();
    let path = format!("/console/sign-in?link={link}");
    host.anonymous().get(&path).await.expect(200);
    press(&browser(&host), &link).await.expect(200);
    assert_eq!(host.files_with(&link), [file]);
    assert!(
        host.said().contains("login-link"),
        "it says where the link is"
    );
}

#[tokio::test]
async fn signing_out_ends_the_session_everywhere() {
    let host = Host::start(ADMIN_TOKEN).await;
    let operator = host.operator().await;
    tokens(&operator).await;
    let cross = operator.with("sec-fetch-site", "cross-site");
    cross.post_form("/console/sign-out", &[]).await.expect(403);
    tokens(&operator).await;

    let reply = operator
        .post_form("/console/sign-out", &[])
        .await
        .expect(303);
    let cookie = reply.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("Max-Age=0"), "{cookie}");
    operator
        .get("/org/tokens")
        .await
        .refused(401, "unauthenticated");
    operator.get("/console/approvals").await.expect(401);
    host.restart().await;
}

#[tokio::test]
async fn a_session_outlives_a_restart_and_the_operator_approves() {
    let host = Host::start(ADMIN_TOKEN).await;
    let session = host.operator_session().await;
    let host = host.restart().await;
    let operator = host.signed_in(&session);
    let agent = host.agent(ADMIN_TOKEN);
    let id = agent
        .post("/org/tokens", json!({ "name": "ci" }))
        .await
        .approval();
    approve(&operator, &id).await;
    assert_eq!(
        approval(&operator, &id).await["votes"][0]["issuer"],
        "operator"
    );
    agent
        .post("/org/tokens", json!({ "name": "ci" }))
        .await
        .expect(200);
}

#[tokio::test]
async fn the_operator_approves_in_the_console_what_its_page_showed() {
    let host = Host::start(ADMIN_TOKEN).await;
    let operator = host.operator().await;
    let agent = host.agent(ADMIN_TOKEN);
    let id = agent
        .post("/org/tokens", json!({ "name": "ci" }))
        .await
        .approval();
    let path = format!("/console/approvals/{id}");
    let page = operator.get(&path).await.expect(200).page();
    let digest = approval(&operator, &id).await["digest"].clone();
    let digest = digest.as_str().expect("a digest");
    assert!(page.contains(digest), "{page}");

    let other = "0".repeat(64);
    let stale = [("decision", "approved"), ("digest", other.as_str())];
    operator.post_form(&path, &stale).await.expect(409);
    let blind = [("decision", "approved")];
    operator.post_form(&path, &blind).await.expect(400);
    assert_eq!(approval(&operator, &id).await["status"], "pending");

    let seen = [
        ("decision", "approved"),
        ("digest", digest),
        ("decided_by", "eve"),
    ];
    operator.post_form(&path, &seen).await.expect(303);
    assert_eq!(
        approval(&operator, &id).await["votes"][0]["user"],
        "operator"
    );
    agent
        .post("/org/tokens", json!({ "name": "ci" }))
        .await
        .expect(200);
}

/// Whoever got hold of the operator's cookie on another port of this host's name, and says with a program
/// that it is the host's own page.
fn thief(host: &Host, session: &OperatorSession) -> Caller {
    host.session(&session.cookie).with("origin", host.origin())
}

// Guard: `proved` in host/server/src/routes/call.rs. Without it, the cookie alone decides.
#[tokio::test]
async fn a_stolen_cookie_reads_and_changes_nothing() {
    let host = Host::start(ADMIN_TOKEN).await;
    let session = host.operator_session().await;
    let operator = host.signed_in(&session);
    let agent = host.agent(ADMIN_TOKEN);
    let id = agent.post("/org/tokens", json!({})).await.approval();
    let robot = minted(&operator, json!({ "name": "robot" })).await;
    let token = tokens(&operator).await[0]["id"].clone();
    let token = token.as_str().expect("an id");
    let digest = approval(&operator, &id).await["digest"].clone();
    let digest = digest.as_str().expect("a digest");

    let thief = thief(&host, &session);
    // Another session's proof is one, and not this one's.
    let host_proof = &session.proof;
    let (shorter, altered) = (&host_proof[1..], host_proof.to_lowercase());
    let cookie_value = session.cookie.split('=').nth(1).expect("a value");
    for unproved in [
        thief.clone(),
        thief.proof(""),
        thief.proof(shorter),
        thief.proof(&altered),
        thief.proof(cookie_value),
        // Which of two it is would be for somebody to choose.
        thief
            .proof(host_proof)
            .also("x-countersign-proof", "another"),
        // A bearer beside it makes it no other session.
        thief.bearer(ADMIN_TOKEN),
    ] {
        let refused = |reply: Reply| reply.refused(403, "proof_missing");
        refused(decide(&unproved, &id, "approved").await);
        refused(unproved.post("/org/tokens", json!({})).await);
        refused(unproved.delete(&format!("/org/tokens/{token}")).await);
        let secret = json!({ "key": "K", "value": "v" });
        refused(unproved.post("/settings/secrets", secret).await);
        let sentence = refused(unproved.post("/org/tokens", json!({})).await);
        assert!(
            sentence.text("error").contains("sign in again"),
            "{sentence}"
        );

        for (path, fields) in [
            (
                format!("/console/approvals/{id}"),
                vec![("decision", "approved"), ("digest", digest)],
            ),
            (
                "/console/keys".to_owned(),
                vec![("name", "n"), ("role", "admin")],
            ),
            (format!("/console/keys/{token}/revoke"), vec![]),
        ] {
            let page = unproved.post_form(&path, &fields).await.expect(403);
            assert!(
                page.page().contains("cannot sign for this session"),
                "{page}"
            );
            let mut wrong = fields.clone();
            wrong.push(("proof", "another"));
            unproved.post_form(&path, &wrong).await.expect(403);
        }
    }
    // The field is for the console's forms, and only for forms.
    let path = "/org/tokens";
    let field = [("proof", host_proof.as_str())];
    thief
        .post_form(path, &field)
        .await
        .refused(403, "proof_missing");
    let body = format!("proof={host_proof}&name=n&role=admin");
    thief.post_text("/console/keys", &body).await.expect(403);

    // Reading takes the cookie alone: a browser has no way to prove where a link was followed.
    assert_eq!(approval(&thief, &id).await["status"], "pending");
    assert_eq!(tokens(&thief).await.len(), 1);
    assert!(secrets(&thief).await.is_empty());
    tokens(&host.agent(&robot)).await;

    approve(&operator, &id).await;
}

#[tokio::test]
async fn the_proof_of_one_session_is_none_of_another() {
    let host = Host::start(ADMIN_TOKEN).await;
    let first = host.operator_session().await;
    let host = host.restart().await;
    let second = host.operator_session().await;
    assert_ne!(first.proof, second.proof);
    for (cookie, proof) in [(&first, &second), (&second, &first)] {
        let mixed = thief(&host, cookie).proof(&proof.proof);
        mixed
            .post("/org/tokens", json!({}))
            .await
            .refused(403, "proof_missing");
        minted(&host.signed_in(cookie), json!({})).await;
    }
}

#[tokio::test]
async fn a_form_carries_the_proof_in_a_field_and_no_page_shows_it_again() {
    let host = Host::start(ADMIN_TOKEN).await;
    let session = host.operator_session().await;
    let person = host.session(&session.cookie);
    let fields = [
        ("name", "by-form"),
        ("role", "reader"),
        ("proof", &session.proof),
    ];
    let page = person.post_form("/console/keys", &fields).await.expect(200);
    assert!(page.page().contains("cso_"), "{page}");
    let wrong = [("role", "nonsense"), ("proof", &session.proof)];
    let again = person.post_form("/console/keys", &wrong).await;
    assert!(!again.page().contains(&session.proof), "{again}");
    for path in [
        "/console/keys",
        "/console/approvals",
        "/console/audit",
        "/console/sign-in",
    ] {
        let page = person.get(path).await;
        assert!(!page.page().contains(&session.proof), "{page}");
    }
    assert_eq!(
        host.files_with(&session.proof),
        [] as [std::path::PathBuf; 0]
    );
}

// Guard: `MAX_COOKIES` in host/server/src/credentials/operator.rs. Without it, each is looked up.
#[tokio::test]
async fn a_request_with_many_cookies_of_our_name_presents_no_session() {
    let host = Host::start(ADMIN_TOKEN).await;
    let session = host.operator_session().await;
    let junk = format!("countersign={}", "x".repeat(43));
    let few = [&junk, &junk, &junk, &session.cookie]
        .map(String::as_str)
        .join("; ");
    tokens(&host.session(&few)).await;
    let many = format!("{junk}; {few}");
    host.session(&many)
        .get("/org/tokens")
        .await
        .refused(401, "unauthenticated");
}

//! What is kept where the console cannot do what somebody wants: their words, and the frame around them.

use countersign_tests::{Caller, Host, Reply};
use reqwest::Method;

use crate::stage::{ADMIN_TOKEN, Stage};

const ID: &str = "019b76da-a800-7000-8000-000000000003";

/// Percent-encoded: with markup, and with a character that turns what follows it round.
const REASON: &str = "not%20tonight%20%3Cb%3E%0A%E2%80%AEafter";
const SHOWN: &str = "not tonight &#60;b&#62;\n\u{202e}after</textarea>";

pub fn shows(reply: &Reply, words: &[&str]) {
    let page = reply.page();
    for words in words {
        assert!(page.contains(words), "{words}: {page}");
    }
}

pub fn hides(reply: &Reply, words: &[&str]) {
    let page = reply.page();
    for words in words {
        assert!(!page.contains(words), "{words}: {page}");
    }
}

/// An operator whose session has ended, as their browser goes on with it.
async fn signed_out_elsewhere(host: &Host) -> Caller {
    let operator = host.operator().await;
    let ended = operator.post_form("/console/sign-out", &[]).await;
    ended.expect(303);
    operator
}

// Guard: `typed` in host/server/src/console/typed.rs names the fields; without its list, a secret is shown.
#[tokio::test]
async fn words_typed_after_a_session_has_ended_come_back_and_no_secret_does() {
    let host = Host::start(ADMIN_TOKEN).await;
    let person = signed_out_elsewhere(&host).await;
    let secrets = [
        ("decision", "denied"),
        ("digest", "digest-4711"),
        ("proof", "proof-4711"),
        ("value", "value-4711"),
        ("key", "key-4711"),
    ];
    let kept = ["What you typed", "Nothing was done with it"];
    for (path, field, text, shown) in [
        (format!("/console/approvals/{ID}"), "reason", REASON, SHOWN),
        (
            format!("/console/approvals/{ID}/revoke"),
            "reason",
            REASON,
            SHOWN,
        ),
        (
            "/console/keys".to_owned(),
            "name",
            "night-shift",
            "\nnight-shift</textarea>",
        ),
        (
            "/console/workspaces".to_owned(),
            "name",
            "payments",
            "\npayments</textarea>",
        ),
    ] {
        let mut fields = secrets.to_vec();
        fields.push((field, text));
        let page = person.post_form(&path, &fields).await.expect(401);
        shows(&page, &kept);
        shows(&page, &["Sign in first", shown]);
        // Reading the same address again, after signing in, is the way back.
        let back = format!("href=\"/console/sign-in?back={path}\"");
        shows(&page, &[&back, "href=\"\""]);
        hides(&page, &["-4711", "<nav"]);
    }
    let page = person.post_form("/console/secrets", &secrets).await;
    hides(&page.expect(401), &["-4711", "What you typed"]);
}

// Guard: `keeps_words` in host/server/src/routes/occasion.rs. Without it, another site puts words into a person's mouth.
#[tokio::test]
async fn words_that_another_site_sends_are_never_shown() {
    let host = Host::start(ADMIN_TOKEN).await;
    let ended = signed_out_elsewhere(&host).await;
    let signed_in = host.operator_by_link(&host.command_line()).await;
    let path = format!("/console/approvals/{ID}");
    let fields = [("decision", "denied"), ("reason", "call-evil-4711")];
    for (person, status) in [(host.anonymous(), 401), (ended, 401), (signed_in, 403)] {
        let nowhere = person.without("sec-fetch-site");
        for site in [
            nowhere.clone(),
            nowhere.with("sec-fetch-site", "cross-site"),
            nowhere.with("sec-fetch-site", "same-site"),
            nowhere.with("sec-fetch-site", "none"),
            nowhere.with("origin", "https://evil.example"),
            nowhere.with("origin", "null"),
        ] {
            let page = site.post_form(&path, &fields).await.expect(status);
            hides(&page, &["call-evil-4711", "What you typed"]);
        }
    }
    // Nor what is no form, or is longer than any form with words.
    let ours = host.anonymous().with("sec-fetch-site", "same-origin");
    let plain = b"reason=call-evil-4711".to_vec();
    let kind = Some("text/plain");
    let page = ours.send(Method::POST, &path, kind, plain).await;
    hides(&page.expect(401), &["4711"]);
    let long = "4711".repeat(5_000);
    let page = ours.post_form(&path, &[("reason", &long)]).await;
    hides(&page.expect(401), &["4711"]);
}

#[tokio::test]
async fn words_are_kept_where_a_browser_has_lost_its_signing_key() {
    let host = Host::start(ADMIN_TOKEN).await;
    let session = host.operator_session().await;
    let fields = [("name", "night-shift"), ("proof", "of-another-session")];
    let person = host.session(&session.cookie);
    let page = person.post_form("/console/keys", &fields).await;
    let page = page.expect(403);
    shows(
        &page,
        &[
            "cannot sign for this session",
            "\nnight-shift</textarea>",
            "countersign login --browser",
            "Back to the keys",
        ],
    );
    hides(&page, &["of-another-session"]);
}

#[tokio::test]
async fn what_goes_wrong_keeps_the_frame_of_whoever_is_signed_in_and_leads_back_to_its_place() {
    let stage = Stage::set().await;
    let (ann, nobody) = (stage.person("ann").await, stage.host.anonymous());
    let operator = "ann</bdi>";
    for (path, status, place, words) in [
        (
            format!("/console/keys/{ID}"),
            404,
            "keys",
            "Back to the keys",
        ),
        (
            "/console/keys/x".to_owned(),
            400,
            "keys",
            "Back to the keys",
        ),
        (
            format!("/console/keys/{ID}/nothing"),
            404,
            "keys",
            "There is no such page",
        ),
        (
            format!("/console/workspaces/{ID}"),
            404,
            "workspaces",
            "Back to the workspaces",
        ),
        (
            "/console/workspaces/cut-of".to_owned(),
            400,
            "workspaces",
            "was cut off on its way",
        ),
        (
            "/console/policies/generations/99".to_owned(),
            404,
            "policies",
            "Back to the policies",
        ),
        (
            "/console/policies/generations/x".to_owned(),
            400,
            "policies",
            "There is no such page",
        ),
        (
            "/console/decisions/x".to_owned(),
            400,
            "decisions",
            "Back to the decisions",
        ),
        (
            "/console/audit/99999".to_owned(),
            404,
            "audit",
            "Back to the audit log",
        ),
        (
            format!("/console/approvals/{ID}"),
            404,
            "approvals",
            "See what is waiting",
        ),
        (
            "/console/approvals?cursor=%".to_owned(),
            400,
            "approvals",
            "is not one that this host gave",
        ),
    ] {
        let page = ann.get(&path).await.expect(status);
        let current = format!("href=\"/console/{place}\" aria-current=\"page\"");
        shows(&page, &[operator, &current, words]);
        hides(&page, &["UUID", "GET /", "in the path", "route"]);
    }
    let post = ann.post_form("/console/audit", &[]).await.expect(405);
    shows(
        &post,
        &[operator, "There is no such page", "Back to the audit log"],
    );
    hides(&post, &["method", "route"]);
    let elsewhere = ann.with("accept", "text/html").get("/consle").await;
    shows(&elsewhere.expect(404), &[operator, "<nav"]);

    for (path, status) in [("/console/nothing", 404), ("/consle", 404)] {
        let page = nobody.with("accept", "text/html").get(path).await;
        let page = page.expect(status);
        shows(&page, &["How to sign in"]);
        hides(&page, &["<nav", "class=\"viewer\""]);
    }
    let post = nobody.post_form("/console/audit", &[]).await.expect(405);
    hides(&post, &["<nav"]);
}

#[tokio::test]
async fn whoever_asks_too_much_keeps_the_frame_if_the_host_knows_them() {
    let host = Host::builder()
        .env("RATE_LIMIT", "10")
        .admin_token(ADMIN_TOKEN)
        .start()
        .await;
    let operator = host.operator().await;
    let exhausted = async |caller: &Caller| {
        for _ in 0..100 {
            let page = caller.get("/console/keys").await;
            if page.status == 429 {
                return page;
            }
        }
        panic!("there is no limit")
    };
    let page = exhausted(&operator).await;
    shows(
        &page,
        &[
            "Too much at once",
            "operator</bdi>",
            "href=\"/console/keys\" aria-current=\"page\"",
        ],
    );
    let page = exhausted(&host.anonymous()).await;
    shows(&page, &["Too much at once"]);
    hides(&page, &["<nav", "operator</bdi>"]);
}

// Guard: `Inside::parse` in host/server/src/console/inside.rs.
#[tokio::test]
async fn an_address_with_a_last_slash_leads_to_the_page_and_nowhere_else() {
    let host = Host::start(ADMIN_TOKEN).await;
    let nobody = host.anonymous();
    for (path, to) in [
        ("/console/keys/", "/console/keys"),
        (
            "/console/audit/?q=a%20b&x=//evil",
            "/console/audit?q=a%20b&x=//evil",
        ),
        ("/console/policies/matrix/", "/console/policies/matrix"),
    ] {
        let moved = nobody.get(path).await.expect(308);
        assert_eq!(moved.header("location"), Some(to), "{moved}");
        nobody.post_form(path, &[]).await.expect(405);
    }
    let page = nobody.with("accept", "text/html");
    for path in [
        "//evil/",
        "/evil/",
        "/console//evil/",
        "/console//evil.example/",
        "/console/keys//",
        "/console/%2f%2fevil/",
        "/console/%0d%0ax/",
        "/console/\\evil/",
    ] {
        let reply = page.get(path).await.expect(404);
        assert_eq!(reply.header("location"), None, "{reply}");
    }
}

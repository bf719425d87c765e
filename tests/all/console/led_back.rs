//! Signing in leads back to where somebody was, and whoever is signed in needs no link.

use countersign_tests::Host;

use super::kept::{hides, shows};
use crate::stage::{ADMIN_TOKEN, Stage};

const ID: &str = "019b76da-a800-7000-8000-000000000003";

#[tokio::test]
async fn whoever_is_signed_in_and_opens_a_login_link_is_told_so() {
    let host = Host::start(ADMIN_TOKEN).await;
    let link = host.login_secret();
    let session = host.operator_session().await;
    let operator = host.signed_in(&session);
    let path = format!("/console/sign-in?link={link}");
    let page = operator.get(&path).await.expect(200);
    shows(
        &page,
        &[
            "You are signed in already",
            "href=\"/console/approvals\"",
            "operator</bdi>",
        ],
    );
    hides(&page, &["Sign in as the operator"]);
    let used = [("link", link.as_str())];
    let page = operator.post_form("/console/sign-in", &used).await;
    let page = page.expect(403);
    shows(&page, &["You are signed in already", "See what is waiting"]);
    hides(&page, &["How to get a link"]);
    let page = host.anonymous().get(&path).await.expect(200);
    shows(&page, &["Sign in as the operator"]);
}

// Guard: `Inside::to_come_back_to` in host/server/src/console/inside.rs. Without it, the link leads to another host.
#[tokio::test]
async fn signing_in_leads_back_to_where_one_was_and_never_to_another_host() {
    let stage = Stage::set().await;
    let (ann, nobody) = (stage.person("ann").await, stage.host.anonymous());
    let path = format!("/console/approvals/{ID}");
    let page = nobody.get(&path).await.expect(401);
    let sign_in = format!("/console/sign-in?back={path}");
    shows(&page, &[&format!("href=\"{sign_in}\"")]);
    let page = nobody.get(&sign_in).await.expect(200);
    shows(&page, &[&format!("href=\"{path}\" data-back")]);
    let back = ann.get(&sign_in).await.expect(303);
    assert_eq!(back.header("location"), Some(path.as_str()));
    // With what narrowed a list, and to a page alone where the query is none that a list's form makes.
    let narrowed = "/console/decisions?effect=deny&actor=a%26b";
    let page = nobody.get(narrowed).await.expect(401);
    let sign_in = "/console/sign-in?back=/console/decisions%3Feffect%3Ddeny%26actor%3Da%2526b";
    shows(&page, &[&format!("href=\"{sign_in}\"")]);
    let page = nobody.get(sign_in).await.expect(200);
    let escaped = narrowed.replace('&', "&#38;");
    shows(&page, &[&format!("href=\"{escaped}\" data-back")]);
    let back = ann.get(sign_in).await.expect(303);
    assert_eq!(back.header("location"), Some(narrowed));
    let page = nobody.get("/console/keys?x=//evil").await.expect(401);
    shows(&page, &["href=\"/console/sign-in?back=/console/keys\""]);
    for evil in [
        "//evil.example/",
        "https://evil.example/",
        "/console/../org/tokens",
        "/console//evil",
        "/console/sign-out",
        "/console/x%0d%0aset-cookie:a=b",
        "javascript:alert(1)",
        "/console/keys?x=//evil",
        "/console/keys?x%23evil",
        "/console/keys?x%0d%0aset-cookie:evil",
    ] {
        let path = format!("/console/sign-in?back={evil}");
        let page = nobody.get(&path).await.expect(200);
        hides(&page, &["evil", "data-back", "javascript:", "org/tokens"]);
        let home = ann.get(&path).await.expect(303);
        assert_eq!(home.header("location"), Some("/console"));
    }
}

#[tokio::test]
async fn whoever_comes_by_another_name_of_the_machine_is_led_to_the_hosts_own() {
    let host = Host::start(ADMIN_TOKEN).await;
    let port = host.authority().rsplit(':').next().expect("a port");
    let nobody = host.anonymous();
    let there = format!("href=\"{}/console/sign-in\"", host.origin());
    let other = nobody.with("host", format!("localhost:{port}"));
    let page = other.get("/console/sign-in").await.expect(200);
    shows(&page, &["by another name than its own", &there]);
    let page = nobody.get("/console/sign-in").await.expect(200);
    hides(&page, &["by another name"]);
}

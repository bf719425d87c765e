//! Pages of the control plane under the host's own address, in a real browser.

use std::fs;

use countersign_tests::Host;
use serde_json::json;

use super::driver::Browser;
use crate::edge::upstream::{Upstream, ok};
use crate::stage::ADMIN_TOKEN;

/// What a page under our origin would take, if it could: the proof that the console keeps there.
const PAGE: &str = "<!doctype html><title>Terms</title><h1>The terms</h1>\
    <script>document.title = 'ran: ' + localStorage.getItem('countersign-proof')</script>\
    <script src='/cp/legal/script.js'></script>\
    <form method='post' action='/console/sign-out'><button id='out'>Out</button></form>";
const SCRIPT: &str = "document.title = 'ran: ' + localStorage.getItem('countersign-proof');";

// Guards: the policy `PAGES` in host/server/src/proxy.rs, and `content_type` in proxy/headers.rs.
#[tokio::test]
async fn a_page_of_the_control_plane_has_nothing_of_our_origin() {
    let host = Host::start(ADMIN_TOKEN).await;
    let browser = Browser::start().await;
    let link = fs::read_to_string(host.data_dir().join("login-link")).expect("a link");
    browser.open(link.trim()).await;
    browser
        .click("form[action='/console/sign-in'] button")
        .await;
    browser.is_at("/console/approvals").await;

    let upstream = Upstream::start(|heard| {
        Some(match heard.line() {
            "GET /cp/legal/script.js" => ok("Content-Type: text/javascript\r\n", SCRIPT),
            "GET /cp/legal/terms" => ok("Content-Type: text/html\r\n", PAGE),
            "GET /cp/auth/login" => crate::edge::upstream::answer(
                "302 Found",
                "Location: /console/approvals\r\nSet-Cookie: cp_session=ann; Path=/; HttpOnly; SameSite=Lax\r\n",
                "",
            ),
            _ => ok("Content-Type: application/json\r\n", r#"{"slug":"acme"}"#),
        })
    });
    // The same address, so the same origin.
    let address = host.authority().to_owned();
    let host = host
        .stop()
        .await
        .listen(&address)
        .env("CP_UPSTREAM_URL", upstream.url())
        .env("MOLECULE_ORG_SLUG", "acme")
        .start()
        .await;
    let kept = "return localStorage.getItem('countersign-proof')";
    browser
        .open(&format!("{}/console/approvals", host.origin()))
        .await;
    assert!(
        browser.run(kept).await.is_string(),
        "there is something to take"
    );

    browser
        .open(&format!("{}/cp/legal/terms", host.origin()))
        .await;
    browser.shows("The terms").await;
    assert_eq!(browser.run("return document.title").await, json!("Terms"));
    let takes = "try { return localStorage.length } catch (error) { return error.name }";
    assert_eq!(browser.run(takes).await, json!("SecurityError"));
    assert_eq!(browser.run("return window.origin").await, json!("null"));
    // A form of it is another site's.
    browser.click("#out").await;
    browser.shows("This came from another site").await;

    // Nor does a script of it run in a page of ours, and it never becomes a worker.
    browser
        .open(&format!("{}/console/keys", host.origin()))
        .await;
    let includes = "const script = document.createElement('script'); script.src = '/cp/legal/script.js'; \
        document.title = 'ours'; document.body.append(script); \
        return new Promise(done => { script.onload = () => done('loaded'); script.onerror = () => done('refused') })";
    assert_eq!(browser.run(includes).await, json!("refused"));
    assert_eq!(browser.run("return document.title").await, json!("ours"));
    let registers = "return navigator.serviceWorker.register('/cp/legal/script.js')\
        .then(() => 'registered', () => 'refused')";
    assert_eq!(browser.run(registers).await, json!("refused"));

    // What pages of ours need works: answers in JSON, and signing in by redirects.
    let fetches = "return fetch('/cp/orgs').then(answer => answer.json()).then(org => org.slug)";
    assert_eq!(browser.run(fetches).await, json!("acme"));
    browser
        .open(&format!("{}/cp/auth/login", host.origin()))
        .await;
    browser.is_at("/console/approvals").await;
    let names: Vec<_> = browser
        .cookies()
        .await
        .iter()
        .map(|cookie| cookie["name"].clone())
        .collect();
    assert!(names.contains(&json!("cp_session")), "{names:?}");
}

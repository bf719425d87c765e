//! The console, in a real browser: what a person does there, and what the agent that waits gets of it.

mod axe;
mod belongings;
mod driver;
mod forwarded;
mod gallery;
mod hurried;
mod inbox;
mod inbox_news;
mod inbox_unaided;
mod incident;
mod neighbour;
mod policies;
mod policy_asking;
mod policy_history;
mod record;
mod shadow;
mod turned_away;

use std::fs;
use std::path::PathBuf;

use countersign_tests::{Caller, Host};
use serde_json::{Value, json};

use crate::stage::{self, ADMIN_TOKEN};
use driver::Browser;
use neighbour::Neighbour;

const APPROVE: &str = "button[name=decision][value=approved]";
const DENY: &str = "button[name=decision][value=denied]";
const SIGN_OUT: &str = "form[action='/console/sign-out'] button";

/// A host, its operator's browser, and an agent.
struct Scene {
    host: Host,
    browser: Browser,
    agent: Caller,
}

impl Scene {
    async fn set() -> Self {
        let (host, browser) = (Host::start(ADMIN_TOKEN).await, Browser::start().await);
        let agent = host.agent(ADMIN_TOKEN);
        Self {
            host,
            browser,
            agent,
        }
    }

    async fn sign_in(&self) {
        sign_in(&self.host, &self.browser).await;
    }

    /// The agent asks for a key, and has to wait.
    async fn ask(&self, name: &str) -> String {
        let reply = self
            .agent
            .post("/org/tokens", json!({ "name": name }))
            .await;
        reply.approval()
    }

    /// The operator finds the request among those that wait, and opens it.
    async fn open_request(&self, approval: &str, name: &str) {
        self.browser
            .open(&format!("{}/console", self.host.origin()))
            .await;
        self.browser.shows("One request is waiting").await;
        self.browser.shows(name).await;
        self.browser
            .click(&format!("a[href='/console/approvals/{approval}']"))
            .await;
        self.browser.shows("What is asked").await;
        self.browser.shows("the holder of ADMIN_TOKEN").await;
        self.browser.shows("agents need a person for this").await;
    }

    /// Nothing on any page was stopped by what guards the pages, or failed to load.
    async fn went_well(&self) {
        assert_eq!(self.browser.complaints().await, [] as [Value; 0]);
    }
}

/// The operator opens the link that the host wrote, and presses the button.
async fn sign_in(host: &Host, browser: &Browser) {
    let link = fs::read_to_string(host.data_dir().join("login-link")).expect("a link");
    browser.open(link.trim()).await;
    browser
        .click("form[action='/console/sign-in'] button")
        .await;
    browser.shows("operator").await;
    browser.is_at("/console/approvals").await;
}

#[tokio::test]
async fn an_operator_signs_in_by_the_link_approves_and_signs_out_and_the_agents_retry_mints() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    scene.sign_in().await;
    browser.shows("Nothing is waiting").await;
    let cookies = browser.cookies().await;
    let [session] = &cookies[..] else {
        panic!("one cookie is enough: {cookies:?}")
    };
    assert_eq!(
        (&session["httpOnly"], &session["sameSite"]),
        (&json!(true), &json!("Strict"))
    );

    let approval = scene.ask("night-shift").await;
    scene.open_request(&approval, "night-shift").await;
    browser
        .write("textarea[name=reason]", "the night shift needs it")
        .await;
    browser.click(APPROVE).await;
    browser.shows("the night shift needs it").await;
    assert!(
        !browser.has(APPROVE).await,
        "it is decided, and can be decided again"
    );

    let minted = scene
        .agent
        .post("/org/tokens", json!({ "name": "night-shift" }))
        .await
        .expect(200);
    let key = minted.text("auth_token");
    scene.host.agent(key).get("/org/tokens").await.expect(200);
    assert_eq!(stage::tokens(&scene.agent).await.len(), 1);

    browser.click("nav a[href='/console/keys']").await;
    browser.shows("night-shift").await;
    assert!(
        !browser.source().await.contains(key),
        "the console shows the agent's key"
    );

    assert_eq!(browser.run("return localStorage.length").await, 1);
    browser.click(SIGN_OUT).await;
    browser.is_at("/console/sign-in").await;
    assert_eq!(browser.run("return localStorage.length").await, 0);
    assert_eq!(browser.cookies().await, [] as [Value; 0]);
    browser
        .open(&format!("{}/console/keys", scene.host.origin()))
        .await;
    browser.shows("How to sign in").await;
    assert!(
        !browser.source().await.contains("night-shift"),
        "a stranger sees the keys"
    );
    // The session is dead, and not only forgotten by this browser.
    let cookie = format!(
        "{}={}",
        session["name"].as_str().expect("a name"),
        session["value"].as_str().expect("a value")
    );
    scene
        .host
        .session(&cookie)
        .get("/approvals/pending")
        .await
        .refused(401, "unauthenticated");
    // The browser's log does tell: of the one page that was refused, and of nothing else.
    let complaints = browser.complaints().await;
    let is_refusal = |one: &Value| {
        one["message"]
            .as_str()
            .is_some_and(|text| text.contains("401"))
    };
    assert!(
        !complaints.is_empty() && complaints.iter().all(is_refusal),
        "{complaints:?}"
    );
    println!(
        "browser: Chromium {} signed in, approved, saw the agent mint, and signed out",
        browser.version()
    );
}

#[tokio::test]
async fn an_operator_denies_and_the_agent_reads_the_reason() {
    let scene = Scene::set().await;
    scene.sign_in().await;
    let approval = scene.ask("day-shift").await;
    scene.open_request(&approval, "day-shift").await;
    scene
        .browser
        .write("textarea[name=reason]", "ask the night shift <b>first</b>")
        .await;
    scene.browser.click(DENY).await;
    // As it was typed: what people write is never markup.
    scene
        .browser
        .shows("ask the night shift <b>first</b>")
        .await;

    let seen = stage::approval(&scene.agent, &approval).await;
    assert_eq!(seen["status"], "denied", "{seen}");
    let body = json!({ "name": "day-shift" });
    let retry = scene
        .agent
        .post("/org/tokens", body)
        .await
        .refused(403, "approval_denied");
    assert!(
        retry
            .text("error")
            .contains("ask the night shift <b>first</b>"),
        "{retry}"
    );
    assert_eq!(stage::tokens(&scene.agent).await, [] as [Value; 0]);
    scene
        .browser
        .open(&format!("{}/console", scene.host.origin()))
        .await;
    scene.browser.shows("Nothing is waiting").await;
    scene.went_well().await;
    println!(
        "browser: Chromium {} denied, and the agent read why",
        scene.browser.version()
    );
}

#[tokio::test]
async fn a_key_minted_in_the_page_is_shown_once_works_and_dies_when_it_is_revoked() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    scene.sign_in().await;
    browser.click("nav a[href='/console/keys']").await;
    browser.shows("No key is live").await;
    browser.write("input[name=name]", "deploy robot").await;
    browser.click("input[name=role][value=reader]").await;
    browser.click("form[action='/console/keys'] button").await;
    let key = browser.text("#key").await;
    assert!(key.starts_with("cso_"), "{key}");
    let robot = scene.host.agent(&key);
    robot.get("/approvals/pending").await.expect(200);

    browser.click("a.button[href='/console/keys']").await;
    browser.shows("deploy robot").await;
    browser.shows(&key[..8]).await;
    assert!(
        !browser.source().await.contains(&key),
        "the key is shown a second time"
    );
    assert_eq!(
        scene.host.files_with(&key),
        [] as [PathBuf; 0],
        "the key is kept"
    );

    browser.click("a[href$='/revoke']").await;
    browser.shows("deploy robot").await;
    browser.click("form[action$='/revoke'] button").await;
    browser.shows("No key is live").await;
    robot.get("/approvals/pending").await.expect(401);
    scene.went_well().await;
    println!(
        "browser: Chromium {} minted a key, saw it once, and revoked it",
        browser.version()
    );
}

// Guard: `proved` in host/server/src/routes/call.rs: without it, the neighbour approves. Behind it, the
// browser keeps the proof from the neighbour's page: in a cookie it would have come along.
#[tokio::test]
async fn a_page_on_another_port_gets_the_cookie_and_cannot_decide_with_it() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    scene.sign_in().await;
    let approval = scene.ask("preview").await;

    let neighbour = Neighbour::start();
    browser.open(&neighbour.origin()).await;
    browser.shows("A harmless preview").await;
    let stolen = neighbour.cookies();
    assert!(
        stolen.starts_with("countersign="),
        "the browser sends the session to every port: `{stolen}`"
    );
    assert_eq!(browser.run("return localStorage.length").await, 0);

    let thief = scene.host.session(&stolen);
    let reply = stage::decide(&thief, &approval, "approved").await;
    reply.refused(403, "proof_missing");
    let seen = stage::approval(&thief, &approval).await;
    assert_eq!(seen["status"], "pending", "{seen}");
    // The page itself, from within the browser that has the proof.
    let form = format!(
        "document.body.innerHTML = `<form method=post action='{}/console/approvals/{approval}'>\
         <input name=decision value=approved><input name=digest value='{}'></form>`; \
         document.forms[0].submit()",
        scene.host.origin(),
        seen["digest"].as_str().expect("a digest"),
    );
    browser.run(&form).await;
    browser.shows("This came from another site").await;
    let seen = stage::approval(&thief, &approval).await;
    assert_eq!(seen["status"], "pending", "{seen}");

    scene.open_request(&approval, "preview").await;
    browser.click(APPROVE).await;
    browser.shows("signed in by login link").await;
    let seen = stage::approval(&thief, &approval).await;
    assert_eq!(seen["status"], "approved", "{seen}");
    println!(
        "browser: Chromium {} sent the cookie to another port, where it decided nothing",
        browser.version()
    );
}

#[tokio::test]
async fn a_browser_that_lost_its_proof_says_so_and_sends_nothing() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    scene.sign_in().await;
    let approval = scene.ask("forgetful").await;
    scene.open_request(&approval, "forgetful").await;
    browser.run("localStorage.clear()").await;
    browser.click(APPROVE).await;
    browser.shows("no signing key for this session").await;
    browser
        .is_at(&format!("/console/approvals/{approval}"))
        .await;
    assert!(browser.has(APPROVE).await, "the page is as it was");
    let seen = stage::approval(&scene.agent, &approval).await;
    assert_eq!(seen["status"], "pending", "{seen}");

    // A proof of an earlier session is sent, and refused.
    browser
        .run("localStorage.setItem('countersign-proof', 'of-another-session')")
        .await;
    browser.click(DENY).await;
    browser
        .shows("This browser cannot sign for this session")
        .await;
    let seen = stage::approval(&scene.agent, &approval).await;
    assert_eq!(seen["status"], "pending", "{seen}");
}

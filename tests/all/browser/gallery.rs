//! Every page of the console, on a host that people and agents have used for a while, and on one that nobody has: each
//! fits every screen, light and dark, and keeps nobody out.

use countersign_tests::{Caller, Host};
use serde_json::{Value, json};

use super::driver::Browser;
use super::{ADMIN_TOKEN, SIGN_OUT, Scene, sign_in};
use crate::promotion::LOOSER;
use crate::reload::shelf::Shelf;
use crate::stage;

/// Leaves no room for a signing key where the browser keeps one.
const FILL: &str = "
let text = 'x'.repeat(1 << 23);
for (let at = 0; text !== ''; at++) {
  try { localStorage.setItem(at, text); } catch { text = text.slice(text.length >> 1 || 1); }
}";

/// What was done on the host, as far as pages are named after it.
struct Lived {
    shelf: Shelf,
    waits: String,
    used: String,
    gone: String,
    removal: String,
    key: Value,
    workspace: String,
    decision: String,
}

impl Lived {
    async fn in_() -> Self {
        let shelf = Shelf::reviewed().await;
        let (agent, person) = (shelf.host.agent(ADMIN_TOKEN), shelf.host.operator().await);
        let workspace = workspaces(&person).await;
        let key = agents(&agent, &person, &workspace).await;
        let ask = async |name: &str| agent.post("/org/tokens", json!({ "name": name })).await;
        let used = ask("nightly-backup").await.approval();
        stage::approve(&person, &used).await;
        ask("nightly-backup").await.expect(200);
        let gone = ask("forgotten").await.approval();
        let path = format!("/approvals/{gone}/withdraw");
        agent.post(&path, json!({})).await.expect(200);
        let denied = ask("everything").await.approval();
        stage::decide(&person, &denied, "denied").await.expect(200);
        let secret = json!({ "key": "DEPLOY_KEY", "value": "not-to-be-seen-anywhere" });
        let path = format!("/workspaces/{workspace}/secrets");
        let waits = agent.post(&path, secret).await.approval();
        let removal = agent
            .delete(&format!("/workspaces/{workspace}?confirm=true"))
            .await
            .approval();
        let decisions = person.get("/decisions").await.expect(200).json;
        let decision = decisions["decisions"][0]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        shelf.sets(LOOSER);
        shelf.waits().await;
        Self {
            shelf,
            waits,
            used,
            gone,
            removal,
            key,
            workspace,
            decision,
        }
    }

    fn host(&self) -> &Host {
        &self.shelf.host
    }

    /// The pages of the people who are signed in, by the name of their pictures.
    fn pages(&self) -> Vec<(&'static str, String)> {
        let Self {
            waits,
            used,
            gone,
            removal,
            workspace,
            decision,
            ..
        } = self;
        let key = self.key["id"].as_str().expect("an id");
        vec![
            ("inbox", "/console/approvals".to_owned()),
            ("request", format!("/console/approvals/{waits}")),
            ("request-used", format!("/console/approvals/{used}")),
            ("request-gone", format!("/console/approvals/{gone}")),
            ("request-removal", format!("/console/approvals/{removal}")),
            ("request-history", "/console/approvals/history".to_owned()),
            ("keys", "/console/keys".to_owned()),
            ("key", format!("/console/keys/{key}")),
            ("key-revoke", format!("/console/keys/{key}/revoke")),
            ("workspaces", "/console/workspaces".to_owned()),
            ("workspace", format!("/console/workspaces/{workspace}")),
            (
                "workspace-remove",
                format!("/console/workspaces/{workspace}/remove"),
            ),
            (
                "workspace-secrets",
                format!("/console/workspaces/{workspace}/secrets"),
            ),
            ("secrets", "/console/secrets".to_owned()),
            ("policies", "/console/policies".to_owned()),
            ("policy-matrix", "/console/policies/matrix".to_owned()),
            ("policy-history", "/console/policies/history".to_owned()),
            ("generation", "/console/policies/generations/1".to_owned()),
            ("playground", "/console/policies/playground".to_owned()),
            ("decisions", "/console/decisions".to_owned()),
            ("decision", format!("/console/decisions/{decision}")),
            ("audit", "/console/audit".to_owned()),
            ("audit-entry", "/console/audit/1".to_owned()),
            ("sessions", "/console/sessions".to_owned()),
            (
                "not-there",
                "/console/approvals/019b76da-a800-7000-8000-000000000003".to_owned(),
            ),
        ]
    }
}

/// Some workspaces, and the one that most is about.
async fn workspaces(person: &Caller) -> String {
    let payments = stage::workspace(person, "payments", None).await;
    stage::workspace(person, "payments-staging", Some(&payments)).await;
    stage::workspace(person, "research", None).await;
    let path = format!("/workspaces/{payments}/secrets");
    let secret = |key: &str| json!({ "key": key, "value": "not-to-be-seen-anywhere" });
    person.post(&path, secret("STRIPE_KEY")).await.expect(200);
    person
        .post("/settings/secrets", secret("PROXY_URL"))
        .await
        .expect(200);
    payments
}

/// Keys of agents, one of which has minted another.
async fn agents(agent: &Caller, person: &Caller, workspace: &str) -> Value {
    let body = json!({ "name": "deploy-bot", "role": "admin" });
    let key = person.post("/org/tokens", body).await.expect(200).json;
    let bot = agent.bearer(key["auth_token"].as_str().expect("a key"));
    bot.get("/workspaces").await.expect(200);
    let body = json!({ "name": "ci-runner", "role": "editor", "workspace_id": workspace });
    let approval = bot.post("/org/tokens", body.clone()).await.approval();
    stage::approve(person, &approval).await;
    bot.post("/org/tokens", body).await.expect(200);
    key
}

#[tokio::test]
async fn every_page_fits_every_screen_and_keeps_nobody_out() {
    let (lived, browser) = (Lived::in_().await, Browser::start().await);
    let origin = lived.host().origin().to_owned();
    browser.open(&format!("{origin}/console/sign-in")).await;
    browser.fits("sign-in").await;
    browser.open(&format!("{origin}/console/keys")).await;
    browser.fits("signed-out").await;
    let terminal = lived.host().command_line();
    terminal.run(&["login", "--browser"]).await.expect(0);
    keeps_no_key(lived.host(), &browser).await;
    terminal.run(&["login", "--browser"]).await.expect(0);
    sign_in(lived.host(), &browser).await;
    let person = lived.host().operator_by_link(&terminal).await;
    let pages = lived.pages();
    for (name, path) in &pages {
        let status = if *name == "not-there" { 404 } else { 200 };
        person.get(path).await.expect(status);
        browser.open(&format!("{origin}{path}")).await;
        let source = browser.source().await;
        assert!(
            !source.contains("not-to-be-seen-anywhere"),
            "{path} shows a secret"
        );
        browser.fits(name).await;
    }
    // A letter that turns round what follows it is in no name.
    let typed = "document.querySelector('input[name=name]').value = 'a\\u202eb'";
    let forms = [
        ("mint-wrong", "/console/keys"),
        ("workspace-wrong", "/console/workspaces"),
    ];
    for (name, path) in forms {
        browser.open(&format!("{origin}{path}")).await;
        browser.run(typed).await;
        let send = format!("form[action='{path}'][method=post] button");
        browser.click(&send).await;
        browser.shows("The name has a control, format").await;
        browser.fits(name).await;
    }
    // A proof of another session signs nothing.
    browser
        .run("localStorage.setItem('countersign-proof', 'of-another-session')")
        .await;
    browser
        .click("form[action='/console/workspaces'][method=post] button")
        .await;
    browser
        .shows("This browser cannot sign for this session")
        .await;
    browser.fits("not-allowed").await;
    println!(
        "browser: {} pages fit three screens in two themes, and axe-core finds nothing serious",
        pages.len() + forms.len() + 5
    );
}

/// The pages of somebody who comes by a link, and whose browser does not keep the session's signing key.
async fn keeps_no_key(host: &Host, browser: &Browser) {
    let link = std::fs::read_to_string(host.data_dir().join("login-link")).expect("a link");
    browser.open(link.trim()).await;
    browser.fits("sign-in-link").await;
    browser.run(FILL).await;
    browser
        .click("form[action='/console/sign-in'] button")
        .await;
    browser.shows("does not let this page keep").await;
    browser.fits("signed-in").await;
    browser.run("localStorage.clear()").await;
    browser
        .open(&format!("{}/console/keys", host.origin()))
        .await;
    browser.click(SIGN_OUT).await;
    browser.is_at("/console/sign-in").await;
}

#[tokio::test]
async fn every_page_that_has_nothing_to_show_fits_every_screen_and_keeps_nobody_out() {
    let scene = Scene::set().await;
    scene.sign_in().await;
    for (name, path, words) in [
        ("inbox-empty", "approvals", "Nothing is waiting"),
        (
            "history-empty",
            "approvals/history",
            "Nothing was asked yet",
        ),
        ("keys-empty", "keys", "No key is live"),
        ("secrets-empty", "secrets", "No secret is set"),
        ("shadow-empty", "policies/shadow", "Nothing is in shadow"),
        ("decisions-empty", "decisions", "Nothing was decided yet"),
        (
            "audit-empty",
            "audit?until=2020-01-01",
            "No entry is like that",
        ),
    ] {
        let page = format!("{}/console/{path}", scene.host.origin());
        scene.browser.open(&page).await;
        scene.browser.shows(words).await;
        scene.browser.fits(name).await;
    }
    scene.went_well().await;
}

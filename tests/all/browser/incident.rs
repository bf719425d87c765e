//! The incident that the project was born from, once more, by hand and eye: an agent that holds ADMIN_TOKEN
//! asks over HTTP, and two people in two browsers, by clicks alone, say what becomes of it.

use std::path::PathBuf;

use countersign_tests::{Caller, Reply};
use serde_json::{Value, json};

use super::driver::Browser;
use super::inbox::complains_only_of;
use super::{APPROVE, DENY};
use crate::stage::{Stage, approval, pending, secrets, tokens};

/// What the agent wants to write, and nobody is to read.
const VALUE: &str = "hunter2-of-the-incident";

const SAYS_YES: &str = "the night shift needs <b>one</b>";
const SAYS_NO: &str = "set it in the vault instead";

/// The host, the agent, and two people at their browsers.
struct Incident {
    stage: Stage,
    agent: Caller,
    ann: Browser,
    bob: Browser,
}

/// What the agent asked for: by which approval it waits.
struct Asked {
    mint: String,
    write: String,
}

/// What the agent got.
struct Got {
    id: String,
    key: String,
}

impl Incident {
    async fn begins() -> Self {
        let stage = Stage::set().await;
        Self {
            agent: stage.agent(),
            ann: Browser::start().await,
            bob: Browser::start().await,
            stage,
        }
    }

    async fn asks_to_mint(&self) -> Reply {
        let body = json!({ "name": "ci", "role": "admin" });
        self.agent.post("/org/tokens", body).await
    }

    async fn asks_to_write(&self) -> Reply {
        let body = json!({ "key": "DEPLOY_KEY", "value": VALUE });
        self.agent.post("/settings/secrets", body).await
    }

    /// Where the console leads whoever comes to it, and by its links alone. At the platform they sign in between.
    async fn signs_in(&self, browser: &Browser, user: &str) {
        let console = format!("{}/console", self.stage.host.origin());
        browser.open(&console).await;
        browser.shows("Sign in first").await;
        browser.click("main a[href='/console/sign-in']").await;
        browser.shows("Sign in to your platform first").await;
        browser
            .keep(&self.stage.control_plane.sign_in(user).await)
            .await;
        browser.click("main a[href='/console']").await;
        browser.is_at("/console/approvals").await;
        browser.shows(user).await;
        browser.shows("Nothing is waiting").await;
        browser.run("window.isTheSame = true").await;
    }

    /// Nothing of what was asked for is there, and the agent cannot let it be.
    async fn the_agent_asks_and_cannot_approve(&self) -> Asked {
        let mint = self.asks_to_mint().await.approval();
        let write = self.asks_to_write().await.approval();
        for id in [&mint, &write] {
            let body = json!({ "decision": "approved", "decided_by": "ann" });
            let path = format!("/approvals/{id}/decide");
            let reply = self.agent.post(&path, body).await;
            reply.refused(403, "approver_must_be_human");
            assert_eq!(approval(&self.agent, id).await["status"], "pending");
        }
        self.nothing_is_there().await;
        Asked { mint, write }
    }

    async fn nothing_is_there(&self) {
        assert_eq!(tokens(&self.agent).await, [] as [Value; 0]);
        assert_eq!(secrets(&self.agent).await, [] as [Value; 0]);
    }

    /// Reads what is asked, as all of it is told before somebody signs.
    async fn ann_reads(&self, id: &str, words: &[&str]) {
        let ann = &self.ann;
        let asked = approval(&self.agent, id).await;
        let told = |member: &str| asked[member].as_str().expect("a text").to_owned();
        let (rule, policy) = (told("rule"), told("policy"));
        assert!(policy.contains('@'), "the module's version: {policy}");
        ann.click(&format!("main a[href='/console/approvals/{id}']"))
            .await;
        let by_rule = format!("{rule} of {policy}");
        for words in words.iter().copied().chain([
            "the holder of ADMIN_TOKEN",
            "agents need a person for this",
            &by_rule,
            "Your decision",
        ]) {
            ann.shows(words).await;
        }
    }

    async fn ann_approves_the_mint(&self, asked: &Asked) {
        let ann = &self.ann;
        self.ann_reads(&asked.mint, &["ci", "admin", "It never expires"])
            .await;
        self.looks("mint").await;
        ann.write("textarea[name=reason]", SAYS_YES).await;
        ann.click(APPROVE).await;
        ann.shows("The caller can do it once").await;
        ann.shows(SAYS_YES).await;
        assert_eq!(tokens(&self.agent).await, [] as [Value; 0]);
        ann.click(".trail a[href='/console/approvals']").await;
        ann.shows("One request is waiting").await;
    }

    /// In his window, while ann has the same request open in hers.
    async fn bob_denies_the_write(&self, asked: &Asked) {
        let (ann, bob) = (&self.ann, &self.bob);
        self.ann_reads(&asked.write, &["DEPLOY_KEY", "hidden", "fingerprint"])
            .await;
        self.looks("write").await;
        ann.run("window.isTheSame = true").await;
        bob.shows("One request is waiting").await;
        bob.click(&format!(
            "main a[href='/console/approvals/{}']",
            asked.write
        ))
        .await;
        for browser in [ann, bob] {
            browser.shows("hidden").await;
            let source = browser.source().await;
            assert!(!source.contains(VALUE), "the secret is shown: {source}");
        }
        bob.write("textarea[name=reason]", SAYS_NO).await;
        bob.click(DENY).await;
        for browser in [bob, ann] {
            browser.shows(SAYS_NO).await;
            browser.is_titled("Write a secret: denied").await;
            browser.shows("bob").await;
            assert!(!browser.has(DENY).await, "it can be decided again");
        }
        assert_eq!(ann.run("return window.isTheSame").await, true);
        self.looks("denied").await;
    }

    async fn the_repeats_mint_once_and_write_nothing(&self, asked: &Asked) -> Got {
        let minted = self.asks_to_mint().await.expect(200);
        let got = Got {
            id: minted.text("id").to_owned(),
            key: minted.text("auth_token").to_owned(),
        };
        let works = self.stage.host.agent(&got.key).get("/org/tokens").await;
        works.expect(200);
        assert_ne!(self.asks_to_mint().await.approval(), asked.mint);
        assert_eq!(tokens(&self.agent).await.len(), 1);
        assert_eq!(pending(&self.agent).await.len(), 1);

        let denied = self.asks_to_write().await.refused(403, "approval_denied");
        assert!(denied.text("error").contains(SAYS_NO), "{denied}");
        assert_eq!(secrets(&self.agent).await, [] as [Value; 0]);
        got
    }

    async fn ann_finds_the_key_and_revokes_it(&self, asked: &Asked, got: &Got) {
        let ann = &self.ann;
        ann.click("nav a[href='/console/keys']").await;
        ann.shows("ci").await;
        ann.click(&format!("th a[href='/console/keys/{}']", got.id))
            .await;
        ann.shows("by the holder of ADMIN_TOKEN").await;
        ann.shows("No other key minted it").await;
        ann.shows("by ann").await;
        self.looks("key").await;
        ann.click(&format!("dd a[href='/console/approvals/{}']", asked.mint))
            .await;
        ann.shows("It was approved, and it was done, once").await;

        ann.click("nav a[href='/console/keys']").await;
        ann.click(&format!("a[href='/console/keys/{}/revoke']", got.id))
            .await;
        ann.shows("It cannot be brought back").await;
        let still = self.stage.host.agent(&got.key).get("/org/tokens").await;
        still.expect(200);
        ann.click("form[action$='/revoke'] button").await;
        ann.shows("No key is live").await;
        let ended = self.stage.host.agent(&got.key).get("/org/tokens").await;
        ended.refused(401, "unauthenticated");
    }

    /// People pass: nobody is asked, and the key is on one page for as long as that is open.
    async fn ann_mints_a_key_herself(&self) {
        let ann = &self.ann;
        ann.write("input[name=name]", "ann's own").await;
        ann.click("input[name=role][value=reader]").await;
        ann.click("form[action='/console/keys'] button").await;
        let key = ann.text("#key").await;
        let works = self.stage.host.agent(&key).get("/approvals/pending").await;
        works.expect(200);

        ann.run("location.reload()").await;
        ann.shows("Organisation keys").await;
        ann.shows("ann's own").await;
        let source = ann.source().await;
        assert!(!source.contains(&key), "it is shown again: {source}");
        assert!(!ann.has("#key").await, "reloading minted another key");
        assert_eq!(tokens(&self.agent).await.len(), 1);
        assert_eq!(self.stage.host.files_with(&key), [] as [PathBuf; 0]);
        assert_eq!(pending(&self.agent).await.len(), 1, "nobody was asked");
    }

    /// Newest first.
    async fn the_record_tells_each_step(&self, asked: &Asked) {
        let ann = &self.ann;
        ann.click("nav a[href='/console/decisions']").await;
        let listed = ann.text(".record tbody").await;
        tells(
            &listed,
            &[
                ("Mint an organisation key", "done"),
                ("Revoke an organisation key", "done"),
                ("Write a secret", "refused"),
                ("Mint an organisation key", "waits for people"),
                ("Mint an organisation key", "done, as people approved"),
                ("Write a secret", "waits for people"),
                ("Mint an organisation key", "waits for people"),
            ],
        );
        self.looks("decisions").await;
        ann.click("nav a[href='/console/audit']").await;
        let listed = ann.text(".audit").await;
        let (by_agent, by_person) = ("the holder of ADMIN_TOKEN", "(by the control plane)");
        tells(
            &listed,
            &[
                ("Organisation key minted", by_person),
                ("Organisation key revoked", by_person),
                ("Approval requested", by_agent),
                ("Organisation key minted", by_agent),
                ("Approval used", by_agent),
                ("Approval denied", by_person),
                ("Approval approved", by_person),
                ("Approval requested", by_agent),
                ("Approval requested", by_agent),
            ],
        );
        let source = ann.source().await;
        assert!(!source.contains(VALUE), "the audit has the secret");
        ann.click(".chain a").await;
        ann.shows("The chain holds").await;
        self.looks("audit").await;
        ann.write("#about", &asked.write).await;
        ann.click("form.filter button").await;
        ann.shows("Show all").await;
        let listed = ann.text(".audit").await;
        tells(
            &listed,
            &[
                ("Approval denied", by_person),
                ("Approval requested", by_agent),
            ],
        );
        assert!(!listed.contains("Organisation key"), "{listed}");
    }

    /// What ann sees, for whoever wants the pictures; what fits which screen is held elsewhere, page by page.
    async fn looks(&self, name: &str) {
        if std::env::var_os("COUNTERSIGN_SCREENSHOTS").is_some() {
            self.ann.fits(&format!("incident-{name}")).await;
        }
    }
}

/// A list tells these steps, each with what goes with it, in this order.
#[track_caller]
fn tells(listed: &str, steps: &[(&str, &str)]) {
    let mut rest = listed;
    for (step, with) in steps {
        for words in [step, with] {
            let Some((_, after)) = rest.split_once(words) else {
                panic!("`{step}`, `{with}` is not told in its place: {listed}");
            };
            rest = after;
        }
    }
}

#[tokio::test]
async fn an_agent_asks_two_people_decide_before_each_others_eyes_and_the_record_tells_it() {
    let incident = Incident::begins().await;
    incident.signs_in(&incident.ann, "ann").await;
    incident.signs_in(&incident.bob, "bob").await;

    let asked = incident.the_agent_asks_and_cannot_approve().await;
    for browser in [&incident.ann, &incident.bob] {
        browser.shows("2 requests are waiting").await;
        browser.is_titled("(2) Approvals").await;
        let is_the_same = browser.run("return window.isTheSame").await;
        assert_eq!(is_the_same, true, "it was loaded again");
    }
    incident.looks("inbox").await;
    incident.ann_approves_the_mint(&asked).await;
    incident.bob_denies_the_write(&asked).await;
    let got = incident
        .the_repeats_mint_once_and_write_nothing(&asked)
        .await;
    incident
        .ann_finds_the_key_and_revokes_it(&asked, &got)
        .await;
    incident.ann_mints_a_key_herself().await;
    incident.the_record_tells_each_step(&asked).await;

    let files = incident.stage.host.files_with(VALUE);
    assert_eq!(files, [] as [PathBuf; 0]);
    // Of the one page that each opened before they had signed in.
    for browser in [&incident.ann, &incident.bob] {
        complains_only_of(browser, "401").await;
    }
    println!(
        "browser: Chromium {} went through the whole incident in two windows",
        incident.ann.version()
    );
}

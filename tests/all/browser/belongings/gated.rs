//! People whom a policy gates: what they asked for waits, another person approves it, and it is finished.

use std::path::PathBuf;

use serde_json::Value;

use super::super::APPROVE;
use super::super::driver::Browser;
use super::{CREATE, remove};
use crate::stage::{self, Stage};

/// Whatever is privileged takes another person, and so do new workspaces.
const SETTINGS: &str = "verbs = [\"privileged\", \"workspace_create\"]\napprovers = 1\n";

/// A host on which people need each other, and two of them at their browsers.
struct Pair {
    stage: Stage,
    ann: Browser,
    bob: Browser,
}

/// What is recorded is read by two.
const READS: &str = "verbs = [\"decision_read\"]\napprovers = 1\n";

impl Pair {
    async fn set() -> Self {
        Self::set_with(SETTINGS).await
    }

    async fn set_with(settings: &str) -> Self {
        let stage = Stage::gated(settings).await;
        let (ann, bob) = (Browser::start().await, Browser::start().await);
        for (user, browser) in [("ann", &ann), ("bob", &bob)] {
            let cookie = stage.control_plane.sign_in(user).await;
            let sign_in = format!("{}/console/sign-in", stage.host.origin());
            browser.open(&sign_in).await;
            browser.shows("Sign in to your platform first").await;
            browser
                .run(&format!("document.cookie = '{cookie}; path=/'"))
                .await;
        }
        Self { stage, ann, bob }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.stage.host.origin())
    }

    /// Bob finds the one request that waits, and approves it.
    async fn bob_approves(&self) {
        self.bob.open(&self.at("/console/approvals")).await;
        self.bob.click(".waiting h2 a").await;
        self.bob.shows("Your decision").await;
        self.bob.click(APPROVE).await;
        self.bob
            .shows("Approved · signed in by the control plane")
            .await;
    }

    /// Ann reads that it waits.
    async fn ann_waits(&self) {
        self.ann.shows("Another person must approve this").await;
        self.ann.shows("Nothing has been done yet").await;
        self.ann.shows("This page waits for the decision").await;
    }
}

#[tokio::test]
async fn a_person_who_needs_another_one_waits_in_words_and_the_page_goes_on_by_itself() {
    let pair = Pair::set().await;
    let (ann, agent) = (&pair.ann, pair.stage.agent());

    ann.open(&pair.at("/console/workspaces")).await;
    ann.write("input[name=name]", "research").await;
    ann.click(CREATE).await;
    pair.ann_waits().await;
    ann.shows("Create workspace research").await;
    ann.fits("waiting").await;
    assert_eq!(stage::workspaces(&agent).await, [] as [Value; 0]);
    pair.bob_approves().await;
    ann.shows("No workspace is below it").await;
    let research = stage::workspaces(&agent).await.remove(0);
    assert_eq!(research["name"], "research");

    ann.click("nav a[href='/console/keys']").await;
    ann.write("input[name=name]", "ci").await;
    ann.click("form[action='/console/keys'] button").await;
    pair.ann_waits().await;
    pair.bob_approves().await;
    let key = ann.text("#key").await;
    pair.stage
        .host
        .agent(&key)
        .get("/approvals/pending")
        .await
        .expect(200);
    assert_eq!(stage::tokens(&agent).await.len(), 1, "once, and not twice");

    ann.open(&pair.at("/console/keys")).await;
    ann.click("a[href$='/revoke']").await;
    // What ann minted is hers to revoke, and needs nobody.
    ann.click("form[action$='/revoke'] button").await;
    ann.shows("No key is live").await;
    pair.stage
        .host
        .agent(&key)
        .get("/approvals/pending")
        .await
        .expect(401);

    let id = research["id"].as_str().expect("an id");
    ann.open(&pair.at(&format!("/console/workspaces/{id}/remove")))
        .await;
    remove(ann).await;
    pair.ann_waits().await;
    pair.bob_approves().await;
    ann.is_at("/console/workspaces").await;
    assert_eq!(stage::workspaces(&agent).await, [] as [Value; 0]);
    assert_eq!(ann.complaints().await, [] as [Value; 0]);
    println!("browser: two people approved for each other, and each page went on by itself");
}

#[tokio::test]
async fn a_secret_that_waited_is_typed_again_and_nothing_keeps_it_meanwhile() {
    let pair = Pair::set().await;
    let (ann, agent) = (&pair.ann, pair.stage.agent());
    let save = "form[action='/console/secrets'] button";
    ann.open(&pair.at("/console/secrets")).await;
    ann.write("input[name=key]", "API_KEY").await;
    ann.write("textarea[name=value]", "correct-horse-battery")
        .await;
    ann.click(save).await;
    pair.ann_waits().await;
    ann.shows("keeps no value before it may be saved").await;
    ann.fits("waiting-secret").await;
    let kept = || pair.stage.host.files_with("correct-horse-battery");
    assert_eq!(kept(), [] as [PathBuf; 0]);
    assert!(!ann.source().await.contains("correct-horse-battery"));
    pair.bob_approves().await;
    ann.shows("It is approved. Type the value again").await;
    ann.fits("waiting-approved").await;
    assert_eq!(stage::secrets(&agent).await, [] as [Value; 0]);

    // Another value is another request.
    ann.write("textarea[name=value]", "something else").await;
    ann.click(save).await;
    pair.ann_waits().await;
    assert_eq!(stage::secrets(&agent).await, [] as [Value; 0]);
    // From the page of the request that was approved, the value that was approved is saved.
    let asked = pair.stage.person("ann").await;
    let asked = stage::pending(&asked).await.remove(0);
    let other = asked["id"].as_str().expect("an id");
    pair.bob.click("nav a[href='/console/approvals']").await;
    pair.bob.shows("One request is waiting").await;
    stage::approve(&pair.stage.person("bob").await, other).await;
    ann.open(&pair.at("/console/secrets")).await;
    ann.write("input[name=key]", "API_KEY").await;
    ann.write("textarea[name=value]", "correct-horse-battery")
        .await;
    ann.click(save).await;
    ann.shows("all workspaces").await;
    assert_eq!(stage::secrets(&agent).await, ["API_KEY"]);
    assert_eq!(kept(), [] as [PathBuf; 0]);

    // The other one: what it was for has changed, and it can be told.
    ann.open(&pair.at(&format!("/console/approvals/{other}")))
        .await;
    ann.shows("The value, again").await;
    ann.fits("request-finish").await;
    ann.write("textarea[name=value]", "something else").await;
    ann.click(save).await;
    ann.shows("What was approved has changed").await;

    ann.open(&pair.at("/console/secrets/API_KEY/delete")).await;
    ann.click("form[action$='/delete'] button").await;
    pair.ann_waits().await;
    pair.bob_approves().await;
    ann.shows("No secret is set for all workspaces").await;
    assert_eq!(stage::secrets(&agent).await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_page_that_another_person_must_agree_to_is_opened_as_it_was_asked_for() {
    let pair = Pair::set_with(READS).await;
    let ann = &pair.ann;
    // What narrows it is carried along.
    let narrowed = "/console/decisions?verb=secret_write&actor=admin-token";
    ann.open(&pair.at(narrowed)).await;
    pair.ann_waits().await;
    ann.fits("waiting-read").await;
    pair.bob_approves().await;
    ann.shows("What was asked, what the policies ruled").await;
    let address = ann.run("return location.pathname + location.search").await;
    assert_eq!(address, narrowed);
    let given = ann
        .run("return document.querySelector('[name=actor]').value")
        .await;
    assert_eq!(given, "admin-token");
    ann.shows("No decision is like that").await;

    // Once, and not twice; from the page of the request as well.
    ann.open(&pair.at("/console/decisions")).await;
    pair.ann_waits().await;
    let bob = pair.stage.person("bob").await;
    let asked = stage::pending(&bob).await;
    let asked = asked.iter().find(|one| one["action"] == "decision_read");
    let asked = asked.expect("it waits")["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    // Not by the page that waits, which would go on by itself.
    let request = pair.at(&format!("/console/approvals/{asked}"));
    ann.open(&request).await;
    stage::approve(&bob, &asked).await;
    ann.open(&request).await;
    ann.click("form[action='/console/decisions'] button").await;
    ann.shows("What was asked, what the policies ruled").await;
    assert_eq!(ann.complaints().await, [] as [Value; 0]);
}

#[tokio::test]
async fn whoever_asked_takes_it_back_on_its_page_without_script_as_well() {
    let pair = Pair::set().await;
    let plain = Browser::without_script().await;
    let cookie = pair.stage.control_plane.sign_in("ann").await;
    plain.open(&pair.at("/console/sign-in")).await;
    plain.keep(&cookie).await;
    for (browser, name) in [(&pair.ann, "first"), (&plain, "second")] {
        browser.open(&pair.at("/console/workspaces")).await;
        browser.write("input[name=name]", name).await;
        browser.click(CREATE).await;
        browser.shows("Another person must approve this").await;
        browser.click("main a[href^='/console/approvals/']").await;
        browser.shows("You asked for this yourself").await;
        if name == "first" {
            browser.fits("request-own").await;
        }
        browser.click("form[action$='/withdraw'] button").await;
        browser.shows("The caller took the request back").await;
        assert!(!browser.has("form[action$='/withdraw']").await);
    }
    let bob = pair.stage.person("bob").await;
    assert_eq!(stage::pending(&bob).await, [] as [Value; 0]);
}

#[tokio::test]
async fn who_is_denied_is_led_to_the_reason() {
    let pair = Pair::set().await;
    let ann = &pair.ann;
    ann.open(&pair.at("/console/keys")).await;
    ann.write("input[name=name]", "too much").await;
    ann.click("form[action='/console/keys'] button").await;
    pair.ann_waits().await;
    let bob = pair.stage.person("bob").await;
    let asked = stage::pending(&bob).await.remove(0);
    let asked = asked["id"].as_str().expect("an id");
    stage::decide(&bob, asked, "denied").await.expect(200);
    ann.is_at(&format!("/console/approvals/{asked}")).await;
    ann.shows("Nothing was done").await;
}

#[tokio::test]
async fn without_a_script_a_button_finishes_what_was_approved() {
    let stage = Stage::gated(SETTINGS).await;
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let fields = [("name", "research"), ("parent_id", "")];
    let create = async || ann.post_form("/console/workspaces", &fields).await;
    let waits = create().await.expect(202);
    assert_eq!(
        waits.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let page = waits.page();
    for shown in [
        "Without its script",
        "Create the workspace now",
        "value=\"research\"",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    create().await.expect(202);
    let pending = stage::pending(&bob).await;
    assert_eq!(pending.len(), 1, "pressed before, it does nothing");
    stage::approve(&bob, pending[0]["id"].as_str().expect("an id")).await;
    let created = create().await.expect(303);
    let place = created.header("location").expect("a place");
    ann.get(place).await.expect(200);
    // A reader who never asked finishes nothing: the grant is ann's.
    bob.post_form("/console/workspaces", &fields)
        .await
        .expect(202);
}

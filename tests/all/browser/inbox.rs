//! The inbox, where several people look at it at once.

use serde_json::{Value, json};

use super::driver::Browser;
use super::neighbour::Neighbour;
use super::{APPROVE, DENY};
use crate::stage::{Stage, approval, approve};

/// A host with a control plane, and the agent's requests to it.
pub struct Inbox {
    pub stage: Stage,
}

impl Inbox {
    pub async fn set() -> Self {
        Self {
            stage: Stage::set().await,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.stage.host.origin())
    }

    /// `user`, signed in by the control plane in `browser`, before the list.
    pub async fn seats(&self, user: &str, browser: &Browser) {
        let cookie = self.stage.control_plane.sign_in(user).await;
        browser.open(&self.url("/console/sign-in")).await;
        browser.keep(&cookie).await;
        browser.open(&self.url("/console/approvals")).await;
        browser.shows("by the control plane").await;
    }

    /// The agent asks for a key, and has to wait.
    pub async fn ask(&self, name: &str) -> String {
        let body = json!({ "name": name });
        let reply = self.stage.agent().post("/org/tokens", body).await;
        reply.approval()
    }

    pub async fn state(&self, id: &str) -> Value {
        approval(&self.stage.agent(), id).await["status"].clone()
    }
}

/// A browser that somebody looks at complains of nothing but `status`, where one is expected.
pub async fn complains_only_of(browser: &Browser, status: &str) {
    let complaints = browser.complaints().await;
    let is_expected = |one: &Value| {
        one["message"]
            .as_str()
            .is_some_and(|text| !status.is_empty() && text.contains(status))
    };
    assert!(complaints.iter().all(is_expected), "{complaints:?}");
}

#[tokio::test]
async fn two_windows_show_what_is_asked_and_decided_as_it_happens_and_keep_the_focus() {
    let inbox = Inbox::set().await;
    let (anns, bobs) = (Browser::start().await, Browser::start().await);
    inbox.seats("ann", &anns).await;
    inbox.seats("bob", &bobs).await;
    for browser in [&anns, &bobs] {
        browser.shows("Nothing is waiting").await;
        assert!(!browser.has("meta[http-equiv=refresh]").await);
    }
    let first = inbox.ask("first").await;
    for browser in [&anns, &bobs] {
        browser.shows("One request is waiting").await;
        browser.is_titled("(1) Approvals").await;
    }
    let second = inbox.ask("second").await;
    bobs.shows("2 requests are waiting").await;
    let link = format!("a[href='/console/approvals/{second}']");
    let focus = format!("document.querySelector(\"{link}\").focus()");
    bobs.run(&focus).await;
    bobs.fits("inbox").await;

    // Ann has no more than a telephone at hand.
    anns.is_a_phone().await;
    anns.shows("2 requests are waiting").await;
    anns.tap(&format!("a[href='/console/approvals/{first}']"))
        .await;
    anns.tap(APPROVE).await;
    anns.shows("The caller can do it once").await;
    assert_eq!(anns.run("return innerWidth").await, 390);
    bobs.shows("One request is waiting").await;
    bobs.is_titled("(1) Approvals").await;
    let focused = "return document.activeElement.getAttribute('href')";
    assert_eq!(
        bobs.run(focused).await,
        json!(format!("/console/approvals/{second}"))
    );
    let told = "return document.querySelector('#news').textContent";
    let words = "No longer waiting: Mint an organisation key. One request is waiting";
    assert_eq!(bobs.run(told).await, json!(words));
    for browser in [&anns, &bobs] {
        complains_only_of(browser, "").await;
    }
    println!(
        "browser: Chromium {} followed in two windows what was asked and decided",
        bobs.version()
    );
}

// Guards: `objection` in host/store/src/portable/votes.rs, which looks at the state, and the page's answer.
#[tokio::test]
async fn of_two_people_at_one_request_the_second_is_told_what_moved_and_keeps_their_words() {
    let inbox = Inbox::set().await;
    let (anns, bobs) = (Browser::start().await, Browser::start().await);
    inbox.seats("ann", &anns).await;
    inbox.seats("bob", &bobs).await;
    let id = inbox.ask("night-shift").await;
    let page = inbox.url(&format!("/console/approvals/{id}"));
    for browser in [&anns, &bobs] {
        browser.open(&page).await;
        browser.shows("Your decision").await;
    }
    bobs.write("textarea[name=reason]", "not on <b>my</b> watch")
        .await;
    anns.write("textarea[name=reason]", "the night shift needs it")
        .await;
    anns.click(APPROVE).await;
    anns.shows("The caller can do it once").await;

    bobs.shows("This is approved now.").await;
    bobs.shows("What you typed was not sent").await;
    bobs.shows("the night shift needs it").await;
    bobs.is_titled("Mint an organisation key: approved").await;
    let typed = "return document.querySelector('textarea[name=reason]').value";
    assert_eq!(bobs.run(typed).await, json!("not on <b>my</b> watch"));
    assert!(bobs.has("button[value=denied][disabled]").await);
    bobs.fits("moved-live").await;

    // Whatever the page does, the host refuses.
    bobs.run("document.querySelectorAll('button').forEach(button => button.disabled = false)")
        .await;
    bobs.click(DENY).await;
    bobs.shows("Somebody else approved this first").await;
    bobs.shows("Your decision, to deny, was not recorded.")
        .await;
    bobs.shows("the night shift needs it").await;
    let kept = "return document.querySelector('#kept').value";
    assert_eq!(bobs.run(kept).await, json!("not on <b>my</b> watch"));
    bobs.fits("moved").await;
    bobs.click("main a.button.primary").await;
    bobs.shows("The caller can do it once").await;
    assert_eq!(inbox.state(&id).await, "approved");

    // And taken back in front of both, while it is unused.
    bobs.write("#revoke-reason", "the wrong key").await;
    bobs.fits("granted").await;
    bobs.click("form[action$='/revoke'] button").await;
    bobs.shows("The approval was taken back before it was used")
        .await;
    anns.shows("the wrong key").await;
    complains_only_of(&anns, "").await;
    complains_only_of(&bobs, "409").await;
    println!(
        "browser: Chromium {} told the second of two what had moved, and kept the words",
        bobs.version()
    );
}

#[tokio::test]
async fn a_decision_on_another_digest_or_on_what_is_over_is_a_page_that_says_so() {
    let inbox = Inbox::set().await;
    let (ann, bob) = (
        inbox.stage.person("ann").await,
        inbox.stage.person("bob").await,
    );
    let id = inbox.ask("x").await;
    let path = format!("/console/approvals/{id}");
    let digest = approval(&ann, &id).await["digest"].clone();
    let digest = digest.as_str().expect("a digest").to_owned();
    let decide = async |caller: &countersign_tests::Caller, digest: &str, choice: &str| {
        let fields = [
            ("decision", choice),
            ("digest", digest),
            ("reason", "typed with care"),
        ];
        caller.post_form(&path, &fields).await
    };
    let other = "0".repeat(64);
    let page = decide(&ann, &other, "approved").await.expect(409).page();
    for words in [
        "What you read is not what is waiting",
        "typed with care",
        &format!("href=\"{path}\""),
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(inbox.state(&id).await, "pending");

    decide(&ann, &digest, "approved").await.expect(303);
    // Sent twice, it is one decision; another one is none.
    decide(&ann, &digest, "approved").await.expect(303);
    let page = decide(&ann, &digest, "denied").await.expect(409).page();
    assert!(page.contains("You have decided this already"), "{page}");
    let page = decide(&bob, &digest, "denied").await.expect(409).page();
    assert!(page.contains("Somebody else approved this first"), "{page}");
    assert!(page.contains("<bdi>ann</bdi>"), "{page}");
    assert_eq!(inbox.state(&id).await, "approved");

    let withdrawn = inbox.ask("y").await;
    let digest = approval(&ann, &withdrawn).await;
    let path = format!("/console/approvals/{withdrawn}");
    let workspace = digest["workspace_id"].as_str().expect("a workspace");
    let withdraw = format!("/workspaces/{workspace}/approvals/{withdrawn}/withdraw");
    let agent = inbox.stage.agent();
    agent.post(&withdraw, json!({})).await.expect(200);
    let fields = [
        ("decision", "approved"),
        ("digest", digest["digest"].as_str().expect("a digest")),
    ];
    let page = ann.post_form(&path, &fields).await.expect(409).page();
    assert!(page.contains("This was withdrawn meanwhile"), "{page}");
    // What never was is told as ever, and an agent is told nothing of either.
    let nowhere = path.replace(&withdrawn, "00000000-0000-4000-8000-000000000000");
    ann.post_form(&nowhere, &fields).await.expect(404);
    agent.post_form(&path, &fields).await.expect(403);
}

// Guard: `Origins::same_origin`, asked by `Call::admit`.
#[tokio::test]
async fn a_form_on_another_site_decides_nothing_with_the_control_planes_session() {
    let inbox = Inbox::set().await;
    let browser = Browser::start().await;
    inbox.seats("ann", &browser).await;
    let id = inbox.ask("preview").await;
    let seen = approval(&inbox.stage.agent(), &id).await;
    let neighbour = Neighbour::start();
    for path in [
        format!("/console/approvals/{id}"),
        format!("/console/approvals/{id}/revoke"),
        format!("/console/approvals/{id}/withdraw"),
    ] {
        browser.open(&neighbour.origin()).await;
        browser.shows("A harmless preview").await;
        assert!(neighbour.cookies().contains("cp_session="));
        let form = format!(
            "document.body.innerHTML = `<form method=post action='{}'>\
             <input name=decision value=approved><input name=digest value='{}'></form>`; \
             document.forms[0].submit()",
            inbox.url(&path),
            seen["digest"].as_str().expect("a digest"),
        );
        browser.run(&form).await;
        browser.shows("This came from another site").await;
    }
    assert_eq!(inbox.state(&id).await, "pending");
    let ann = inbox.stage.person("ann").await;
    approve(&ann, &id).await;
}

#[tokio::test]
async fn a_request_is_told_with_who_asks_what_that_did_and_in_what_letters() {
    let inbox = Inbox::set().await;
    let browser = Browser::start().await;
    inbox.seats("ann", &browser).await;
    let ann = inbox.stage.person("ann").await;
    let key = crate::stage::minted(&ann, json!({ "name": "deploy robot" })).await;
    let robot = inbox.stage.host.agent(&key);
    let waits = robot.post("/org/tokens", json!({ "name": "first" })).await;
    waits.approval();
    let asked = json!({
        "action": "org_token_mint",
        "context": { "name": "\u{440}\u{430}ypal" },
        "reason": format!("{}the end", "everybody agreed to this already ".repeat(12)),
        "task_id": "T-7",
    });
    let anchor = crate::stage::pending(&ann).await[0]["workspace_id"].clone();
    let path = format!(
        "/workspaces/{}/approvals",
        anchor.as_str().expect("a workspace")
    );
    let reply = robot.post(&path, asked).await.expect(201);
    let id = reply.text("approval_id");
    browser.shows("2 requests are waiting").await;
    browser.shows("mixes letters of Cyrillic and Latin").await;
    browser
        .open(&inbox.url(&format!("/console/approvals/{id}")))
        .await;
    for words in [
        "deploy robot",
        "admin, the whole organisation",
        "What the caller says of it",
        "T-7",
        "characters: unfold all of them",
        "looks like “paypal” and is not",
        "What else this caller did lately",
        "had to wait for people",
        "A person’s countersignature is missing",
    ] {
        browser.shows(words).await;
    }
    browser.fits("request").await;
    browser.click(".said .long summary").await;
    browser.shows("already the end").await;
    browser.draws_anew("#request").await;
    browser.shows("already the end").await;
    browser.click(".lately a[href*='/history?who=']").await;
    browser.shows("What was asked before").await;
    browser.shows("Pending").await;
    browser.fits("history").await;
    complains_only_of(&browser, "").await;
}

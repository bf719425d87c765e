//! What people are told of a page that keeps itself current, how they stop that, and what it keeps meanwhile.

use serde_json::json;

use super::APPROVE;
use super::driver::Browser;
use super::inbox::{Inbox, complains_only_of};
use crate::stage::{approve, decide, minted};

const STOP: &str = "[data-keeps] a";
const TOLD: &str = "return document.querySelector('#news').textContent";

/// Whoever is elsewhere, as the page is told it.
fn is_hidden(hidden: bool) -> String {
    format!(
        "Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }}); \
         document.dispatchEvent(new Event('visibilitychange'))"
    )
}

#[tokio::test]
async fn what_came_and_what_went_is_told_where_the_count_is_the_same() {
    let inbox = Inbox::set().await;
    let (anns, bobs) = (Browser::start().await, Browser::start().await);
    inbox.seats("ann", &anns).await;
    inbox.seats("bob", &bobs).await;
    let first = inbox.ask("first").await;
    anns.shows("One request is waiting").await;
    let told = "New: Mint an organisation key. One request is waiting";
    assert_eq!(anns.run(TOLD).await, json!(told));

    // Stopped, it stands still whatever happens; and then learns of both at once.
    anns.click(STOP).await;
    anns.shows("This page stands still. Keep it current").await;
    anns.is_at("/console/approvals?refresh=off").await;
    let ann = inbox.stage.person("ann").await;
    decide(&ann, &first, "denied").await.expect(200);
    let secret = json!({ "key": "API_KEY", "value": "v" });
    let secret = inbox.stage.agent().post("/settings/secrets", secret).await;
    secret.approval();
    bobs.shows("Write a secret").await;
    bobs.shows("One request is waiting").await;
    let link = format!("a[href='/console/approvals/{first}']");
    assert!(anns.has(&link).await, "it stands still");
    anns.run(&is_hidden(true)).await;
    anns.click(STOP).await;
    anns.shows("This page keeps itself current. Stop that")
        .await;
    anns.shows("Write a secret").await;
    assert!(!anns.has(&link).await);
    let told = "New: Write a secret. No longer waiting: Mint an organisation key. \
                One request is waiting";
    assert_eq!(anns.run(TOLD).await, json!(told));
    anns.is_at("/console/approvals").await;

    // The title says so to whoever looks elsewhere, until they are back.
    anns.is_titled("New: (1) Approvals").await;
    anns.run(&is_hidden(false)).await;
    anns.is_titled("(1) Approvals").await;
    bobs.is_titled("(1) Approvals").await;
    for browser in [&anns, &bobs] {
        complains_only_of(browser, "").await;
    }
}

#[tokio::test]
async fn an_open_request_is_stopped_and_resumed_in_place_and_keeps_what_was_typed() {
    let inbox = Inbox::set().await;
    let browser = Browser::start().await;
    inbox.seats("bob", &browser).await;
    let id = inbox.ask("open").await;
    let path = format!("/console/approvals/{id}");
    browser.open(&inbox.url(&path)).await;
    browser.write("textarea[name=reason]", "let me think").await;
    browser.click(STOP).await;
    browser
        .shows("This page stands still. Keep it current")
        .await;
    browser.fits("request-still").await;
    let ann = inbox.stage.person("ann").await;
    approve(&ann, &id).await;
    let typed = "return document.querySelector('textarea[name=reason]').value";
    assert_eq!(browser.run(typed).await, json!("let me think"));
    assert!(browser.has(&format!("{APPROVE}:not([disabled])")).await);
    browser.click(STOP).await;
    browser.shows("What you typed was not sent").await;
    assert_eq!(browser.run(typed).await, json!("let me think"));

    // Opened so, it follows nothing, with no script that could.
    browser
        .open(&inbox.url(&format!("{path}?refresh=off")))
        .await;
    browser
        .shows("This page stands still. Keep it current")
        .await;
    assert!(!browser.source().await.contains("live.js"));
    browser.click("main > .note a").await;
    browser
        .shows("This page keeps itself current. Stop that")
        .await;
    complains_only_of(&browser, "").await;
}

#[tokio::test]
async fn whoever_takes_an_approval_back_too_late_reads_what_moved_beside_their_words() {
    let inbox = Inbox::set().await;
    let browser = Browser::start().await;
    inbox.seats("bob", &browser).await;
    let ann = inbox.stage.person("ann").await;
    let id = inbox.ask("night-shift").await;
    approve(&ann, &id).await;
    browser
        .open(&inbox.url(&format!("/console/approvals/{id}")))
        .await;
    browser.click(STOP).await;
    browser.write("#revoke-reason", "not <b>this</b> one").await;
    minted(&inbox.stage.agent(), json!({ "name": "night-shift" })).await;
    browser.click("form[action$='/revoke'] button").await;
    browser.shows("This was used before you took it back").await;
    browser.shows("was not recorded").await;
    let kept = "return document.querySelector('#kept').value";
    assert_eq!(browser.run(kept).await, json!("not <b>this</b> one"));
    browser.fits("undo-late").await;
    browser.click("main a.button.primary").await;
    browser
        .shows("It was approved, and it was done, once.")
        .await;
    complains_only_of(&browser, "409").await;
}

#[tokio::test]
async fn who_ended_what_is_read_on_its_page_and_in_a_history_that_says_what_it_cannot_read() {
    let inbox = Inbox::set().await;
    let browser = Browser::start().await;
    inbox.seats("bob", &browser).await;
    let ann = inbox.stage.person("ann").await;
    let id = inbox.ask("wrong-key").await;
    approve(&ann, &id).await;
    let page = inbox.url(&format!("/console/approvals/{id}"));
    browser.open(&page).await;
    browser.write("#revoke-reason", "the wrong key").await;
    browser.click("form[action$='/revoke'] button").await;
    browser.shows("Taken back by bob").await;
    browser.fits("taken-back").await;
    let gone = inbox.ask("gone").await;
    let agent = inbox.stage.agent();
    let withdraw = format!("/approvals/{gone}/withdraw");
    agent.post(&withdraw, json!({})).await.expect(200);
    let long = inbox.ask("long").await;
    approve(&ann, &long).await;
    let reason = "nobody on the night shift knows what this key is for. ".repeat(8);
    let revoke = format!("/approvals/{long}/revoke");
    let reason = json!({ "reason": reason.trim() });
    ann.post(&revoke, reason).await.expect(200);
    inbox.ask("waits").await;
    browser.open(&inbox.url("/console/approvals/history")).await;
    browser.shows("by bob").await;
    browser.shows("by the holder of ADMIN_TOKEN").await;
    browser.shows("characters: unfold all of them").await;
    browser.fits("history-ends").await;

    let wrong = inbox.url("/console/approvals/history?state=gone&who=bob");
    browser.open(&wrong).await;
    browser.shows("Choose one of the list").await;
    browser.shows("Nothing was looked for").await;
    let typed = "return document.querySelector('#who').value";
    assert_eq!(browser.run(typed).await, json!("bob"));
    browser.fits("history-wrong").await;
    complains_only_of(&browser, "400").await;
}

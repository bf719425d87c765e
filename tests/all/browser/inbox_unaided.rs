//! The inbox without a mouse, and without script.

use super::driver::Browser;
use super::driver::keyboard::ENTER;
use super::inbox::Inbox;
use super::{APPROVE, DENY, Scene};
use crate::stage::{approve, minted};
use serde_json::json;

#[tokio::test]
async fn with_the_keyboard_alone_an_operator_signs_in_opens_and_approves() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    let link = std::fs::read_to_string(scene.host.data_dir().join("login-link")).expect("a link");
    browser.open(link.trim()).await;
    browser
        .tab_to("form[action='/console/sign-in'] button")
        .await;
    browser.press(ENTER).await;
    browser.is_at("/console/approvals").await;

    let id = scene.ask("keys-only").await;
    browser.shows("keys-only").await;
    browser
        .tab_to(&format!("a[href='/console/approvals/{id}']"))
        .await;
    browser.press(ENTER).await;
    browser.shows("Your decision").await;
    // The first stop leads past all that every page has.
    browser.tab_to(".skip").await;
    browser.press(ENTER).await;
    browser.tab_to("textarea[name=reason]").await;
    browser.type_in("by hand").await;
    browser.tab_to(APPROVE).await;
    browser.press(ENTER).await;
    browser.shows("The caller can do it once").await;
    browser.shows("by hand").await;
    scene.went_well().await;
}

/// Goes to each stop of the request while it is under what the page was told, and says which stay there.
const COVERED: &str = "
const news = document.querySelector('#news');
const isCovered = (stop) => {
  scrollTo(0, scrollY + stop.getBoundingClientRect().top);
  stop.focus();
  const [over, on] = [news, stop].map((one) => one.getBoundingClientRect());
  return document.activeElement === stop && on.top < over.bottom && on.bottom > over.top;
};
const stops = [...document.querySelectorAll('.instrument a, .instrument summary')];
return [stops.length > 2, stops.filter(isCovered).map((stop) => stop.textContent)];";

// Guard: `scroll-padding-top` in host/server/assets/console.css.
#[tokio::test]
async fn what_an_open_request_is_told_covers_nothing_that_gets_the_focus() {
    let inbox = Inbox::set().await;
    let browser = Browser::start().await;
    inbox.seats("bob", &browser).await;
    let id = inbox.ask("open").await;
    browser.is_a_phone().await;
    let page = inbox.url(&format!("/console/approvals/{id}"));
    browser.open(&page).await;
    browser.shows("Your decision").await;
    let ann = inbox.stage.person("ann").await;
    approve(&ann, &id).await;
    browser.shows("This is approved now.").await;
    assert_eq!(browser.run(COVERED).await, json!([true, []]));
}

#[tokio::test]
async fn without_script_the_inbox_looks_again_by_itself_and_people_decide_in_it() {
    let inbox = Inbox::set().await;
    let browser = Browser::without_script().await;
    inbox.seats("ann", &browser).await;
    browser.shows("Nothing is waiting").await;
    let id = inbox.ask("plain").await;
    browser.shows("One request is waiting").await;
    browser.click("a[href='?refresh=off']").await;
    browser.shows("This page stands still").await;
    assert!(!browser.has("meta[http-equiv=refresh]").await);
    browser
        .click(&format!("a[href='/console/approvals/{id}']"))
        .await;
    browser
        .write("textarea[name=reason]", "no script, no doubt")
        .await;
    browser.click(APPROVE).await;
    browser.shows("The caller can do it once").await;
    browser.shows("no script, no doubt").await;
    minted(&inbox.stage.agent(), json!({ "name": "plain" })).await;

    // A page that stood still while somebody else decided.
    let id = inbox.ask("stale").await;
    browser
        .open(&inbox.url(&format!("/console/approvals/{id}")))
        .await;
    browser.write("textarea[name=reason]", "I was away").await;
    let bob = inbox.stage.person("bob").await;
    approve(&bob, &id).await;
    browser.click(DENY).await;
    browser.shows("Somebody else approved this first").await;
    browser.shows("bob").await;
    assert!(browser.source().await.contains("I was away"));
    assert_eq!(inbox.state(&id).await, "approved");

    browser.open(&inbox.url("/console/approvals/history")).await;
    browser.write("#who", "ADMIN_TOKEN").await;
    browser.click(".filter button").await;
    browser.shows("stale").await;
    browser.shows("plain").await;
}

//! A person whose session ended while they wrote, and one who took a wrong turn, see what is left and go on.

use serde_json::{Value, json};

use super::{APPROVE, DENY, Scene};
use crate::stage;

const WHY: &str = "not tonight: <b>the</b> migration runs until six";

/// What a field that cannot be written in holds.
async fn held(scene: &Scene, id: &str) -> Value {
    let script = format!("return document.getElementById('{id}').value");
    scene.browser.run(&script).await
}

#[tokio::test]
async fn a_reason_typed_after_the_session_has_ended_is_there_to_copy_and_signing_in_leads_back() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    scene.sign_in().await;
    let approval = scene.ask("night-shift").await;
    scene.open_request(&approval, "night-shift").await;
    browser.write("textarea[name=reason]", WHY).await;
    let terminal = scene.host.command_line();
    terminal.run(&["login", "--browser"]).await.expect(0);
    // Elsewhere, somebody ends the session.
    let cookies = browser.cookies().await;
    let text = |name: &str| cookies[0][name].as_str().expect("a text").to_owned();
    let session = format!("{}={}", text("name"), text("value"));
    let ended = scene.host.session(&session);
    ended.post_form("/console/sign-out", &[]).await.expect(303);

    browser.click(DENY).await;
    browser.shows("Sign in first").await;
    browser.shows("Nothing was done with it").await;
    assert_eq!(held(&scene, "kept-reason").await, json!(WHY));
    browser.fits("turned-away").await;
    let seen = stage::approval(&scene.agent, &approval).await;
    assert_eq!(seen["status"], "pending", "{seen}");

    // A list is found again as it was narrowed.
    let narrowed = "/console/decisions?effect=deny&actor=admin";
    let lost = format!("{}{narrowed}", scene.host.origin());
    browser.open(&lost).await;
    browser.click("main a.button.primary").await;
    browser.shows("back to where I was").await;
    terminal.run(&["login", "--browser"]).await.expect(0);
    let link = std::fs::read_to_string(scene.host.data_dir().join("login-link"));
    browser.open(link.expect("a link").trim()).await;
    browser
        .click("form[action='/console/sign-in'] button")
        .await;
    browser.is_at(narrowed).await;
    browser.click(super::SIGN_OUT).await;
    browser.is_at("/console/sign-in").await;
    terminal.run(&["login", "--browser"]).await.expect(0);

    // The link's page is opened in the same window, after the one that says how to get it.
    let page = format!("/console/approvals/{approval}");
    let how = format!("{}/console/sign-in?back={page}", scene.host.origin());
    browser.open(&how).await;
    browser.shows("back to where I was").await;
    browser.fits("sign-in-back").await;
    let link = std::fs::read_to_string(scene.host.data_dir().join("login-link"));
    let link = link.expect("a link");
    browser.open(link.trim()).await;
    browser
        .click("form[action='/console/sign-in'] button")
        .await;
    browser.is_at(&page).await;
    browser.click(APPROVE).await;
    browser.shows("The caller can do it once").await;

    // Going back to the button, somebody who is signed in needs none.
    browser.open(link.trim()).await;
    browser.shows("You are signed in already").await;
    browser.fits("signed-in-already").await;
    browser.click("main a[href='/console/approvals']").await;
    browser.is_at("/console/approvals").await;
}

#[tokio::test]
async fn a_wrong_turn_is_told_within_the_frame_and_leads_back() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    let origin = scene.host.origin();
    browser.open(&format!("{origin}/console/nothing")).await;
    browser.shows("There is no such page").await;
    assert!(
        !browser.has("nav").await,
        "a stranger is led to what they cannot open"
    );
    browser.fits("no-such-page-signed-out").await;
    // Whatever a window kept to come back to, it leads to no other host.
    browser
        .run("sessionStorage.setItem('countersign-back', '//evil.example/console/keys')")
        .await;
    scene.sign_in().await;
    browser.open(&format!("{origin}/console/keys/cut-of")).await;
    browser.shows("There is no such page").await;
    assert!(
        browser
            .has("nav a[href='/console/keys'][aria-current=page]")
            .await
    );
    assert!(browser.has(super::SIGN_OUT).await);
    browser.fits("no-such-page").await;
    browser.click("main a[href='/console/keys']").await;
    browser.is_at("/console/keys").await;
    browser.open(&format!("{origin}/console/keys/")).await;
    browser.is_at("/console/keys").await;
    let port = origin.rsplit(':').next().expect("a port");
    let other = format!("http://localhost:{port}/console/sign-in");
    browser.open(&other).await;
    browser.shows("by another name than its own").await;
    browser.fits("sign-in-other-name").await;
}

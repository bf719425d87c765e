//! Whoever is in a hurry does nothing twice in the console, and loses nothing by it.

use countersign_tests::Caller;
use serde_json::{Value, json};

use super::{APPROVE, Scene};
use crate::stage::{self, tokens};

const MINT: &str = "form[action='/console/keys'] button";

impl Scene {
    /// The operator names a key, and mints it by `press`.
    async fn mint(&self, name: &str, press: impl AsyncFnOnce(&str)) -> String {
        self.browser.click("nav a[href='/console/keys']").await;
        self.browser.write("input[name=name]", name).await;
        press(MINT).await;
        self.browser.text("#key").await
    }

    /// The list of keys is there, without `key`, and nothing else was minted than what `names` says.
    async fn lists(&self, names: &[&str], key: &str) {
        self.browser.shows("Organisation keys").await;
        assert!(!self.browser.has("#key").await, "a key is shown again");
        let source = self.browser.source().await;
        assert!(!source.contains(key), "the key is shown again: {source}");
        assert_eq!(live(&self.agent).await, names);
    }
}

/// The names of the keys that live, newest first.
async fn live(agent: &Caller) -> Vec<String> {
    let tokens = tokens(agent).await;
    let name = |token: &Value| token["name"].as_str().expect("a name").to_owned();
    tokens.iter().map(name).collect()
}

// Guard: `AGAIN` in host/server/assets/console.js. Without it the second click uses the link up again, so that the
// signing key is lost, and mints a second key, so that nobody ever has the first.
#[tokio::test]
async fn a_double_click_far_from_the_host_signs_in_approves_and_mints_once() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    let link = std::fs::read_to_string(scene.host.data_dir().join("login-link")).expect("a link");
    browser.open(link.trim()).await;
    browser.is_far().await;
    browser
        .double_click("form[action='/console/sign-in'] button")
        .await;
    browser.is_at("/console/approvals").await;

    let approval = scene.ask("hurried").await;
    scene.open_request(&approval, "hurried").await;
    browser.double_click(APPROVE).await;
    browser.shows("The caller can do it once").await;
    let seen = stage::approval(&scene.agent, &approval).await;
    assert_eq!(seen["status"], "approved", "{seen}");

    let key = scene
        .mint("one", async |mint| browser.double_click(mint).await)
        .await;
    assert_eq!(live(&scene.agent).await, ["one"]);
    let works = scene.host.agent(&key).get("/approvals/pending").await;
    works.expect(200);
    scene.went_well().await;
}

// Guard: `replaceState` in host/server/assets/copy.js. Without it, loading the page again mints another key.
#[tokio::test]
async fn a_new_key_is_gone_when_its_page_is_loaded_again_or_come_back_to() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    scene.sign_in().await;
    let first = scene
        .mint("first", async |mint| browser.click(mint).await)
        .await;
    browser.reload().await;
    scene.lists(&["first"], &first).await;

    let second = scene
        .mint("second", async |mint| browser.click(mint).await)
        .await;
    browser.click("a.button[href='/console/keys']").await;
    browser.shows("Organisation keys").await;
    browser.back().await;
    scene.lists(&["second", "first"], &second).await;
    browser.back().await;
    scene.lists(&["second", "first"], &second).await;
}

#[tokio::test]
async fn a_name_as_long_as_can_be_breaks_no_word_beside_it() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    scene.sign_in().await;
    browser.is_wide().await;
    stage::workspace(&scene.agent, &"W".repeat(100), None).await;
    browser.click("nav a[href='/console/workspaces']").await;
    browser.shows("WWW").await;
    // Two lines are twice as high as one.
    let lines = "const cell = [...document.querySelectorAll('td[data-label=Below] .quiet')].at(-1); \
         return cell.textContent === 'nothing' && cell.getClientRects().length === 1 \
         && cell.getBoundingClientRect().height < 40";
    assert_eq!(browser.run(lines).await, json!(true));
    browser.fits("long-name").await;
}

//! Workspaces, secrets, keys and sessions, in the console.

mod gated;

use std::path::PathBuf;

use countersign_tests::{Caller, Host};
use serde_json::{Value, json};

use super::driver::Browser;
use super::{Scene, sign_in};
use crate::stage;

const CREATE: &str = "form[action='/console/workspaces'][method=post] button";

/// The operator, in a session beside that of the browser.
async fn second_operator(scene: &Scene) -> Caller {
    let line = scene.host.command_line();
    scene.host.operator_by_link(&line).await
}

/// Presses the button that removes all that is shown.
async fn remove(browser: &Browser) {
    browser.click("form[action$='/remove'] button").await;
}

#[tokio::test]
async fn a_workspace_is_created_filled_and_removed_with_all_that_was_shown_and_nothing_else() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    scene.sign_in().await;
    browser.click("nav a[href='/console/workspaces']").await;
    browser.shows("Platform agent").await;
    browser.write("input[name=name]", "research").await;
    browser.click(CREATE).await;
    browser.shows("No workspace is below it").await;
    let operator = second_operator(&scene).await;
    let research = stage::workspaces(&operator).await.remove(0);
    let id = research["id"].as_str().expect("an id");
    let child = stage::workspace(&scene.agent, "crawler", Some(id)).await;
    stage::workspace_token(&operator, &child).await;
    let page = format!("{}/console/workspaces/{id}", scene.host.origin());

    browser.open(&page).await;
    browser.shows("crawler").await;
    browser.shows("No secret reaches this workspace").await;
    browser.write("input[name=key]", "API KEY").await;
    browser
        .write("textarea[name=value]", "s3cr3t-of-research")
        .await;
    browser.click("form[action$='/secrets'] button").await;
    browser.shows("is not a letter or underscore").await;
    assert!(!browser.source().await.contains("s3cr3t-of-research"));
    browser.fits("secret-wrong").await;
    browser
        .run("document.querySelector('input[name=key]').value = 'API_KEY'")
        .await;
    browser
        .write("textarea[name=value]", "s3cr3t-of-research\nsecond line")
        .await;
    browser.click("form[action$='/secrets'] button").await;
    browser.shows("this workspace").await;
    browser.shows("API_KEY").await;
    assert!(!browser.source().await.contains("s3cr3t-of-research"));
    assert_eq!(
        scene.host.files_with("s3cr3t-of-research"),
        [] as [PathBuf; 0]
    );
    browser.fits("workspace").await;
    let token = stage::workspace_token(&operator, id).await;
    let values = scene.host.agent(&token);
    let values = values
        .get(&format!("/workspaces/{id}/secrets/values"))
        .await;
    let expected = json!({ "API_KEY": "s3cr3t-of-research\nsecond line" });
    assert_eq!(values.expect(200).json, expected);
    // The longest name that a secret can have.
    let long = "A".repeat(128);
    let secret = json!({ "key": long, "value": "s3cr3t-of-the-crawler" });
    let secrets = format!("/workspaces/{child}/secrets");
    operator.post(&secrets, secret).await.expect(200);

    browser.open(&page).await;
    browser.click("a[href$='/remove']").await;
    for shown in [
        "1 workspace below it",
        "crawler",
        "2 keys stop working",
        &token[..8],
        "2 secrets are deleted",
        "API_KEY",
        &long,
    ] {
        browser.shows(shown).await;
    }
    let source = browser.source().await;
    assert!(!source.contains("s3cr3t-of") && !source.contains(&token));
    browser.fits("remove").await;
    // What an agent may add without a person, it adds while the person reads.
    stage::workspace(&scene.agent, "latecomer", Some(&child)).await;
    remove(browser).await;
    browser.shows("Nothing was removed").await;
    browser.shows("latecomer").await;
    browser.fits("remove-moved").await;
    assert_eq!(stage::workspaces(&operator).await.len(), 3);
    remove(browser).await;
    browser.is_at("/console/workspaces").await;
    browser.shows("Platform agent").await;
    assert_eq!(stage::workspaces(&operator).await, [] as [Value; 0]);
    browser.open(&page).await;
    browser
        .shows("There is no such workspace, or it was removed")
        .await;
}

#[tokio::test]
async fn secrets_of_all_workspaces_are_set_and_deleted_and_the_tree_is_paged() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    scene.sign_in().await;
    let operator = second_operator(&scene).await;
    let mut above = None;
    for depth in 0..5 {
        let name = format!("level {depth}");
        above = Some(stage::workspace(&operator, &name, above.as_deref()).await);
    }
    for number in 0..98 {
        stage::workspace(&operator, &format!("one of many {number}"), None).await;
    }
    browser.click("nav a[href='/console/workspaces']").await;
    browser.shows("1 to 100 of 104 workspaces").await;
    browser.fits("workspaces").await;
    browser.click(".pages a").await;
    browser.shows("101 to 104 of 104 workspaces").await;
    browser.write("input[name=q]", "LEVEL 4").await;
    browser.click("form[role=search] button").await;
    browser.shows("1 workspace").await;
    browser.shows("level 3").await;
    browser.write("input[name=q]", " nowhere").await;
    browser.click("form[role=search] button").await;
    browser.shows("No workspace is called like that").await;
    browser.fits("workspaces-none").await;

    browser.click("a[href='/console/secrets']").await;
    browser.shows("No secret is set for all workspaces").await;
    browser.write("input[name=key]", "SHARED").await;
    browser.write("textarea[name=value]", "shared-by-all").await;
    browser
        .click("form[action='/console/secrets'] button")
        .await;
    browser.shows("all workspaces").await;
    browser.shows("SHARED").await;
    assert_eq!(stage::secrets(&operator).await, ["SHARED"]);
    browser.fits("secrets").await;
    browser
        .click("a[href='/console/secrets/SHARED/delete']")
        .await;
    browser.shows("cannot be brought back").await;
    browser.fits("secret-delete").await;
    browser.click("form[action$='/delete'] button").await;
    browser.shows("No secret is set for all workspaces").await;
    assert_eq!(stage::secrets(&operator).await, [] as [Value; 0]);
    scene.went_well().await;
}

#[tokio::test]
async fn a_key_is_shown_with_its_uses_and_its_lineage_and_is_revoked_with_what_it_minted() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    scene.sign_in().await;
    let operator = second_operator(&scene).await;
    let home = stage::workspace(&operator, "home", None).await;
    browser.click("nav a[href='/console/keys']").await;
    browser.shows("No key is live").await;
    browser.write("input[name=name]", "robot").await;
    browser.click("input[name=role][value=admin]").await;
    assert!(
        browser.has(&format!("option[value='{home}']")).await,
        "few can be chosen from"
    );
    browser.click("form[action='/console/keys'] button").await;
    let key = browser.text("#key").await;
    browser.fits("minted").await;
    // Where the browser lets a page copy, the button does.
    browser.click("button[data-copies]").await;
    browser.text("#copied").await;

    let robot = scene.host.agent(&key);
    let asked = robot
        .post("/org/tokens", json!({ "name": "helper" }))
        .await
        .approval();
    stage::approve(&operator, &asked).await;
    let minted = robot
        .post("/org/tokens", json!({ "name": "helper" }))
        .await
        .expect(200);
    let helper = scene.host.agent(minted.text("auth_token"));
    helper.get("/approvals/pending").await.expect(200);
    browser.click("a.button[href='/console/keys']").await;
    browser.shows("helper").await;
    let drawn = "return document.querySelector('svg.uses').getAttribute('aria-label')";
    let drawn = browser.run(drawn).await;
    assert!(
        drawn
            .as_str()
            .is_some_and(|words| words.contains("24 hours")),
        "{drawn}"
    );
    browser.fits("keys").await;
    let helper_id = minted.text("id");
    browser
        .click(&format!("th a[href='/console/keys/{helper_id}']"))
        .await;
    browser.shows("Minted by robot").await;
    browser.fits("key").await;

    browser.click("dd a[href^='/console/keys/']").await;
    browser.shows("What it minted").await;
    browser.click("a[href$='/revoke']").await;
    browser.shows("Also revoke what it minted").await;
    browser.shows("helper").await;
    browser.fits("revoke").await;
    browser.click("input[name=descendants]").await;
    let asked = robot.post("/org/tokens", json!({ "name": "late" })).await;
    stage::approve(&operator, &asked.approval()).await;
    let late = robot.post("/org/tokens", json!({ "name": "late" })).await;
    let late = scene.host.agent(late.expect(200).text("auth_token"));
    browser.click("form[action$='/revoke'] button").await;
    browser.shows("Nothing was revoked").await;
    browser.shows("since you looked").await;
    browser.fits("revoke-moved").await;
    let refused = browser.complaints().await;
    assert!(
        refused.iter().all(|one| one.to_string().contains("409")),
        "{refused:?}"
    );
    browser.click("input[name=descendants]").await;
    browser
        .run("document.querySelector('input[name=drain_seconds]').value = '600'")
        .await;
    browser.click("form[action$='/revoke'] button").await;
    browser.shows("Revoked, works until").await;
    for draining in [&robot, &helper, &late] {
        let reply = draining.get("/approvals/pending").await.expect(200);
        assert_eq!(reply.header("x-token-draining"), Some("true"));
    }
    scene.went_well().await;
}

/// A second browser of the operator's.
async fn second(host: &Host) -> Browser {
    let made = host.command_line().run(&["login", "--browser"]).await;
    made.expect(0);
    let browser = Browser::start().await;
    sign_in(host, &browser).await;
    browser
}

// Guard: the proof that `end` in host/server/src/console/sessions.rs asks for.
#[tokio::test]
async fn the_operator_sees_where_they_are_signed_in_and_ends_one_of_these_sessions() {
    let scene = Scene::set().await;
    let desk = &scene.browser;
    scene.sign_in().await;
    let phone = second(&scene.host).await;
    desk.click("a[href='/console/sessions']").await;
    desk.shows("this browser").await;
    desk.shows("End it").await;
    desk.shows("neither a control plane nor an identity proxy")
        .await;
    desk.fits("sessions").await;

    // The cookie alone, which every port of this host gets, ends nothing.
    let cookies = desk.cookies().await;
    let text = |name: &str| cookies[0][name].as_str().expect("a text").to_owned();
    let thief = scene
        .host
        .session(&format!("{}={}", text("name"), text("value")));
    let victim = "return document.querySelector('tbody input[name=session]').value";
    let victim = desk.run(victim).await;
    let fields = [
        ("session", victim.as_str().expect("an id")),
        ("proof", "guess"),
    ];
    let refused = thief
        .post_form("/console/sessions", &fields)
        .await
        .expect(403);
    assert!(
        refused.page().contains("cannot sign for this session"),
        "{refused}"
    );
    phone
        .open(&format!("{}/console/keys", scene.host.origin()))
        .await;
    phone.shows("Organisation keys").await;

    // The newest is first.
    desk.click("tbody tr:first-child button").await;
    desk.is_at("/console/sessions").await;
    desk.shows("Sign out here").await;
    assert!(!desk.source().await.contains("End it"));
    phone
        .open(&format!("{}/console/keys", scene.host.origin()))
        .await;
    phone.shows("How to sign in").await;
    desk.click("tbody button").await;
    desk.is_at("/console/sign-in").await;
    desk.shows("Nothing else signs people in here").await;
    desk.fits("sign-in").await;
    assert_eq!(desk.cookies().await, [] as [Value; 0]);
}

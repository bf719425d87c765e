//! Which policies there were, and the way back to them, in the console.

use std::fs;

use countersign_tests::Host;
use reqwest::Method;
use serde_json::{Value, json};

use super::driver::Browser;
use super::sign_in;
use crate::promotion::LOOSER;
use crate::reload::shelf::{Freeze, Shelf};
use crate::stage::{ADMIN_TOKEN, Stage};

const BACK: &str = "form[action$='/rollback'] button";

#[tokio::test]
async fn an_operator_goes_back_by_clicking_and_reads_before_what_that_changes() {
    let (shelf, browser) = (Shelf::set().await, Browser::start().await);
    assert_eq!(shelf.mints().await, 202);
    sign_in(&shelf.host, &browser).await;
    shelf.sets(LOOSER);
    shelf.is_live(2).await;
    assert_eq!(shelf.mints().await, 200);

    browser.click("nav a[href='/console/policies']").await;
    browser
        .click("nav a[href='/console/policies/history']")
        .await;
    browser.shows("Generation 2").await;
    browser.shows("other settings").await;
    browser.shows("the policy folder").await;
    browser.fits("history").await;
    browser
        .click("a[href='/console/policies/generations/1']")
        .await;
    browser.shows("These policies do not decide now").await;
    browser.shows("built into the program").await;
    browser.fits("generation").await;
    browser.click("a[href$='/rollback']").await;
    browser.shows("Go back to generation 1?").await;
    browser.shows("org_token_mint").await;
    browser.fits("rollback").await;
    assert_eq!(shelf.mints().await, 200, "reading is not going back");

    browser.click(BACK).await;
    browser.is_at("/console/policies").await;
    browser.shows("Generation 3 decides").await;
    assert_eq!(shelf.mints().await, 202);
    browser
        .click("nav a[href='/console/policies/history']")
        .await;
    browser.shows("(by login link)").await;
    assert_eq!(browser.complaints().await, [] as [Value; 0]);
    println!(
        "browser: Chromium {} went back to generation 1, after it had read what that changes",
        browser.version()
    );
}

// Guard: the comparison of `follows` in host/server/src/routes/rollback.rs.
#[tokio::test]
async fn what_was_read_before_other_policies_were_live_is_not_gone_back_by() {
    let (shelf, browser) = (Shelf::set().await, Browser::start().await);
    sign_in(&shelf.host, &browser).await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    shelf.is_live(2).await;
    let back = "/console/policies/generations/1/rollback";
    browser
        .open(&format!("{}{back}", shelf.host.origin()))
        .await;
    browser.shows("Go back to generation 1?").await;
    shelf.write("freeze.wasm", Freeze::SECOND.component());
    shelf.is_live(3).await;

    browser.click(BACK).await;
    browser.shows("Generation 3 is live by now").await;
    assert_eq!(shelf.generation().await, 3);
    shelf
        .decides(Freeze::SECOND.rule, std::time::Duration::from_secs(5))
        .await;
}

#[tokio::test]
async fn who_is_no_operator_is_told_so_and_changes_nothing() {
    let builder = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .env("COUNTERSIGN_OPERATORS", "control-plane:ann");
    let host = builder.start().await;
    let browser = Browser::start().await;
    sign_in(&host, &browser).await;
    let put = host.agent(ADMIN_TOKEN);
    let kind = Some("application/wasm");
    let bytes = Freeze::FIRST.component();
    let refused = put.send(Method::PUT, "/policies/freeze", kind, bytes).await;
    assert_eq!(refused.status, 403, "{refused}");
    fs::write(
        host.data_dir().join("policies/freeze.wasm"),
        Freeze::FIRST.component(),
    )
    .expect("the folder can be written");
    let shelf = Shelf::of(host, std::path::Path::new("unused"));
    shelf.is_live(2).await;

    let path = "/console/policies/generations/1";
    browser
        .open(&format!("{}{path}", shelf.host.origin()))
        .await;
    browser.shows("Operators alone can go back to it").await;
    let path = "/console/policies/generations/1/rollback";
    browser
        .open(&format!("{}{path}", shelf.host.origin()))
        .await;
    browser.shows("operators alone change the policies").await;
    browser.fits("rollback-forbidden").await;
    assert!(!browser.has(BACK).await);
    // A form of one's own does no more, though the browser signs it.
    let form = "document.querySelector('main').innerHTML = \
        `<form method=post action='/console/policies/generations/1/rollback'>\
         <input name=follows value=2><button id=own>Go</button></form>`";
    browser.run(form).await;
    browser.click("#own").await;
    browser.shows("Only an operator changes the policies").await;
    browser.shows("COUNTERSIGN_OPERATORS").await;
    assert_eq!(shelf.generation().await, 2);
}

// Guard: `people_alone` in host/server/src/console/policies.rs.
#[tokio::test]
async fn a_program_reads_which_policies_there_were_and_neither_tries_them_out_nor_goes_back() {
    let stage = Stage::set().await;
    let (agent, ann) = (stage.agent(), stage.person("ann").await);
    for page in ["history", "generations/1", "generations/1/rollback"] {
        let path = format!("/console/policies/{page}");
        agent.get(&path).await.expect(200);
    }
    for page in ["matrix", "playground", "playground?verb=secret_write"] {
        let path = format!("/console/policies/{page}");
        let reply = agent.get(&path).await;
        assert_eq!(reply.status, 403, "{reply}");
        ann.get(&path).await.expect(200);
    }
    let path = "/console/policies/playground";
    let question = [("verb", "secret_write")];
    let reply = agent.post_form(path, &question).await;
    assert_eq!(reply.status, 403, "{reply}");
    ann.post_form(path, &question).await.expect(200);
    let form = [("follows", "1")];
    let path = "/console/policies/generations/1/rollback";
    let reply = agent.post_form(path, &form).await;
    assert_eq!(reply.status, 403, "{reply}");
    let nowhere = ann.get("/console/policies/generations/99").await;
    assert_eq!(nowhere.status, 404, "{nowhere}");
    let word = ann.get("/console/policies/generations/first").await;
    assert_eq!(word.status, 400, "{word}");
    let newest = json!(ann.get("/policies").await.expect(200).json["generation"]);
    assert_eq!(newest, 1);
}

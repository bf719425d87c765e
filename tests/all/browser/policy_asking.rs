//! What the policies answer, and asking them something made up, in the console.

use countersign_tests::until;
use serde_json::{Value, json};

use super::driver::Browser;
use super::sign_in;
use crate::promotion::PATIENCE;
use crate::reload::shelf::{Freeze, Shelf};

/// How many decisions are recorded about that verb.
async fn decided(browser: &Browser, verb: &str) -> Value {
    let script = format!(
        "return fetch('/decisions?limit=200').then(answer => answer.json())\
         .then(all => all.decisions.filter(one => one.verb === '{verb}').length)"
    );
    browser.run(&script).await
}

#[tokio::test]
async fn a_person_asks_what_would_come_of_it_and_nothing_comes_of_it() {
    let (shelf, browser) = (Shelf::set().await, Browser::start().await);
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    shelf.is_live(2).await;
    sign_in(&shelf.host, &browser).await;
    browser.click("nav a[href='/console/policies']").await;
    browser
        .click("nav a[href='/console/policies/playground']")
        .await;
    browser.fits("playground").await;
    browser.click("option[value=secret_write]").await;
    browser.click("form.filter button").await;
    browser.shows("May this caller secret_write?").await;
    browser.click("option[value=global]").await;
    browser.write("#groups", "night-shift").await;
    browser.click("form.question button").await;
    browser.shows("The live policies say deny").await;
    // What was typed is in the form again, and in no address.
    browser.is_at("/console/policies/playground").await;
    assert!(browser.has("#groups[value='night-shift']").await);
    browser.shows("freeze@1.0.0").await;
    browser.shows("baseline@").await;
    browser.shows("agents do nothing during the freeze").await;
    browser.fits("playground-asked").await;

    browser.click("option[value^='live:baseline@0.1.0:']").await;
    browser.click("form.question button").await;
    browser.shows("baseline@0.1.0 (live) alone says gate").await;
    browser.click("option[value=verified-session]").await;
    browser.click("form.question button").await;
    browser
        .shows("baseline@0.1.0 (live) alone says allow")
        .await;
    assert_eq!(decided(&browser, "secret_write").await, 0);
    assert_ne!(decided(&browser, "policy_read").await, 0);
    assert_eq!(shelf.policies().await["modules"][0]["failures"]["count"], 0);

    // What is no question is said at its field, where what was typed stays, but for a key.
    browser.write("#named", "cso_abcdefg").await;
    browser.write("#at", "tomorrow").await;
    browser.click("form.question button").await;
    browser.shows("looks like a key").await;
    assert!(!browser.source().await.contains("cso_abcdefg"));
    let told = "return [...document.querySelectorAll('[aria-invalid=true]')].map(field => \
                [field.id, field.value, field.getAttribute('aria-describedby').split(' ') \
                .every(id => document.getElementById(id) !== null)])";
    assert_eq!(
        browser.run(told).await,
        json!([["named", "", true], ["at", "tomorrow", true]])
    );
    assert!(browser.has("#named[autofocus]").await);
    assert!(browser.has("#groups[value='night-shift']").await);
    browser.fits("playground-wrong").await;
    println!(
        "browser: Chromium {} asked the policies something made up, and nothing came of it",
        browser.version()
    );
}

/// Where the machine is busy the page says that it is not worked out yet, and people look again.
async fn look_at(matrix: &str, browser: &Browser) {
    until("it is worked out", PATIENCE, async || {
        browser.open(matrix).await;
        (!browser.source().await.contains("Look again")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_matrix_shows_who_may_do_what_and_another_generation_has_another() {
    let (shelf, browser) = (Shelf::set().await, Browser::start().await);
    sign_in(&shelf.host, &browser).await;
    let matrix = format!("{}/console/policies/matrix", shelf.host.origin());
    look_at(&matrix, &browser).await;
    let cell = "tr:has(a[href='#group-0']) td[data-label='ADMIN_TOKEN']";
    assert_eq!(browser.text(cell).await, "gate");
    let cell = "tr:has(a[href='#group-0']) td[data-label='Person']";
    assert_eq!(browser.text(cell).await, "allow");
    browser.fits("matrix").await;

    shelf.write("freeze.wasm", Freeze::FIRST.component());
    shelf.is_live(2).await;
    look_at(&matrix, &browser).await;
    browser.shows("Generation 2, asked all").await;
    let cell = "tr:has(a[href='#group-0']) td[data-label='ADMIN_TOKEN']";
    assert_eq!(browser.text(cell).await, "deny");
    assert_eq!(browser.complaints().await, [] as [Value; 0]);
}

//! Other policies, in the console.

use serde_json::{Value, json};

use super::driver::Browser;
use super::{APPROVE, sign_in};
use crate::promotion::LOOSER;
use crate::reload::shelf::Shelf;

#[tokio::test]
async fn an_operator_reads_what_one_line_loosens_accepts_that_list_and_it_is_live() {
    let (shelf, browser) = (Shelf::reviewed().await, Browser::start().await);
    assert_eq!(shelf.mints().await, 202);
    sign_in(&shelf.host, &browser).await;
    shelf.sets(LOOSER);
    let candidate = shelf.waits().await;
    let id = candidate["approval_id"].as_str().expect("an id");

    browser.click("nav a[href='/console/policies']").await;
    browser.shows("Generation 1 decides").await;
    browser.shows("In the policy folder").await;
    browser.shows("Signed by").await;
    browser.shows("built into the program").await;
    browser.shows("other settings").await;
    browser.shows("since this host started").await;
    browser.fits("policies").await;
    let link = format!("a[href='/console/approvals/{id}']");
    browser.click(&link).await;
    browser.shows("What it changes").await;
    browser.shows("gate → allow").await;
    browser.shows("org_token_mint: ").await;
    browser.shows("evidence and no proof").await;
    browser.shows("the policy folder").await;
    browser.fits("list").await;
    browser.click(".change summary").await;
    browser.shows("given.verb = \"org_token_mint\"").await;
    browser.fits("list-open").await;
    // Drawn anew, it is as the reader left it: what was unfolded, what was folded, and where the focus is.
    let lately = "document.querySelector('#lately').open = false";
    browser.run(lately).await;
    for (focus, on) in [(".change summary", "SUMMARY"), (".change pre", "PRE")] {
        let focus = format!("document.querySelector('{focus}').focus()");
        browser.run(&focus).await;
        browser.draws_anew("#request").await;
        let now =
            "return [document.activeElement.tagName, !document.querySelector('#lately').open]";
        assert_eq!(browser.run(now).await, json!([on, true]));
        browser.shows("given.verb = \"org_token_mint\"").await;
    }
    assert_eq!(shelf.mints().await, 202, "reading is not accepting");

    browser.click(APPROVE).await;
    shelf.is_live(2).await;
    assert_eq!(shelf.mints().await, 200);
    let path = format!("{}/console/approvals/{id}", shelf.host.origin());
    browser.open(&path).await;
    browser.shows("it was done, once").await;
    browser.click("nav a[href='/console/policies']").await;
    browser.shows("Generation 2 decides").await;
    assert!(!browser.source().await.contains("In the policy folder"));
    browser.fits("policies-after").await;
    assert_eq!(browser.complaints().await, [] as [Value; 0]);
    println!(
        "browser: Chromium {} read what one line loosens, and accepted it",
        browser.version()
    );
}

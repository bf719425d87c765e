//! What a policy in shadow would change, in the console.

use serde_json::{Value, json};

use super::driver::Browser;
use super::sign_in;
use crate::shadow::kinds::{again, frozen};
use crate::stage;

#[tokio::test]
async fn an_operator_reads_what_a_policy_in_shadow_would_change_before_it_decides() {
    let ((shelf, operator, _), browser) = (frozen().await, Browser::start().await);
    let link = shelf.host.command_line().run(&["login", "--browser"]).await;
    link.expect(0);
    sign_in(&shelf.host, &browser).await;
    let agent = shelf.agent();
    let payments = stage::workspace(&operator, "payments", None).await;
    agent.get("/org/tokens").await.expect(200);
    for name in ["ci", "a-key-with-quite-a-long-name-for-the-nightly-backup"] {
        agent
            .post("/org/tokens", json!({ "name": name }))
            .await
            .expect(202);
    }
    let secret = json!({ "key": "STRIPE_KEY", "value": "not-to-be-seen" });
    let path = format!("/workspaces/{payments}/secrets");
    agent.post(&path, secret).await.expect(202);
    again(&shelf, 4).await;

    browser.click("nav a[href='/console/policies']").await;
    browser
        .click(".notice a[href='/console/policies/shadow']")
        .await;
    browser.shows("Would let less happen").await;
    browser.shows("agents-need-a-person").await;
    browser.fits("shadow").await;
    browser
        .click("table.kinds tbody tr:first-child a.name")
        .await;
    browser.shows("All kinds of differences").await;
    browser.fits("shadow-kind").await;
    browser.click("table.record tbody a.name").await;
    browser.shows("Beside what was in shadow").await;
    browser.shows("They would have let less happen").await;
    browser
        .click("section[aria-labelledby=beside] summary")
        .await;
    browser.shows("agents do nothing during the freeze").await;
    browser.fits("decision-beside").await;
    assert!(!browser.source().await.contains("not-to-be-seen"));

    let page = format!(
        "{}/console/policies/shadow?generation=1",
        shelf.host.origin()
    );
    browser.open(&page).await;
    browser.shows("Nothing is in shadow of generation 1").await;
    browser.fits("shadow-none").await;
    assert_eq!(browser.complaints().await, [] as [Value; 0]);
    println!(
        "browser: Chromium {} read what a policy in shadow would change",
        browser.version()
    );
}

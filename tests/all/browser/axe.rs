//! What keeps people from a page who see, hear or point otherwise, as far as axe-core finds it.

use std::sync::LazyLock;

use serde_json::Value;

use super::driver::Browser;

/// Asks for what WCAG 2.2 AA and good practice demand, and hands over what is not met.
const ASK: &str = "
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ['violations'] }).then(
  (found) => done(found.violations.map((one) => ({
    impact: one.impact,
    rule: one.id,
    help: one.help,
    where: one.nodes.map((node) => node.target.join(' ') + ': ' + node.failureSummary),
  }))),
  (error) => done(String(error)),
);";

/// axe-core itself, which `tests/run` installs.
static AXE: LazyLock<String> = LazyLock::new(|| {
    let file = std::env::var_os("COUNTERSIGN_AXE").expect(
        "COUNTERSIGN_AXE is not set: it names axe-core's `axe.min.js`, which tests/run installs",
    );
    std::fs::read_to_string(&file).expect("COUNTERSIGN_AXE can be read")
});

/// Holds the page, as it is shown now, to what axe-core knows: nothing serious is found.
pub async fn holds(browser: &Browser, name: &str) {
    let serious = serious(browser).await;
    let told = serde_json::to_string_pretty(&serious).expect("it is JSON");
    assert!(serious.is_empty(), "{name}: {told}");
}

async fn serious(browser: &Browser) -> Vec<Value> {
    let found = browser.tells(&format!("{}\n{ASK}", *AXE)).await;
    let Value::Array(mut found) = found else {
        panic!("axe-core does not run: {found}");
    };
    found.retain(|one| one["impact"] == "serious" || one["impact"] == "critical");
    found
}

#[tokio::test]
async fn what_keeps_people_out_is_found() {
    let browser = Browser::start().await;
    let page = "<html lang=en><title>A page</title><main><h1>A page</h1>";
    browser.open(&format!("data:text/html,{page}")).await;
    assert_eq!(serious(&browser).await, [] as [Value; 0]);
    let pale = "<p style='color:%23bbb'>Pale</p><button></button>";
    browser.open(&format!("data:text/html,{page}{pale}")).await;
    let rules: Vec<Value> = serious(&browser).await;
    let mut rules: Vec<&str> = rules
        .iter()
        .filter_map(|one| one["rule"].as_str())
        .collect();
    rules.sort_unstable();
    assert_eq!(rules, ["button-name", "color-contrast"]);
}

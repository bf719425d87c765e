//! What keeps people from a page who see, hear or point otherwise, as far as axe-core finds it.

use std::sync::LazyLock;

use serde_json::Value;

use super::driver::Browser;

/// Asks for what WCAG 2.2 AA and good practice demand, and hands over what is not met.
const ASK: &str = "
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ['violations'], ...ONLY }).then(
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

/// What a page is held to.
#[derive(Clone, Copy)]
pub enum Rules {
    /// All that axe-core knows.
    All,
    /// What another theme can break, of a page that was held to the rest.
    Colours,
}

impl Rules {
    fn only(self) -> &'static str {
        match self {
            // Of WCAG 2.2, and the one rule that axe-core does not ask for by itself.
            Self::All => "{ rules: { 'target-size': { enabled: true } } }",
            Self::Colours => {
                "{ runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } }"
            }
        }
    }
}

/// Holds the page, as it is shown now, to these rules: nothing serious is found.
pub async fn holds(browser: &Browser, rules: Rules, name: &str) {
    let serious = serious(browser, rules).await;
    let told = serde_json::to_string_pretty(&serious).expect("it is JSON");
    assert!(serious.is_empty(), "{name}: {told}");
}

async fn serious(browser: &Browser, rules: Rules) -> Vec<Value> {
    if browser.run("return typeof axe").await == "undefined" {
        browser.run(&AXE).await;
    }
    let found = browser.tells(&ASK.replace("ONLY", rules.only())).await;
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
    for rules in [Rules::All, Rules::Colours] {
        assert_eq!(serious(&browser, rules).await, [] as [Value; 0]);
    }
    let pale = "<p style='color:%23bbb'>Pale</p><button></button>";
    browser.open(&format!("data:text/html,{page}{pale}")).await;
    for (rules, found) in [
        (Rules::All, &["button-name", "color-contrast"][..]),
        (Rules::Colours, &["color-contrast"]),
    ] {
        let told = serious(&browser, rules).await;
        let told: Vec<_> = told.iter().map(|one| one["rule"].as_str()).collect();
        for rule in found {
            assert!(told.contains(&Some(rule)), "{told:?}");
        }
        assert_eq!(told.len(), found.len(), "{told:?}");
    }
    let small = "<button style='padding:0;width:9px;height:9px'>x</button>".repeat(2);
    browser.open(&format!("data:text/html,{page}{small}")).await;
    let told = serious(&browser, Rules::All).await;
    let told: Vec<_> = told.iter().map(|one| one["rule"].as_str()).collect();
    assert_eq!(told, [Some("target-size")]);
}

//! A module that keeps failing: each time it denies, and it is counted, shown and told of.

use countersign_tests::guest::Guest;
use countersign_tests::{Reply, until};
use serde_json::{Value, json};

use crate::metrics::samples;
use crate::reload::PATIENCE;
use crate::reload::hostile::waking;
use crate::reload::shelf::Shelf;

/// The word at which it gives up.
const WORD: &str = "TRIPWIRE";

/// A module that holds all its cases, until a request has the word in it.
fn tripwire(version: &'static str) -> Vec<u8> {
    let tripwire = Guest {
        name: "tripwire",
        version,
        ..Guest::default()
    };
    waking(tripwire, *b"TRIPWIRE", "(unreachable)")
}

async fn live(shelf: &Shelf, version: &'static str) {
    shelf.write("tripwire.wasm", tripwire(version));
    until("it is live", PATIENCE, async || {
        let policies = shelf.agent().get("/policies").await.expect(200).json;
        let modules = policies["modules"].as_array()?;
        modules
            .iter()
            .any(|module| module["name"] == "tripwire" && module["version"] == version)
            .then_some(())
    })
    .await;
}

async fn trip(shelf: &Shelf) -> Reply {
    let agent = shelf.agent();
    let reply = agent.post("/org/tokens", json!({ "name": WORD })).await;
    reply.refused(403, "denied_by_policy")
}

#[tokio::test]
async fn a_module_that_keeps_failing_denies_each_time_and_is_counted_shown_and_told_of_once() {
    const TIMES: u64 = 5;
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    live(&shelf, "1.0.0").await;
    let whole = shelf.module("tripwire").await;
    assert_eq!(
        whole["failures"],
        json!({ "count": 0, "last_kind": null, "last_at": null })
    );
    assert_eq!(whole["last_error"], Value::Null);

    for _ in 0..TIMES {
        let reply = trip(&shelf).await;
        assert_eq!(reply.text("rule"), "policy-failed", "{reply}");
    }
    // What is right is still judged, by the very same module.
    assert_eq!(shelf.rule().await, "open-to-agents");

    let failing = shelf.module("tripwire").await;
    assert_eq!(failing["failures"]["count"], TIMES, "{failing}");
    assert_eq!(failing["failures"]["last_kind"], "trap", "{failing}");
    assert!(failing["failures"]["last_at"].is_string(), "{failing}");
    assert_eq!(failing["last_error"], "it trapped, or gave up");
    assert_eq!(shelf.module("baseline").await["failures"]["count"], 0);
    let samples = samples(&shelf.host).await;
    let sample = r#"countersign_policy_failures_total{module="tripwire",kind="trap"}"#;
    assert_eq!(samples.get(sample), Some(&5.0), "{samples:#?}");

    let page = operator.get("/console/policies").await.expect(200);
    let page = page.page();
    assert!(page.contains("5 decisions, which were denied"), "{page}");
    let said = shelf.host.said();
    let told = said.matches("a policy fails").count();
    assert_eq!(told, 1, "{said}");
    assert!(!said.contains(WORD), "{said}");

    // Another version of it has failed at nothing yet, and the counter goes on.
    live(&shelf, "2.0.0").await;
    assert_eq!(shelf.module("tripwire").await["failures"]["count"], 0);
    trip(&shelf).await;
    assert_eq!(shelf.module("tripwire").await["failures"]["count"], 1);
    let samples = crate::metrics::samples(&shelf.host).await;
    assert_eq!(samples.get(sample), Some(&6.0), "{samples:#?}");
}

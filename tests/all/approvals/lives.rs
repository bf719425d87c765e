//! How long approvals live, as the operator sets it.

use std::time::Duration;

use countersign_core::time::Timestamp;
use countersign_tests::guest::Guest;
use countersign_tests::{Host, HostBuilder, until};
use serde_json::{Value, json};

use super::mint;
use crate::stage::{Stage, approval, approve, decide};

fn seconds(approval: &Value, from: &str, to: &str) -> i64 {
    let micros = |member: &str| {
        let at = approval[member].as_str().and_then(Timestamp::parse);
        at.expect("an instant").as_micros()
    };
    (micros(to) - micros(from)) / 1_000_000
}

fn short() -> HostBuilder {
    Host::builder()
        .env("COUNTERSIGN_PENDING_SECONDS", "40")
        .env("COUNTERSIGN_GRANT_SECONDS", "20")
        .env("COUNTERSIGN_COOL_DOWN_SECONDS", "0")
}

#[tokio::test]
async fn the_operator_shortens_what_the_baseline_asks_for() {
    let stage = Stage::set_for(short()).await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let id = mint(&agent, "ci").await.approval();
    let asked = approval(&person, &id).await;
    assert_eq!(seconds(&asked, "created_at", "expires_at"), 40);
    approve(&person, &id).await;
    let granted = approval(&person, &id).await;
    assert_eq!(seconds(&granted, "decided_at", "grant_expires_at"), 20);

    let denied = mint(&agent, "no").await.approval();
    decide(&person, &denied, "denied").await.expect(200);
    assert_ne!(mint(&agent, "no").await.approval(), denied, "no cool-down");
}

#[tokio::test]
async fn longer_than_the_baseline_asks_for_is_the_baselines_to_say() {
    let long = Host::builder()
        .env("COUNTERSIGN_PENDING_SECONDS", "86400")
        .env("COUNTERSIGN_GRANT_SECONDS", "3600");
    let stage = Stage::set_for(long).await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let id = mint(&agent, "ci").await.approval();
    approve(&person, &id).await;
    let granted = approval(&person, &id).await;
    assert_eq!(seconds(&granted, "created_at", "expires_at"), 3_600);
    assert_eq!(seconds(&granted, "decided_at", "grant_expires_at"), 900);
}

/// Gates for everything: one that leaves its lives to the host, and one that names two hours and one.
fn gates() -> [Guest; 2] {
    // At 36 and 44 of the verdict stands whether there is a life, and behind it how long it is.
    let left = "(i32.store8 (i32.add (global.get $gate) (i32.const 36)) (i32.const 0))
        (i32.store8 (i32.add (global.get $gate) (i32.const 44)) (i32.const 0))
        (global.get $gate)";
    let named = "(i32.store (i32.add (global.get $gate) (i32.const 40)) (i32.const 7200))
        (i32.store (i32.add (global.get $gate) (i32.const 48)) (i32.const 3600))
        (global.get $gate)";
    [("left", left), ("named", named)].map(|(name, decide)| Guest {
        name,
        decide,
        people: 1,
        ..Guest::default()
    })
}

// Guard: `Judgement::within` in host/core/src/verdict/lives.rs, which `Gate::judge` asks for.
#[tokio::test]
async fn what_one_gate_leaves_to_the_host_beside_another_is_as_long_as_its_operator_set_it() {
    for (set, pending, grant) in [(None, 3_600, 900), (Some("86400"), 7_200, 3_600)] {
        let mut host = Host::builder();
        if let Some(life) = set {
            host = host
                .env("COUNTERSIGN_PENDING_SECONDS", life)
                .env("COUNTERSIGN_GRANT_SECONDS", life);
        }
        let stage = Stage::set_for(host).await;
        let (agent, person) = (stage.agent(), stage.person("ann").await);
        for guest in gates() {
            let file = format!("policies/{}.wasm", guest.name);
            let file = stage.host.data_dir().join(file);
            std::fs::write(file, guest.component()).expect("the folder is there");
        }
        until("both are live", Duration::from_secs(30), async || {
            let shown = person.get("/policies").await.expect(200).json;
            (shown["modules"].as_array()?.len() == 3).then_some(())
        })
        .await;
        // The baseline allows it, and says nothing of lives.
        let asked = agent.post("/workspaces", json!({ "name": "w" })).await;
        let id = asked.approval();
        approve(&person, &id).await;
        let granted = approval(&person, &id).await;
        let lives = [
            seconds(&granted, "created_at", "expires_at"),
            seconds(&granted, "decided_at", "grant_expires_at"),
        ];
        assert_eq!(lives, [pending, grant], "{set:?}");
    }
}

#[tokio::test]
async fn a_life_outside_its_bounds_is_refused_with_them() {
    let wrong = Host::builder()
        .env("COUNTERSIGN_PENDING_SECONDS", "29")
        .env("COUNTERSIGN_GRANT_SECONDS", "9")
        .env("COUNTERSIGN_COOL_DOWN_SECONDS", "86401");
    wrong.fail().await.says(&[
        "COUNTERSIGN_PENDING_SECONDS",
        "from 30 to 604800",
        "COUNTERSIGN_GRANT_SECONDS",
        "from 10 to 86400",
        "COUNTERSIGN_COOL_DOWN_SECONDS",
        "from 0 to 86400",
    ]);
}

//! How long approvals live, as the operator sets it.

use countersign_core::time::Timestamp;
use countersign_tests::{Host, HostBuilder};
use serde_json::Value;

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

//! The system's clock jumps back. What has ended stays ended.

use std::time::Duration;

use countersign_core::time::{Clock as _, SystemClock};
use countersign_tests::{Caller, FakeClock, Host, Reply};
use serde_json::json;

use crate::stage::{ADMIN_TOKEN, approve, decide, minted, tokens};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

async fn started(clock: &FakeClock) -> Host {
    Host::builder()
        .admin_token(ADMIN_TOKEN)
        .clock(clock)
        .start()
        .await
}

async fn mint(caller: &Caller, name: &str) -> Reply {
    caller.post("/org/tokens", json!({ "name": name })).await
}

/// A token that ends `minutes` after now, as the system's clock has it.
async fn token_for(person: &Caller, minutes: u64) -> String {
    let end = SystemClock.now().plus(Duration::from_secs(minutes * 60));
    minted(
        person,
        json!({ "name": "short", "expires_at": end.to_string() }),
    )
    .await
}

#[tokio::test]
async fn a_clock_that_is_set_back_under_a_running_host_revives_nothing() {
    let clock = FakeClock::default();
    let host = started(&clock).await;
    let session = host.operator_session().await;
    let (person, agent) = (host.signed_in(&session), host.agent(ADMIN_TOKEN));
    let token = host.agent(&token_for(&person, 10).await);
    tokens(&token).await;
    let grant = mint(&agent, "granted").await.approval();
    approve(&person, &grant).await;
    let pending = mint(&agent, "pending").await.approval();
    let granted = agent.with("approval-id", &grant);
    let waited = agent.with("approval-id", &pending);

    let has_ended = async || {
        token
            .get("/org/tokens")
            .await
            .refused(401, "unauthenticated");
        mint(&granted, "granted")
            .await
            .refused(403, "grant_expired");
        decide(&person, &pending, "approved").await.expect(404);
        mint(&waited, "pending")
            .await
            .refused(403, "approval_expired");
    };
    clock.set(2 * HOUR);
    has_ended().await;
    for seconds in [HOUR, 0, -24 * HOUR] {
        clock.set(seconds);
        has_ended().await;
    }
    // Nor a person's session, once that has ended.
    clock.set(14 * 24 * HOUR);
    person
        .get("/org/tokens")
        .await
        .refused(401, "unauthenticated");
    clock.set(0);
    person
        .get("/org/tokens")
        .await
        .refused(401, "unauthenticated");
    let said = host.said();
    assert_eq!(
        said.matches("the system's clock is behind").count(),
        2,
        "{said}"
    );
}

#[tokio::test]
async fn a_host_that_starts_an_hour_early_refuses_and_says_what_to_do() {
    let clock = FakeClock::default();
    clock.set(2 * HOUR);
    let host = started(&clock).await;
    let session = host.operator_session().await;
    minted(&host.signed_in(&session), json!({ "name": "kept" })).await;
    let stopped = host.stop().await;
    for seconds in [HOUR, 0, -24 * HOUR] {
        clock.set(seconds);
        let failure = stopped.clone().fail().await;
        failure.says(&["system's clock says", "written as late as", "start again"]);
    }
    clock.set(2 * HOUR);
    let host = stopped.start().await;
    assert_eq!(tokens(&host.signed_in(&session)).await[0]["name"], "kept");
}

#[tokio::test]
async fn a_host_that_starts_a_minute_early_lives_in_the_time_of_its_ledger() {
    let clock = FakeClock::default();
    let host = started(&clock).await;
    let session = host.operator_session().await;
    let person = host.signed_in(&session);
    let token = token_for(&person, 10).await;
    let link = host.login_secret();
    clock.set(10 * MINUTE + 20);
    let agent = host.agent(&token);
    agent
        .get("/org/tokens")
        .await
        .refused(401, "unauthenticated");
    let stopped = host.stop().await;

    clock.set(9 * MINUTE + 20);
    let host = stopped.start().await;
    let agent = host.agent(&token);
    agent
        .get("/org/tokens")
        .await
        .refused(401, "unauthenticated");
    assert!(tokens(&host.signed_in(&session)).await.is_empty());
    assert_ne!(host.login_secret(), link);
    // Time goes on from there: what is made now is not older than what was there.
    minted(&host.signed_in(&session), json!({ "name": "later" })).await;
    let said = host.said();
    assert!(said.contains("the system's clock is behind"), "{said}");
}

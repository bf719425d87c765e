//! How often tokens are used: counted without holding anybody up, written down soon, and shown.

use std::time::Duration;

use countersign_core::time::Timestamp;
use countersign_tests::{Caller, until};
use serde_json::{Value, json};

use crate::stage::{Stage, minted, tokens, workspace, workspace_token};

/// A batch is written every five seconds.
const SOON: Duration = Duration::from_secs(15);

async fn used(agent: &Caller, times: usize) {
    for _ in 0..times {
        agent.get("/approvals/pending").await.expect(200);
    }
}

/// The one organisation token, once it was used so often.
async fn after(person: &Caller, uses: u64) -> Value {
    until("the uses are written", SOON, async || {
        let token = tokens(person).await.remove(0);
        (token["uses_24h"] == uses).then_some(token)
    })
    .await
}

#[tokio::test]
async fn the_first_use_shows_at_once_and_later_ones_soon_and_each_once() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let agent = stage.host.agent(&minted(&person, json!({})).await);
    let unused = tokens(&person).await.remove(0);
    assert_eq!(unused["uses_24h"], 0);
    assert!(unused.get("last_used_at").is_none(), "{unused}");

    used(&agent, 1).await;
    let first = tokens(&person).await.remove(0);
    assert_eq!(first["uses_24h"], 1, "{first}");
    assert!(first["last_used_at"].is_string(), "{first}");
    // What is wrong with a request does not make it none, and what never was the token's is not counted.
    used(&agent, 6).await;
    agent.get("/org/tokens/x/usage").await.expect(400);
    person.get("/org/tokens").await.expect(200);
    let later = after(&person, 8).await;
    let instant = |token: &Value| {
        let at = token["last_used_at"].as_str().and_then(Timestamp::parse);
        at.expect("an instant")
    };
    assert!(instant(&later) > instant(&first));

    let id = later["id"].as_str().expect("an id");
    let usage = person.get(&format!("/org/tokens/{id}/usage")).await;
    let usage = usage.expect(200).json;
    assert_eq!(usage["token"], later["id"]);
    assert_eq!(usage["uses"], 8);
    let hours = usage["hours"].as_array().expect("hours");
    let sum: u64 = hours.iter().filter_map(|hour| hour["uses"].as_u64()).sum();
    assert_eq!(sum, 8, "{usage}");
    for hour in hours {
        let at = hour["hour"].as_str().and_then(Timestamp::parse);
        assert_eq!(at.expect("an instant").as_micros() % 3_600_000_000, 0);
    }
    // What it did can be read when it is gone.
    person
        .delete(&format!("/org/tokens/{id}"))
        .await
        .expect(200);
    let gone = person
        .get(&format!("/org/tokens/{id}/usage?hours=744"))
        .await;
    assert_eq!(gone.expect(200).json["uses"], 8);
    agent
        .get(&format!("/org/tokens/{id}/usage"))
        .await
        .refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_host_that_stops_writes_down_what_it_has_counted() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let agent = stage.host.agent(&minted(&person, json!({})).await);
    used(&agent, 20).await;
    let host = stage.host.restart().await;
    let listed = tokens(&person.at(&host)).await;
    assert_eq!(listed[0]["uses_24h"], 20, "{listed:?}");
}

#[tokio::test]
async fn the_uses_of_a_workspaces_token_are_shown_to_who_may_read_it() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let home = workspace(&person, "home", None).await;
    let other = workspace(&person, "other", None).await;
    let token = stage.host.agent(&workspace_token(&person, &home).await);
    for _ in 0..5 {
        token.get(&format!("/workspaces/{home}")).await.expect(200);
    }
    let path = format!("/workspaces/{home}/tokens");
    let listed = until("the uses are written", SOON, async || {
        let listed = person.get(&path).await.expect(200);
        let token = listed.json["tokens"][0].clone();
        (token["uses_24h"] == 5).then_some(token)
    })
    .await;
    let id = listed["id"].as_str().expect("an id");
    let usage = token.get(&format!("{path}/{id}/usage")).await.expect(200);
    assert!(usage.json["uses"].as_u64() >= Some(5), "{usage}");
    for (caller, path, status, code) in [
        (
            &person,
            format!("/workspaces/{other}/tokens/{id}/usage"),
            404,
            "not_found",
        ),
        (&person, format!("/org/tokens/{id}/usage"), 404, "not_found"),
        (
            &token,
            format!("/workspaces/{other}/tokens/{id}/usage"),
            403,
            "denied_by_policy",
        ),
        (
            &token,
            format!("/org/tokens/{id}/usage"),
            403,
            "denied_by_policy",
        ),
    ] {
        caller.get(&path).await.refused(status, code);
    }
}

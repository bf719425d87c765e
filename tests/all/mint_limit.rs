//! How many organisation tokens one address mints within an hour.

use countersign_tests::{FakeClock, Host};
use serde_json::json;

use crate::stage::{
    ADMIN_TOKEN, Stage, approval, approve, minted, tokens, workspace, workspace_token,
};

// Guard: the count in `tokens::mint`, host/store/src/portable/tokens.rs.
#[tokio::test]
async fn one_address_mints_so_many_tokens_in_an_hour() {
    let clock = FakeClock::default();
    let builder = Host::builder().clock(&clock).env("MINT_LIMIT", "3");
    let stage = Stage::set_for(builder).await;
    let person = stage.person("ann").await;
    let home = workspace(&person, "home", None).await;
    let first = person.post("/org/tokens", json!({ "name": "a" })).await;
    let first = first.expect(200).text("id").to_owned();
    minted(&person, json!({ "name": "b" })).await;
    clock.set(600);
    minted(&person, json!({ "name": "c" })).await;
    // What was approved meanwhile is not used up.
    let body = json!({ "name": "d" });
    let asked = stage.agent().post("/org/tokens", body.clone()).await;
    let asked = asked.approval();
    approve(&person, &asked).await;
    for caller in [&stage.agent(), &person] {
        let refused = caller.post("/org/tokens", body.clone()).await;
        let refused = refused.refused(429, "too_many_mints");
        let wait: i64 = refused
            .header("retry-after")
            .and_then(|wait| wait.parse().ok())
            .expect("seconds");
        assert!((2_900..=3_000).contains(&wait), "{refused}");
        assert!(refused.text("error").contains("MINT_LIMIT"), "{refused}");
    }
    assert_eq!(approval(&person, &asked).await["status"], "approved");
    // The workspaces' tokens have a limit of their own, and no token frees a place.
    workspace_token(&person, &home).await;
    person
        .delete(&format!("/org/tokens/{first}"))
        .await
        .expect(200);
    person
        .post("/org/tokens", json!({}))
        .await
        .refused(429, "too_many_mints");

    let stage = Stage {
        host: stage.host.restart().await,
        ..stage
    };
    let person = stage.person("ann").await;
    let still = person.post("/org/tokens", json!({})).await;
    still.refused(429, "too_many_mints");
    clock.set(3_700);
    for name in ["e", "f"] {
        minted(&person, json!({ "name": name })).await;
    }
    person
        .post("/org/tokens", json!({}))
        .await
        .refused(429, "too_many_mints");
    assert_eq!(tokens(&person).await.len(), 4);
}

#[tokio::test]
async fn without_a_word_of_the_limit_ten_are_minted_and_zero_turns_it_off() {
    let host = Host::builder()
        .without_env("MINT_LIMIT")
        .admin_token(ADMIN_TOKEN)
        .start()
        .await;
    let person = host.operator().await;
    for _ in 0..10 {
        minted(&person, json!({})).await;
    }
    let eleventh = person.post("/org/tokens", json!({})).await;
    eleventh.refused(429, "too_many_mints");
    let host = host.stop().await.env("MINT_LIMIT", "0").start().await;
    minted(&host.operator().await, json!({})).await;
}

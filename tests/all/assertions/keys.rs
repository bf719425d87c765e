//! The edge's keys: which are believed, for how long, and how often they are asked for.

use std::time::Duration;

use countersign_tests::edge::claims;
use countersign_tests::{Edge, Host, SigningKey, until};
use serde_json::{Value, json};

use super::{Behind, is_nobodys};
use crate::stage::ADMIN_TOKEN;

#[tokio::test]
async fn a_new_key_is_believed_at_once_and_one_that_was_withdrawn_no_more() {
    let stage = Behind::an_edge().await;
    let first = stage.person("ann");
    first.get("/org/tokens").await.expect(200);
    let second = SigningKey::ed25519("second");
    let by_second = stage.host.asserted(&second.sign(&claims("ann")));

    stage.edge.publish(&[stage.edge.key.jwk(), second.jwk()]);
    by_second.get("/org/tokens").await.expect(200);
    first.get("/org/tokens").await.expect(200);
    assert_eq!(stage.edge.asked(), 2, "at the start, and for the new one");

    // Half a minute has not passed: the host does not ask again for each name that somebody makes up.
    stage.edge.publish(&[second.jwk()]);
    for number in 0..5 {
        let unknown = SigningKey::p256(&format!("made-up-{number}"));
        let unknown = stage.host.asserted(&unknown.sign(&claims("ann")));
        is_nobodys(&unknown, "an unknown key").await;
    }
    assert_eq!(stage.edge.asked(), 2);
    let restarted = stage.host.restart().await;
    is_nobodys(&first.at(&restarted), "a withdrawn key").await;
    by_second
        .at(&restarted)
        .get("/org/tokens")
        .await
        .expect(200);
}

#[tokio::test]
async fn whoever_waits_for_a_new_key_waits_for_one_question() {
    let stage = Behind::an_edge().await;
    stage.person("ann").get("/org/tokens").await.expect(200);
    let second = SigningKey::p256("second");
    stage.edge.publish(&[second.jwk()]);
    let person = stage.host.asserted(&second.sign(&claims("ann")));
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let person = person.clone();
        requests.spawn(async move { person.get("/org/tokens").await.status });
    }
    assert_eq!(requests.join_all().await, [200; 16]);
    assert_eq!(stage.edge.asked(), 2);
}

#[tokio::test]
async fn an_edge_whose_keys_cannot_be_had_locks_nobody_out() {
    let stage = Behind::an_edge().await;
    stage.person("ann").get("/org/tokens").await.expect(200);
    stage
        .edge
        .answer("500 Internal Server Error", "secret words of the edge");
    let unknown = SigningKey::p256("made-up");
    let unknown = stage.host.asserted(&unknown.sign(&claims("ann")));
    is_nobodys(&unknown, "an unknown key").await;
    assert_eq!(stage.edge.asked(), 2);
    stage.person("ann").get("/org/tokens").await.expect(200);
    let said = stage.host.said();
    assert!(said.contains("it answered 500"), "{said}");
    assert!(!said.contains("secret words"), "{said}");
}

#[tokio::test]
async fn keys_that_are_published_badly_are_no_keys() {
    let edge = Edge::start();
    let own = SigningKey::p256("first");
    let mut private = own.jwk();
    private["d"] = json!("c2VjcmV0");
    let symmetric = json!({ "kty": "oct", "kid": "first", "alg": "HS256", "k": "c2VjcmV0" });
    let mut for_encryption = own.jwk();
    for_encryption["use"] = json!("enc");
    let mut of_another_kind = own.jwk();
    of_another_kind["alg"] = json!("RS256");
    let many: Vec<Value> = (0..101).map(|_| own.jwk()).collect();
    let padded = json!({ "keys": [own.jwk()], "padding": "x".repeat(300_000) }).to_string();
    let keys = |keys: &[Value]| json!({ "keys": keys }).to_string();
    for (what, status, body) in [
        ("private", "200 OK", keys(&[private])),
        ("symmetric", "200 OK", keys(&[symmetric])),
        ("for encryption", "200 OK", keys(&[for_encryption])),
        ("of another kind", "200 OK", keys(&[of_another_kind])),
        ("too many", "200 OK", keys(&many)),
        ("too long", "200 OK", padded),
        ("none", "200 OK", keys(&[])),
        ("no JSON", "200 OK", "<!doctype html>".to_owned()),
        ("an error with keys", "404 Not Found", keys(&[own.jwk()])),
        (
            "a redirect",
            "302 Found\r\nLocation: /jwks",
            keys(&[own.jwk()]),
        ),
    ] {
        edge.answer(status, &body);
        let host = Host::builder()
            .admin_token(ADMIN_TOKEN)
            .edge(&edge)
            .start()
            .await;
        is_nobodys(&host.asserted(&own.sign(&claims("ann"))), what).await;
        assert!(!host.said().contains("panicked"));
    }
}

#[tokio::test]
async fn an_edge_that_never_answers_holds_nobody_else_up() {
    let edge = Edge::start();
    edge.hang();
    let host = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .edge(&edge)
        .start()
        .await;
    let person = host.asserted(&edge.assertion("ann"));
    let agent = host.agent(ADMIN_TOKEN);
    let (refused, asked) = tokio::join!(
        person.get("/org/tokens"),
        agent.post("/org/tokens", json!({})),
    );
    asked.approval();
    refused.refused(401, "unauthenticated");
}

#[tokio::test]
async fn keys_in_a_file_are_read_again_when_it_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("jwks.json");
    let write = |keys: &[Value]| {
        let unfinished = folder.path().join("unfinished");
        std::fs::write(&unfinished, json!({ "keys": keys }).to_string()).expect("written");
        std::fs::rename(unfinished, &file).expect("renamed");
    };
    let edge = Edge::start();
    write(&[edge.key.jwk()]);
    let host = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .edge(&edge)
        .env("COUNTERSIGN_ASSERTION_JWKS", file.display().to_string())
        .start()
        .await;
    let first = host.asserted(&edge.assertion("ann"));
    first.get("/org/tokens").await.expect(200);
    let second = SigningKey::p256("second");
    write(&[second.jwk()]);
    let within = Duration::from_secs(10);
    let second = host.asserted(&second.sign(&claims("ann")));
    until("the new key is believed", within, async || {
        (second.get("/org/tokens").await.status == 200).then_some(())
    })
    .await;
    is_nobodys(&first, "a key that is not in the file any more").await;
    // What is no JWKS changes nothing.
    std::fs::write(&file, "{").expect("written");
    until("the host has looked", within, async || {
        host.said().contains("it is no JWKS").then_some(())
    })
    .await;
    second.get("/org/tokens").await.expect(200);
    assert_eq!(edge.asked(), 0);
}

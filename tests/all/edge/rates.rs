//! How many requests a minute, and that agents do not exhaust what people need.

use countersign_tests::{Caller, Edge, FakeClock, Host, HostBuilder, Reply};
use serde_json::json;

use crate::stage::{ADMIN_TOKEN, Stage, approval, approve, decide, minted};

const LIMIT: u32 = 6;

fn limited() -> HostBuilder {
    Host::builder()
        .env("RATE_LIMIT", LIMIT.to_string())
        .env("COUNTERSIGN_TRUSTED_PROXIES", "127.0.0.1")
}

/// The same caller, from another address.
fn from(caller: &Caller, address: &str) -> Caller {
    caller.with("x-forwarded-for", address)
}

fn number(reply: &Reply, name: &str) -> u32 {
    let value = reply
        .header(name)
        .unwrap_or_else(|| panic!("no `{name}`: {reply}"));
    value.parse().expect("a number")
}

/// Asks until nothing is answered any more, and says how often it was.
async fn exhaust(caller: &Caller, path: &str) -> u32 {
    let mut answered = 0;
    while caller.get(path).await.status != 429 {
        answered += 1;
        assert!(answered < 100, "there is no limit");
    }
    answered
}

// Guard: `Rates::by_address` in host/server/src/rates.rs.
#[tokio::test]
async fn one_address_asks_so_much_a_minute_and_is_told_how_much_is_left() {
    let clock = FakeClock::default();
    let host = limited()
        .admin_token(ADMIN_TOKEN)
        .clock(&clock)
        .start()
        .await;
    let nobody = from(&host.anonymous(), "203.0.113.1");
    for asked in 1..=LIMIT {
        // Whatever it is: without a credential, for no route, or for another host.
        let reply = match asked % 3 {
            0 => nobody.get("/org/tokens").await.expect(401),
            1 => nobody.get("/nothing").await.expect(404),
            _ => nobody
                .with("host", "evil.example")
                .get("/")
                .await
                .expect(421),
        };
        assert_eq!(number(&reply, "x-ratelimit-limit"), LIMIT);
        assert_eq!(number(&reply, "x-ratelimit-remaining"), LIMIT - asked);
        let reset = number(&reply, "x-ratelimit-reset");
        assert!(
            (asked * 10 - 9..=asked * 10).contains(&reset),
            "{asked}: {reset}"
        );
    }
    let refused = nobody.get("/org/tokens").await.refused(429, "rate_limited");
    assert_eq!(number(&refused, "x-ratelimit-remaining"), 0);
    let wait = number(&refused, "retry-after");
    assert!((1..=10).contains(&wait), "{wait}");
    // A person reads a page.
    let page = exhaust_console(&nobody).await;
    assert!(page.page().contains("Too much at once"), "{page}");
    // What watches the host is not kept from it, and is told the same.
    for path in ["/health", "/ready"] {
        let reply = nobody.get(path).await.expect(200);
        assert_eq!(number(&reply, "x-ratelimit-remaining"), 0);
    }
    // Others are not concerned, and what is not from the proxy chooses no address.
    from(&nobody, "203.0.113.2")
        .get("/nothing")
        .await
        .expect(404);
    from(&nobody, "6.6.6.6, 203.0.113.1")
        .get("/nothing")
        .await
        .expect(429);
    clock.set(11);
    nobody.get("/nothing").await.expect(404);
    nobody.get("/nothing").await.expect(429);
}

async fn exhaust_console(caller: &Caller) -> Reply {
    exhaust(caller, "/console/assets/mark.svg").await;
    caller.get("/console").await.expect(429)
}

#[tokio::test]
async fn neighbours_of_ipv6_share_a_bucket_and_zero_turns_it_off() {
    let host = limited().start().await;
    let nobody = host.anonymous();
    for last in 1..=LIMIT {
        let neighbour = from(&nobody, &format!("2001:db8::{last}:0:0:1"));
        neighbour.get("/nothing").await.expect(404);
    }
    from(&nobody, "[2001:db8::ffff]:1")
        .get("/nothing")
        .await
        .expect(429);
    from(&nobody, "2001:db8:0:1::1")
        .get("/nothing")
        .await
        .expect(404);

    let host = host.stop().await.env("RATE_LIMIT", "0").start().await;
    for _ in 0..=LIMIT {
        let reply = from(&host.anonymous(), "2001:db8::1").get("/nothing").await;
        assert_eq!(reply.expect(404).header("x-ratelimit-limit"), None);
    }
}

// Guard: `Rates::by_credential`, asked by `Call::admit` in host/server/src/routes/call.rs. Without it, who
// has one token and many addresses fills the disk with recorded decisions.
#[tokio::test]
async fn one_credential_asks_no_more_from_many_addresses() {
    let host = limited().admin_token(ADMIN_TOKEN).start().await;
    let agent = host.agent(ADMIN_TOKEN);
    let mut answered = 0;
    for last in 0..3 * LIMIT {
        let reply = from(&agent, &format!("203.0.113.{last}"))
            .get("/org/tokens")
            .await;
        match reply.status {
            200 => answered += 1,
            _ => {
                let refused = reply.refused(429, "rate_limited");
                assert_eq!(number(&refused, "x-ratelimit-remaining"), 0);
                assert_eq!(refused.header("x-decision-id"), None, "nothing was judged");
            }
        }
    }
    // One may have come back meanwhile.
    assert!((LIMIT..=LIMIT + 1).contains(&answered), "{answered}");
}

// Guards: the lanes of host/server/src/rates/lane.rs, and `count` in host/server/src/routes/surround.rs,
// which lets a session that is known go on when its address has used its bucket up.
#[tokio::test]
async fn agents_at_a_persons_address_do_not_keep_the_person_from_deciding() {
    let stage = Stage::set_for(limited()).await;
    let here = "203.0.113.1";
    let person = from(&stage.person("ann").await, here);
    let agent = from(&stage.agent(), here);
    let id = agent.post("/org/tokens", json!({})).await.approval();
    approval(&person, &id).await;

    // The agent asks for all there is, with its credential, without, and with cookies that it made up.
    let nobody = agent.without("authorization");
    exhaust(&agent, "/org/tokens").await;
    exhaust(&nobody, "/console/keys").await;
    exhaust(&nobody, "/console/sign-in").await;
    for round in 0..LIMIT + 2 {
        let made_up = nobody.cookie(&format!("cp_session=made-up-{round}"));
        decide(&made_up, &id, "approved").await;
    }
    for path in ["/org/tokens", "/approvals/pending", "/console"] {
        agent.get(path).await.expect(429);
        let made_up = nobody.cookie("cp_session=made-up");
        made_up.get(path).await.expect(429);
    }
    let asked = stage.control_plane.calls().await.len();
    for round in 0..10 {
        let made_up = nobody.cookie(&format!("cp_session=another-{round}"));
        made_up.get("/approvals/pending").await.expect(429);
        decide(&made_up, &id, "approved").await.expect(429);
    }
    assert_eq!(
        stage.control_plane.calls().await.len(),
        asked,
        "nobody was asked about them"
    );

    let reply = person.get("/approvals/pending").await.expect(200);
    assert!(number(&reply, "x-ratelimit-remaining") > 0, "{reply}");
    person.get("/console").await.expect(303);
    approve(&person, &id).await;
    // The person's own bucket is one, too.
    assert!(exhaust(&person, "/org/tokens").await <= LIMIT);
}

#[tokio::test]
async fn the_operator_decides_and_signs_in_beside_agents_that_ask_all_there_is() {
    let host = limited().admin_token(ADMIN_TOKEN).start().await;
    let agent = host.agent(ADMIN_TOKEN);
    let first = agent
        .post("/org/tokens", json!({ "name": "a" }))
        .await
        .approval();
    exhaust(&agent, "/org/tokens").await;
    exhaust(&agent.without("authorization"), "/console/keys").await;
    // The way in is another bucket.
    let session = host.operator_session().await;
    let operator = host.signed_in(&session);
    approval(&operator, &first).await;
    for _ in 0..LIMIT + 1 {
        decide(&agent, &first, "approved").await;
    }
    decide(&agent, &first, "approved").await.expect(429);
    // Who has the cookie without the proof does not exhaust what the operator decides by.
    for last in 0..=LIMIT {
        let thief = operator.without("x-countersign-proof");
        let thief = from(&thief, &format!("203.0.113.{last}"));
        decide(&thief, &first, "approved")
            .await
            .refused(403, "proof_missing");
    }
    approve(&operator, &first).await;
    minted(&operator, json!({})).await;
}

// Guard: `Assertions::known` in host/server/src/credentials/assertion.rs.
#[tokio::test]
async fn a_person_behind_an_edge_decides_beside_agents_that_ask_all_there_is() {
    let edge = Edge::start();
    let host = limited().admin_token(ADMIN_TOKEN).edge(&edge).start().await;
    let here = "203.0.113.1";
    let assertion = edge.assertion("ann");
    let person = from(&host.asserted(&assertion), here);
    let agent = from(&host.agent(ADMIN_TOKEN), here);
    let id = agent.post("/org/tokens", json!({})).await.approval();
    approval(&person, &id).await;
    exhaust(&agent, "/org/tokens").await;
    for _ in 0..LIMIT + 2 {
        decide(&agent, &id, "approved").await;
    }
    let other = from(&host.asserted(&edge.assertion("eve")), here);
    decide(&other, &id, "denied").await.expect(429);
    approve(&person, &id).await;
}

//! Server-sent events.

use std::time::{Duration, Instant};

use countersign_tests::{Caller, Host, Stream};
use serde_json::{Value, json};

use super::{mint, revoke, withdraw};
use crate::stage::{ADMIN_TOKEN, Stage, approve, minted, tokens};

/// A stream that is not closed by the host is open for so long, and one that is, is closed before.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

/// The next so many events: what they say.
async fn told(stream: &mut Stream, count: usize) -> Vec<Value> {
    let mut told = Vec::new();
    for _ in 0..count {
        told.push(stream.next().await.expect("an event").data);
    }
    told
}

fn states(told: &[Value]) -> Vec<&str> {
    told.iter()
        .map(|event| event["status"].as_str().expect("a state"))
        .collect()
}

#[tokio::test]
async fn people_are_told_of_all_approvals_and_programs_of_their_own() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let token = minted(&person, json!({ "name": "other" })).await;
    let other = stage.host.agent(&token);
    let before = mint(&agent, "before").await.approval();
    let mut all = person.stream("/events").await;
    let mut own = other.stream("/events").await;
    assert_eq!(all.headers["content-type"], "text/event-stream");
    assert_eq!(all.headers["cache-control"], "no-store");
    assert_eq!(all.headers["x-content-type-options"], "nosniff");

    let theirs = mint(&agent, "theirs").await.approval();
    let id = mint(&other, "own").await.approval();
    approve(&person, &id).await;
    mint(&other, "own").await.expect(200);
    withdraw(&agent, &theirs).await.expect(200);
    let granted = mint(&other, "granted").await.approval();
    approve(&person, &granted).await;
    revoke(&person, &granted).await.expect(200);

    let of_other = told(&mut own, 6).await;
    let expected = [
        "pending", "approved", "used", "pending", "approved", "revoked",
    ];
    assert_eq!(states(&of_other), expected);
    assert_eq!(of_other[0]["approval_id"], id);
    assert_eq!(of_other[0]["action"], "org_token_mint");
    assert_eq!(of_other[0]["event"], "approval_requested");
    let line = of_other[0]["reason"].as_str().expect("a line");
    assert!(line.starts_with("mint organisation token `own`"), "{line}");
    let of_all = told(&mut all, 8).await;
    assert_eq!(of_all[0]["approval_id"], theirs, "from when it began");
    assert!(of_all.iter().all(|event| event["approval_id"] != before));
    assert!(of_all.iter().any(|event| event["status"] == "withdrawn"));
}

#[tokio::test]
async fn a_stream_resumes_where_it_broke_off_and_after_a_restart() {
    let host = Host::start(ADMIN_TOKEN).await;
    let session = host.operator_session().await;
    let agent = host.agent(ADMIN_TOKEN);
    let mut stream = host.signed_in(&session).stream("/events").await;
    let first = mint(&agent, "first").await.approval();
    let second = mint(&agent, "second").await.approval();
    let heard = stream.next().await.expect("an event");
    assert_eq!(
        (heard.data["approval_id"].as_str(), &*heard.name),
        (Some(&*first), "approval")
    );
    drop(stream);
    let third = mint(&agent, "third").await.approval();

    let host = host.restart().await;
    let person = host.signed_in(&session);
    let resumed = person.with("last-event-id", &heard.id);
    let mut stream = resumed.stream("/events").await;
    let told = told(&mut stream, 2).await;
    assert_eq!(told[0]["approval_id"], second);
    assert_eq!(told[1]["approval_id"], third);
    for wrong in ["x", "-1", "1.5", "", "99999999999999999999"] {
        let wrong = person.with("last-event-id", wrong);
        wrong.get("/events").await.blames("Last-Event-ID");
    }
    let anonymous = host.anonymous().get("/events").await;
    anonymous.refused(401, "unauthenticated");
}

#[tokio::test]
async fn all_of_a_long_past_is_told_in_order_and_once() {
    let host = Host::start(ADMIN_TOKEN).await;
    let (person, agent) = (host.operator().await, host.agent(ADMIN_TOKEN));
    let begin = mint(&agent, "begin").await.approval();
    withdraw(&agent, &begin).await.expect(200);
    for round in 0..60 {
        let id = mint(&agent, &format!("t{round}")).await.approval();
        withdraw(&agent, &id).await.expect(200);
    }
    let mut stream = person.with("last-event-id", "0").stream("/events").await;
    let mut last = 0;
    for _ in 0..122 {
        let event = stream.next().await.expect("an event");
        let id: i64 = event.id.parse().expect("a number");
        assert!(id > last, "{id} after {last}");
        last = id;
    }
}

// Guard: `Streams::take` in host/server/src/streams.rs.
#[tokio::test]
async fn a_credential_has_four_streams() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(agent.stream("/events").await);
    }
    let fifth = agent.get("/events").await.refused(429, "too_many_streams");
    assert!(fifth.header("retry-after").is_some(), "{fifth}");
    let _others = person.stream("/events").await;
    open.pop();
    countersign_tests::until("a place is free", CLOSED_WITHIN, async || {
        // A body that goes on is not read to its end here: only whether it begins counts.
        let path = tokio::time::timeout(Duration::from_secs(1), agent.get("/events")).await;
        path.is_err().then_some(())
    })
    .await;
}

// Guard: `Standing` in host/server/src/streams.rs. Browsers send the cookie to other servers on the host's name.
#[tokio::test]
async fn who_has_the_operators_cookie_alone_takes_no_stream_from_who_has_the_proof() {
    let host = Host::start(ADMIN_TOKEN).await;
    let session = host.operator_session().await;
    let (person, thief) = (host.signed_in(&session), host.session(&session.cookie));
    let guessing = thief.proof(&"x".repeat(session.proof.len()));
    let mut stolen = Vec::new();
    for caller in [&thief, &guessing, &thief, &guessing] {
        stolen.push(caller.stream("/events").await);
    }
    for caller in [&thief, &guessing] {
        let fifth = caller.get("/events").await;
        fifth.refused(429, "too_many_streams");
    }
    // The person has them all, one after the other, and each time the oldest gives way.
    let mut own = Vec::new();
    for mut oldest in stolen {
        own.push(person.stream("/events").await);
        assert!(oldest.next().await.is_none(), "it ends");
    }
    for caller in [&person, &thief] {
        let fifth = caller.get("/events").await;
        fifth.refused(429, "too_many_streams");
    }
    let id = mint(&host.agent(ADMIN_TOKEN), "ci").await.approval();
    for stream in &mut own {
        assert_eq!(told(stream, 1).await[0]["approval_id"], id);
    }
}

// Guard: `Call::lives` in host/server/src/routes/call/lives.rs, asked by `Teller::catch_up`.
#[tokio::test]
async fn a_stream_ends_with_its_credential() {
    let host = Host::start(ADMIN_TOKEN).await;
    let session = host.operator_session().await;
    let person = host.signed_in(&session);
    let token = host.agent(&minted(&person, json!({ "name": "agent" })).await);
    let id = tokens(&person).await[0]["id"].clone();
    let mut stream = token.stream("/events").await;
    let mine = mint(&token, "mine").await.approval();
    assert_eq!(told(&mut stream, 1).await[0]["approval_id"], mine);
    let path = format!("/org/tokens/{}", id.as_str().expect("an id"));
    person.delete(&path).await.expect(200);
    let died = Instant::now();
    // Not even what its end brings about: that its request was withdrawn.
    assert!(stream.next().await.is_none());
    assert!(died.elapsed() < CLOSED_WITHIN, "{:?}", died.elapsed());

    let mut stream = person.stream("/events").await;
    sign_out(&person).await;
    let died = Instant::now();
    assert!(stream.next().await.is_none());
    assert!(died.elapsed() < CLOSED_WITHIN, "{:?}", died.elapsed());
}

async fn sign_out(person: &Caller) {
    let signed_out = person.post_form("/console/sign-out", &[]).await;
    assert!(signed_out.status < 400, "{signed_out}");
}

// Guard: `Call::lives` in `Teller::catch_up`, after what is to be told was read.
#[tokio::test]
async fn what_happens_once_a_credential_has_died_is_told_to_nobody() {
    let host = Host::start(ADMIN_TOKEN).await;
    let (agent, line) = (host.agent(ADMIN_TOKEN), host.command_line());
    let mut person = host.operator().await;
    let begin = mint(&agent, "begin").await.approval();
    withdraw(&agent, &begin).await.expect(200);
    for round in 0..3 {
        let next = host.operator_by_link(&line).await;
        let token = host.agent(&minted(&next, json!({ "name": "told" })).await);
        let id = tokens(&next).await[0]["id"].clone();
        let mut streams = [
            person.stream("/events").await,
            // It has to catch up on all that was before.
            person.with("last-event-id", "0").stream("/events").await,
            token.stream("/events").await,
        ];
        for _ in 0..2 + 4 * round {
            streams[1].next().await.expect("what was before");
        }
        sign_out(&person).await;
        let path = format!("/org/tokens/{}", id.as_str().expect("an id"));
        next.delete(&path).await.expect(200);
        for name in ["after", "later"] {
            let id = mint(&agent, name).await.approval();
            withdraw(&agent, &id).await.expect(200);
        }
        for stream in &mut streams {
            let told = stream.next().await;
            assert!(told.is_none(), "round {round}: {told:?}");
        }
        person = next;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_at_one_host_ends_when_its_credential_does_at_another() {
    let a = Host::builder().postgres().admin_token(ADMIN_TOKEN);
    let a = a
        .env("SECRETS_ENCRYPTION_KEY", "c0ffee".repeat(10) + "c0ff")
        .start()
        .await;
    let b = a.mate().start().await;
    let session = b.operator_session().await;
    let person = a.signed_in(&session);
    let token = b.agent(&minted(&person, json!({ "name": "told" })).await);
    let id = tokens(&person).await[0]["id"].clone();
    let mut of_token = token.stream("/events").await;
    let mut of_person = b.signed_in(&session).stream("/events").await;
    let asked = mint(&token, "mine").await.approval();
    for stream in [&mut of_token, &mut of_person] {
        assert_eq!(told(stream, 1).await[0]["approval_id"], asked);
    }
    let path = format!("/org/tokens/{}", id.as_str().expect("an id"));
    person.delete(&path).await.expect(200);
    assert!(of_token.next().await.is_none());
    assert_eq!(told(&mut of_person, 1).await[0]["status"], "withdrawn");
    sign_out(&person).await;
    // At B nobody has heard of it: this is told to nobody all the same.
    mint(&b.agent(ADMIN_TOKEN), "after").await.approval();
    assert!(of_person.next().await.is_none());
}

#[tokio::test]
async fn a_host_with_open_streams_stops_promptly_and_ends_them() {
    let host = Host::start(ADMIN_TOKEN).await;
    let (person, agent) = (host.operator().await, host.agent(ADMIN_TOKEN));
    let mut streams = Vec::new();
    for caller in [&person, &agent] {
        for _ in 0..4 {
            streams.push(caller.stream("/events").await);
        }
    }
    let told = Instant::now();
    host.stop().await;
    assert!(told.elapsed() < CLOSED_WITHIN, "{:?}", told.elapsed());
    for mut stream in streams {
        assert!(
            stream.next().await.is_none(),
            "it ends, and does not break off"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_tells_the_same_at_each_host() {
    let a = Host::builder().postgres().admin_token(ADMIN_TOKEN);
    let a = a
        .env("SECRETS_ENCRYPTION_KEY", "c0ffee".repeat(10) + "c0ff")
        .start()
        .await;
    let b = a.mate().start().await;
    let session = b.operator_session().await;
    let (agent, person) = (a.agent(ADMIN_TOKEN), b.signed_in(&session));
    let mut at_b = person.stream("/events").await;
    let id = mint(&agent, "ci").await.approval();
    let heard = at_b.next().await.expect("an event");
    assert_eq!(heard.data["approval_id"], id);
    drop(at_b);
    withdraw(&agent, &id).await.expect(200);
    let resumed = a.signed_in(&session).with("last-event-id", &heard.id);
    let mut at_a = resumed.stream("/events").await;
    assert_eq!(told(&mut at_a, 1).await[0]["status"], "withdrawn");
}

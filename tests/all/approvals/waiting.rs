//! Waiting for a change.

use std::time::{Duration, Instant};

use countersign_tests::{Caller, FakeClock, Host, Reply};
use serde_json::json;
use tokio::task::JoinSet;

use super::{mint, withdraw};
use crate::stage::{ADMIN_TOKEN, Stage, decide, minted, tokens};

/// Far below the 55 seconds of a wait in vain, on a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(25);
/// So many waits does one credential have.
const MOST: usize = 16;

fn wait(waiting: &mut JoinSet<Reply>, caller: &Caller, path: &str) {
    let (caller, path) = (caller.clone(), path.to_owned());
    waiting.spawn(async move { caller.get(&path).await });
}

#[tokio::test]
async fn whoever_waits_hears_of_each_end_and_nobody_waits_in_vain() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    // The denial last: after it, nothing of the kind may be asked for a while.
    for end in ["approved", "withdrawn", "denied"] {
        let id = mint(&agent, end).await.approval();
        let mut waiting = JoinSet::new();
        for caller in [&agent, &person] {
            let (caller, path) = (caller.clone(), format!("/approvals/{id}?wait=55"));
            waiting.spawn(async move { caller.get(&path).await });
        }
        match end {
            "withdrawn" => drop(withdraw(&agent, &id).await.expect(200)),
            _ => drop(decide(&person, &id, end).await.expect(200)),
        }
        let ended = Instant::now();
        for reply in waiting.join_all().await {
            assert_eq!(reply.expect(200).json["status"], end);
        }
        // And whoever comes too late does not wait at all.
        let late = agent.get(&format!("/approvals/{id}?wait=55")).await;
        assert_eq!(late.expect(200).json["status"], end);
        assert!(ended.elapsed() < SOON, "{:?}", ended.elapsed());
    }
}

#[tokio::test]
async fn whoever_waits_hears_of_the_end_that_time_makes() {
    let clock = FakeClock::default();
    let builder = Host::builder().env("COUNTERSIGN_PENDING_SECONDS", "30");
    let stage = Stage::set_for(builder.clock(&clock)).await;
    let agent = stage.agent();
    let id = mint(&agent, "ci").await.approval();
    clock.set(28);
    let path = format!("/approvals/{id}?wait=55");
    let begun = Instant::now();
    let reply = agent.get(&path).await.expect(200);
    assert_eq!(reply.json["status"], "expired", "{reply}");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    for wait in ["56", "-1", "x", "1.5", ""] {
        let path = format!("/approvals/{id}?wait={wait}");
        agent.get(&path).await.blames("wait");
    }
}

// Guard: `waits.take` in host/server/src/routes/approvals.rs.
#[tokio::test]
async fn a_credential_waits_for_so_much_at_once_and_keeps_nobody_out() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let id = mint(&agent, "ci").await.approval();
    let path = format!("/approvals/{id}?wait=55");
    let mut waiting = JoinSet::new();
    for _ in 0..24 {
        let (agent, path) = (agent.clone(), path.clone());
        waiting.spawn(async move { agent.get(&path).await });
    }
    // Those that there is no place for are answered at once.
    for _ in 0..8 {
        let reply = waiting.join_next().await.expect("one").expect("it ends");
        let reply = reply.refused(429, "too_many_waits");
        assert!(reply.header("retry-after").is_some(), "{reply}");
    }
    // To look without waiting, and another's wait, go on.
    agent.get(&format!("/approvals/{id}")).await.expect(200);
    decide(&person, &id, "approved").await.expect(200);
    for reply in waiting.join_all().await {
        assert_eq!(reply.expect(200).json["status"], "approved");
    }
}

// Guard: `Standing` in host/server/src/streams.rs. Browsers send the cookie to other servers on the host's name.
#[tokio::test]
async fn who_has_the_operators_cookie_alone_keeps_who_has_the_proof_from_no_wait() {
    let host = Host::start(ADMIN_TOKEN).await;
    let session = host.operator_session().await;
    let (person, thief) = (host.signed_in(&session), host.session(&session.cookie));
    let id = mint(&host.agent(ADMIN_TOKEN), "ci").await.approval();
    let path = format!("/approvals/{id}?wait=55");
    let mut stolen = JoinSet::new();
    for _ in 0..=MOST {
        wait(&mut stolen, &thief, &path);
    }
    // One too many, so the others have all places.
    let refused = stolen.join_next().await.expect("one").expect("it ends");
    refused.refused(429, "too_many_waits");

    let begun = Instant::now();
    let mut own = JoinSet::new();
    for _ in 0..=MOST {
        wait(&mut own, &person, &path);
    }
    let refused = own.join_next().await.expect("one").expect("it ends");
    refused.refused(429, "too_many_waits");
    // Each that gave way is answered as if it had waited in vain.
    for reply in stolen.join_all().await {
        assert_eq!(reply.expect(200).json["status"], "pending");
    }
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    decide(&person, &id, "approved").await.expect(200);
    for reply in own.join_all().await {
        assert_eq!(reply.expect(200).json["status"], "approved");
    }
}

// Guard: `Call::lives` in `wait_for_change`, host/server/src/routes/approvals.rs.
#[tokio::test]
async fn what_happens_once_a_credential_has_died_is_told_to_nobody_who_waits() {
    let host = Host::start(ADMIN_TOKEN).await;
    let person = host.operator().await;
    let other = host.operator_by_link(&host.command_line()).await;
    let token = host.agent(&minted(&other, json!({ "name": "waits" })).await);
    let of_token = tokens(&other).await[0]["id"].clone();
    let of_token = format!("/org/tokens/{}", of_token.as_str().expect("an id"));
    for (caller, is_person) in [(&person, true), (&token, false)] {
        let name = if is_person { "first" } else { "second" };
        let id = mint(&token, name).await.approval();
        let path = format!("/approvals/{id}?wait=55");
        let mut waiting = JoinSet::new();
        for _ in 0..=MOST {
            wait(&mut waiting, caller, &path);
        }
        // One too many, so the others wait.
        let refused = waiting.join_next().await.expect("one").expect("it ends");
        refused.refused(429, "too_many_waits");
        let died = Instant::now();
        match is_person {
            true => drop(caller.post_form("/console/sign-out", &[]).await.expect(303)),
            false => drop(other.delete(&of_token).await.expect(200)),
        }
        // Where it did not end with the token.
        decide(&other, &id, "approved").await;
        for reply in waiting.join_all().await {
            reply.refused(401, "unauthenticated");
        }
        assert!(died.elapsed() < SOON, "{:?}", died.elapsed());
    }
}

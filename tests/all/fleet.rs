//! A fleet: hosts that share one PostgreSQL database are one host to whoever asks them. What one is told
//! holds at the other, and what may happen once happens once among all.

mod ends;
mod policies;

use std::time::{Duration, Instant};

use countersign_tests::{Caller, Host, HostBuilder, Reply, Yardstick};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::crash::instant::{is_writing, stop};
use crate::stage::{ADMIN_TOKEN, approve, minted, tokens, workspace, workspace_token};

/// The key of the fleet, and one that is not.
const KEY: &str = "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff";
const ANOTHER_KEY: &str = "0ddba110ddba110ddba110ddba110ddba110ddba110ddba110ddba110ddba110";

/// Two hosts on one database, and the person who is signed in at both.
struct Fleet {
    a: Host,
    b: Host,
    person: [Caller; 2],
}

impl Fleet {
    async fn set() -> Self {
        Self::set_for(Host::builder()).await
    }

    /// With hosts that `builder` describes, each with a data folder of its own.
    async fn set_for(builder: HostBuilder) -> Self {
        let a = builder
            .postgres()
            .admin_token(ADMIN_TOKEN)
            .env("SECRETS_ENCRYPTION_KEY", KEY)
            .env("RATE_LIMIT", "0")
            .start()
            .await;
        let b = a.mate().start().await;
        // Only the newest link counts, which is the later host's; its session is good at both.
        let session = b.operator_session().await;
        let person = [a.signed_in(&session), b.signed_in(&session)];
        Self { a, b, person }
    }

    fn agents(&self) -> [Caller; 2] {
        [&self.a, &self.b].map(|host| host.agent(ADMIN_TOKEN))
    }

    /// Each host says that the audit is one whole chain; how long it is.
    async fn audit(&self) -> u64 {
        let mut lengths = Vec::new();
        for person in &self.person {
            let walked = person.get("/audit/verify").await.expect(200);
            assert_eq!(walked.json["whole"], true, "{walked}");
            lengths.push(walked.json["entries"].as_u64().expect("a number"));
        }
        assert_eq!(lengths[0], lengths[1]);
        lengths[0]
    }
}

/// `body` to be minted by each caller at the same moment, so many times.
async fn mint(callers: &[Caller], times: usize, body: Value) -> Vec<Reply> {
    let mut asked = JoinSet::new();
    for _ in 0..times {
        for caller in callers {
            let (caller, body) = (caller.clone(), body.clone());
            asked.spawn(async move { caller.post("/org/tokens", body).await });
        }
    }
    asked.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_at_one_host_is_approved_at_another_and_done_once() {
    const ROUNDS: usize = 8;
    let fleet = Fleet::set().await;
    let [at_a, at_b] = fleet.agents();
    for round in 0..ROUNDS {
        let body = json!({ "name": format!("ci-{round}") });
        let asked = at_a.post("/org/tokens", body.clone()).await.approval();
        let again = at_b.post("/org/tokens", body.clone()).await.approval();
        assert_eq!(asked, again, "one request, whichever host is asked");
        approve(&fleet.person[1], &asked).await;
        let users = [&at_a, &at_b].map(|agent| agent.with("approval-id", &asked));
        // Nobody knows which of the answers will be the last, and which get lost: only the last one lives.
        let mut live = 0;
        for reply in mint(&users, 8, body).await {
            let minted = fleet.b.agent(reply.expect(200).text("auth_token"));
            live += usize::from(minted.get("/org/tokens").await.status == 200);
        }
        assert_eq!(live, 1, "round {round}");
    }
    for person in &fleet.person {
        assert_eq!(tokens(person).await.len(), ROUNDS);
    }
    // Of each round: asked, approved, used, minted; and replaced.
    assert!(fleet.audit().await >= 4 * ROUNDS as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_at_one_host_hears_what_is_decided_at_another() {
    let fleet = Fleet::set().await;
    let [agent, _] = fleet.agents();
    let mut tried = Vec::new();
    for round in 0..5 {
        let yardstick = Yardstick::new().await;
        let body = json!({ "name": format!("ci-{round}") });
        let id = agent.post("/org/tokens", body).await.approval();
        let mut waiting = JoinSet::new();
        waiting.spawn({
            let agent = agent.clone();
            let path = format!("/approvals/{id}?wait=30");
            async move { (agent.get(&path).await, Instant::now()) }
        });
        // Nothing tells when the wait has begun; a decision before it is answered at once, which only
        // makes the test kinder.
        tokio::time::sleep(Duration::from_millis(100)).await;
        approve(&fleet.person[1], &id).await;
        let decided = Instant::now();
        let heard = waiting.join_next().await.expect("one waits");
        let (reply, heard) = heard.expect("no panic");
        assert_eq!(reply.expect(200).text("status"), "approved");
        let took = heard.saturating_duration_since(decided);
        // Half of what the look that stands behind the news takes.
        let prompt = yardstick.stretches(Duration::from_millis(500)).await;
        if took <= prompt {
            return;
        }
        tried.push((took, prompt));
    }
    panic!("it took longer than it may, each time: {tried:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_one_host_works_at_the_other_until_either_revokes_it() {
    let fleet = Fleet::set().await;
    for round in 0..5 {
        // Once at each, and revoked where it was not minted too.
        let (here, there) = (round % 2, (round + 1) % 2);
        let reply = fleet.person[here].post("/org/tokens", json!({})).await;
        let reply = reply.expect(200);
        let agents = [&fleet.a, &fleet.b].map(|host| host.agent(reply.text("auth_token")));
        for agent in &agents {
            agent.get("/org/tokens").await.expect(200);
        }
        let path = format!("/org/tokens/{}", reply.text("id"));
        fleet.person[here].delete(&path).await.expect(200);
        for agent in [&agents[there], &agents[here]] {
            let refused = agent.get("/org/tokens").await;
            refused.refused(401, "unauthenticated");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_live_tokens_holds_among_all_hosts() {
    const LIMIT: usize = 10;
    let builder = Host::builder().env("LIVE_TOKEN_LIMIT", LIMIT.to_string());
    let fleet = Fleet::set_for(builder).await;
    for round in 0..10 {
        let mut done = Vec::new();
        for reply in mint(&fleet.person, LIMIT, json!({})).await {
            match reply.status {
                200 => done.push(reply.text("id").to_owned()),
                _ => drop(reply.refused(429, "too_many_tokens")),
            }
        }
        assert_eq!(done.len(), LIMIT, "round {round}");
        for person in &fleet.person {
            assert_eq!(tokens(person).await.len(), LIMIT);
        }
        for id in done {
            let path = format!("/org/tokens/{id}");
            fleet.person[round % 2].delete(&path).await.expect(200);
        }
    }
    fleet.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_mints_holds_among_all_hosts() {
    const LIMIT: usize = 5;
    let fleet = Fleet::set_for(Host::builder().env("MINT_LIMIT", LIMIT.to_string())).await;
    let mut done = 0;
    for reply in mint(&fleet.person, LIMIT, json!({})).await {
        match reply.status {
            200 => done += 1,
            _ => drop(reply.refused(429, "too_many_mints")),
        }
    }
    assert_eq!(done, LIMIT);
    fleet.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uses_of_a_token_are_added_up_among_all_hosts() {
    let fleet = Fleet::set().await;
    let token = minted(&fleet.person[0], json!({})).await;
    for host in [&fleet.a, &fleet.b] {
        for _ in 0..5 {
            host.agent(&token)
                .get("/approvals/pending")
                .await
                .expect(200);
        }
    }
    let written = Duration::from_secs(15);
    countersign_tests::until("the uses are written", written, async || {
        let listed = tokens(&fleet.person[1]).await;
        (listed[0]["uses_24h"] == 10).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_secret_written_at_one_host_opens_at_the_other() {
    let fleet = Fleet::set().await;
    let home = workspace(&fleet.person[0], "home", None).await;
    let secrets = format!("/workspaces/{home}/secrets");
    let body = json!({ "key": "KEY", "value": "written-at-a" });
    fleet.person[0].post(&secrets, body).await.expect(200);
    let token = workspace_token(&fleet.person[1], &home).await;
    for host in [&fleet.b, &fleet.a] {
        let values = host.agent(&token).get(&format!("{secrets}/values")).await;
        assert_eq!(values.expect(200).json, json!({ "KEY": "written-at-a" }));
    }
}

#[tokio::test]
async fn a_host_with_another_key_does_not_join() {
    let fleet = Fleet::set().await;
    let stranger = fleet.a.mate().env("SECRETS_ENCRYPTION_KEY", ANOTHER_KEY);
    let failure = stranger.fail().await;
    failure.says(&["another key", "SECRETS_ENCRYPTION_KEY"]);
    // And the others do not notice.
    minted(&fleet.person[0], json!({})).await;
}

/// SIGKILL finds A between begin and commit, where it holds the lock that all hosts take turns by.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_killed_while_it_writes_does_not_hold_up_the_others() {
    let mut fleet = Fleet::set_for(Host::builder().env("LIVE_TOKEN_LIMIT", "0")).await;
    let mut caught = false;
    for _ in 0..20 {
        let yardstick = Yardstick::new().await;
        let mut writes = JoinSet::new();
        for _ in 0..16 {
            let person = fleet.person[0].clone();
            writes.spawn(async move { person.try_post("/org/tokens", json!({})).await });
        }
        // The first is answered, so the others are in the midst of it.
        writes.join_next().await;
        let process = fleet.a.process_id();
        stop(process);
        caught = is_writing(process, fleet.a.database());
        let killed = Instant::now();
        let stopped = fleet.a.crash();
        minted(&fleet.person[1], json!({})).await;
        let held_up = killed.elapsed();
        let bound = yardstick.stretches(Duration::from_secs(5)).await;
        assert!(held_up < bound, "{held_up:?} of {bound:?}");
        writes.join_all().await;
        fleet.a = stopped.start().await;
        let [at_a, at_b] = fleet.person;
        fleet.person = [at_a.at(&fleet.a), at_b];
        fleet.audit().await;
        if caught {
            break;
        }
    }
    assert!(caught, "no kill fell into a transaction");
}

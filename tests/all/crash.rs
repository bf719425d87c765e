//! Sudden death: the host is killed at random instants under approved deeds, started again and held
//! against what it has acknowledged.
//!
//! A kill is SIGSTOP, a look at whether a writing transaction is open, and SIGKILL: for the host it is one
//! instant, and for the test it tells on which side of a transaction it fell.

pub mod instant;

use std::collections::BTreeMap;

use countersign_tests::{Caller, Host, HostBuilder, OperatorSession, Reply};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use self::instant::{Instants, is_writing};
use crate::stage::{ADMIN_TOKEN, approve};

/// Deeds that are approved before each kill, and how often each is then asked for at once.
const DEEDS: usize = 6;
const ASKED: usize = 3;
/// Kills on each database: a sample every time, and the whole number where the time for it was asked for.
const KILLS: usize = 12;
const KILLS_LONG: usize = 220;

/// What the kills showed, all together.
#[derive(Debug, Default)]
struct Tally {
    kills: usize,
    within: usize,
    approved: usize,
    acknowledged: usize,
    done: usize,
    doubled: usize,
    lost: usize,
}

/// A deed that was approved, and what is known of it.
struct Deed {
    name: String,
    approval: String,
    acknowledged: bool,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_and_its_deed_are_one_whenever_the_host_is_killed() {
    let kills = if is_long() { KILLS_LONG } else { KILLS };
    let mut instants = Instants::seeded();
    let mut host = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .env("LIVE_TOKEN_LIMIT", "0")
        .start()
        .await;
    let database = host.database().kind();
    println!("crash: {database}: seed {}", instants.seed());
    let session = host.operator_session().await;
    let mut tally = Tally::default();
    for kill in 0..kills {
        let mut deeds = approved(&host, &session, kill).await;
        let (stopped, within) = killed_among(host, &mut deeds, &mut instants).await;
        host = stopped.start().await;
        tally.kills += 1;
        tally.within += usize::from(within);
        hold(&host.signed_in(&session), &deeds, &mut tally).await;
    }
    let person = host.signed_in(&session);
    let walked = person.get("/audit/verify").await.expect(200);
    assert_eq!(walked.json["whole"], true, "{walked}");
    tally.doubled += doubled_in_the_audit(&person).await;
    println!(
        "crash: {database}: {} kills ({} between begin and commit), {} deeds approved, {} acknowledged, {} done, {} doubled, {} lost",
        tally.kills,
        tally.within,
        tally.approved,
        tally.acknowledged,
        tally.done,
        tally.doubled,
        tally.lost
    );
    assert_eq!((tally.doubled, tally.lost), (0, 0), "{tally:?}");
    assert!(tally.done > 0, "no kill came after a deed: {tally:?}");
    assert!(
        tally.done < tally.approved,
        "no kill came before a deed: {tally:?}"
    );
    assert!(
        tally.within > 0,
        "no kill fell into a transaction: {tally:?}"
    );
}

fn is_long() -> bool {
    std::env::var_os("COUNTERSIGN_LONG").is_some()
}

/// Requests of the agent that the operator approved, not yet repeated.
async fn approved(host: &Host, session: &OperatorSession, round: usize) -> Vec<Deed> {
    let agent = host.agent(ADMIN_TOKEN);
    let person = host.signed_in(session);
    let mut deeds = Vec::new();
    for deed in 0..DEEDS {
        let name = format!("deed-{round}-{deed}");
        let approval = mint(&agent, &name).await.approval();
        approve(&person, &approval).await;
        deeds.push(Deed {
            name,
            approval,
            acknowledged: false,
        });
    }
    deeds
}

async fn mint(agent: &Caller, name: &str) -> Reply {
    agent.post("/org/tokens", json!({ "name": name })).await
}

/// Asks for all deeds at once, several times each, and kills the host meanwhile: at any instant from
/// before the first is asked for until a little after the last may be answered.
async fn killed_among(
    host: Host,
    deeds: &mut [Deed],
    instants: &mut Instants,
) -> (HostBuilder, bool) {
    let agent = host.agent(ADMIN_TOKEN);
    let mut asked = JoinSet::new();
    for (at, deed) in deeds.iter().enumerate() {
        for _ in 0..ASKED {
            let agent = agent.with("approval-id", &deed.approval);
            let body = json!({ "name": deed.name });
            asked.spawn(async move { (at, agent.try_post("/org/tokens", body).await) });
        }
    }
    // Not a wait for something: the instant itself is what is chosen.
    tokio::time::sleep(instants.next()).await;
    let process = host.process_id();
    instant::stop(process);
    let within = is_writing(process, host.database());
    let stopped = host.crash();
    let mut answers = 0;
    while let Some(answer) = asked.join_next().await {
        let (at, reply) = answer.expect("no panic");
        if let Some(reply) = reply {
            answers += 1;
            match reply.status {
                200 => deeds[at].acknowledged = true,
                // Another of the same requests used the grant.
                403 => assert_eq!(reply.json["code"], "grant_used", "{reply}"),
                _ => panic!("{reply}"),
            }
        }
    }
    instants.learn(answers == deeds.len() * ASKED);
    (stopped, within)
}

/// Holds what the restarted host says of each deed against what is possible.
#[expect(
    clippy::print_stdout,
    reason = "what must never happen is not only counted"
)]
async fn hold(person: &Caller, deeds: &[Deed], tally: &mut Tally) {
    let tokens = person.get("/org/tokens").await.expect(200);
    let tokens = tokens.json["tokens"].as_array().expect("tokens").clone();
    for deed in deeds {
        let minted = tokens
            .iter()
            .filter(|token| token["name"] == deed.name.as_str())
            .count();
        let approval = person.get(&format!("/approvals/{}", deed.approval)).await;
        let state = approval.expect(200).text("status").to_owned();
        tally.approved += 1;
        tally.done += usize::from(minted > 0);
        tally.acknowledged += usize::from(deed.acknowledged);
        tally.doubled += usize::from(minted > 1);
        let is_whole = match state.as_str() {
            "used" => minted == 1,
            "approved" => minted == 0 && !deed.acknowledged,
            other => panic!("`{}` is {other}", deed.name),
        };
        if !is_whole {
            tally.lost += 1;
            println!(
                "crash: `{}` is {state}, was minted {minted} times, acknowledged: {}",
                deed.name, deed.acknowledged
            );
        }
    }
    let walked = person.get("/audit/verify").await.expect(200);
    assert_eq!(walked.json["whole"], true, "{walked}");
}

/// How many approvals were used, and how many tokens of one name minted, more than once, in the whole
/// record.
async fn doubled_in_the_audit(person: &Caller) -> usize {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = person
            .get(&format!("/audit?limit=200{cursor}"))
            .await
            .expect(200);
        for entry in page.json["entries"].as_array().expect("entries") {
            let about = match entry["kind"].as_str() {
                Some("approval_used") => &entry["detail"]["approval"],
                Some("org_token_minted") => &entry["detail"]["name"],
                _ => &Value::Null,
            };
            if let Some(about) = about.as_str() {
                *seen
                    .entry(format!("{} {about}", entry["kind"]))
                    .or_default() += 1;
            }
        }
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!(!seen.is_empty(), "the record holds no deed");
    seen.values().filter(|times| **times > 1).count()
}

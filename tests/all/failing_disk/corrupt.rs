//! Pages that nobody wrote, and a log that ends in its middle. SQLite only: a server has its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use countersign_tests::{Host, HostBuilder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Before, is_unavailable, is_whole, mint, names};
use crate::stage::{ADMIN_TOKEN, approve, minted, tokens};

/// SQLite's default, in bytes.
const PAGE: usize = 4096;
/// So many tokens that neither their table nor the index of their hashes fits into one page.
const TOKENS: usize = 120;
/// So many requests after the one in question that the newest are on other pages.
const LATER: usize = 24;
/// The header of the write-ahead log, and of a frame in it.
const WAL_HEADER: usize = 32;
const FRAME: usize = 24 + PAGE;

async fn started() -> Host {
    Host::builder()
        .sqlite()
        .admin_token(ADMIN_TOKEN)
        .env("LIVE_TOKEN_LIMIT", "0")
        .start()
        .await
}

/// The ledger in one file. A host that starts moves what its log holds there; what is in the new log,
/// which is that start alone, is thrown away.
async fn in_one_file(host: Host) -> (HostBuilder, Vec<u8>) {
    let stopped = host.restart().await.crash();
    remove_companions(&stopped);
    let content = fs::read(ledger(&stopped)).expect("it is there");
    (stopped, content)
}

fn ledger(builder: &HostBuilder) -> PathBuf {
    builder.data_dir().join("countersign.db")
}

fn remove_companions(builder: &HostBuilder) {
    for companion in ["countersign.db-wal", "countersign.db-shm"] {
        let _ = fs::remove_file(builder.data_dir().join(companion));
    }
}

/// Brings `content` back, with `pages` of it overwritten. That it may be older than what the host has
/// signed since is meant, and said as an operator says it.
fn overwrite(builder: &HostBuilder, content: &[u8], pages: &BTreeSet<usize>) {
    let mut content = content.to_vec();
    for page in pages {
        content[page * PAGE..(page + 1) * PAGE].fill(0xff);
    }
    remove_companions(builder);
    let _ = fs::remove_file(builder.data_dir().join("audit-heads.jsonl"));
    fs::write(ledger(builder), content).expect("it is there");
}

/// The pages that hold `needle`, by their place.
fn pages_with(content: &[u8], needle: &str) -> BTreeSet<usize> {
    let needle = needle.as_bytes();
    let pages = content.chunks(PAGE).enumerate();
    pages
        .filter(|(_, page)| page.windows(needle.len()).any(|window| window == needle))
        .map(|(place, _)| place)
        .collect()
}

/// Whether all of `pages` are leaves: without one, what is on the others is still found.
fn are_leaves(content: &[u8], pages: &BTreeSet<usize>) -> bool {
    pages
        .iter()
        .all(|page| matches!(content[page * PAGE], 0x0a | 0x0d))
}

fn hash(token: &str) -> String {
    let digest = Sha256::digest(token);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_whose_page_is_broken_is_unavailable_and_others_go_on() {
    let host = started().await;
    let session = host.operator_session().await;
    let person = host.signed_in(&session);
    let mut tokens = Vec::new();
    for number in 0..TOKENS {
        tokens.push(minted(&person, json!({ "name": format!("t-{number}") })).await);
    }
    let (stopped, content) = in_one_file(host).await;
    let places = |token: &String| pages_with(&content, &hash(token));
    let broken = tokens
        .iter()
        .find(|token| places(token).len() == 2 && are_leaves(&content, &places(token)))
        .expect("a token on a leaf of the table and one of the index");
    // The latest, far from the broken one: a row grows when it is first used, and where its page is full
    // those beside it are read as well.
    let sound = tokens
        .iter()
        .rfind(|token| places(token).is_disjoint(&places(broken)))
        .expect("a token on other pages");

    let both = places(broken);
    let each = both.iter().map(|page| BTreeSet::from([*page]));
    for pages in each.chain([both.clone()]) {
        overwrite(&stopped, &content, &pages);
        let host = stopped.clone().start().await;
        let agent = host.agent(broken);
        is_unavailable(agent.get("/org/tokens").await);
        is_unavailable(mint(&agent, "by the broken").await);
        is_unavailable(agent.get("/policies").await);
        let other = host.agent(sound);
        other.get("/policies").await.expect(200);
        // Not a token: how many there are is told to the policies, and nobody can count them any more.
        let secret = json!({ "key": "DEPLOY_KEY", "value": "v" });
        other
            .post("/settings/secrets", secret.clone())
            .await
            .approval();
        let person = host.signed_in(&session);
        let written = person.post("/settings/secrets", secret).await.expect(200);
        assert_eq!(written.json["status"], "saved", "{written}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_whose_page_is_broken_allows_nothing_and_works_once_when_it_is_brought_back() {
    let host = started().await;
    let before = Before::acknowledged(&host).await;
    let (person, agent) = (host.signed_in(&before.session), host.agent(ADMIN_TOKEN));
    for number in 0..LATER {
        let name = format!("later-{number}");
        let id = mint(&agent, &name).await.approval();
        approve(&person, &id).await;
    }
    let (stopped, content) = in_one_file(host).await;
    let pages = pages_with(&content, &before.granted);
    overwrite(&stopped, &content, &pages);
    match stopped.clone().try_start().await {
        Ok(host) => {
            let (person, agent) = (host.signed_in(&before.session), host.agent(ADMIN_TOKEN));
            let named = agent.with("approval-id", &before.granted);
            is_unavailable(mint(&named, "granted").await);
            is_unavailable(mint(&agent, "granted").await);
            is_unavailable(person.get(&format!("/approvals/{}", before.granted)).await);
            assert!(!names(&person).await.contains(&"granted".to_owned()));
        }
        // What shares its page may be what no host starts without.
        Err(failure) => drop(failure.says(&["countersign.db", "backup"])),
    }

    overwrite(&stopped, &content, &BTreeSet::new());
    let host = stopped.start().await;
    let named = host.agent(ADMIN_TOKEN).with("approval-id", &before.granted);
    let granted = mint(&named, "granted").await.expect(200);
    tokens(&host.agent(granted.text("auth_token"))).await;
    mint(&named, "granted").await.refused(403, "grant_used");
    is_whole(&host.signed_in(&before.session)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_whose_pages_are_broken_is_never_called_whole() {
    let host = started().await;
    let session = host.operator_session().await;
    let person = host.signed_in(&session);
    for number in 0..LATER {
        minted(&person, json!({ "name": format!("t-{number}") })).await;
    }
    let audit = person.get("/audit?limit=200").await.expect(200);
    let entries = audit.json["entries"].as_array().expect("entries").clone();
    let decision = person.get("/decisions?limit=200").await.expect(200);
    let decision =
        decision.json["decisions"].as_array().expect("decisions")[LATER / 2]["id"].clone();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (stopped, content) = in_one_file(host).await;

    // In the middle: what needs the page is refused, and the record is not called whole.
    let middle = pages_with(&content, &text(&entries[entries.len() / 2]["hash"]));
    let asked = pages_with(&content, &text(&decision));
    for (pages, path) in [
        (&middle, "/audit/verify".to_owned()),
        (&middle, "/audit?limit=200".to_owned()),
        (&asked, "/decisions?limit=200".to_owned()),
    ] {
        overwrite(&stopped, &content, pages);
        match stopped.clone().try_start().await {
            Ok(host) => is_unavailable(host.signed_in(&session).get(&path).await),
            Err(failure) => drop(failure.says(&["countersign.db", "backup"])),
        }
    }

    // At its end, nothing can be recorded, and so nothing done.
    let last = pages_with(&content, &text(&entries[entries.len() - 1]["hash"]));
    overwrite(&stopped, &content, &last);
    let failure = stopped.clone().fail().await;
    failure.says(&["countersign.db", "backup"]);

    overwrite(&stopped, &content, &BTreeSet::new());
    let host = stopped.start().await;
    is_whole(&host.signed_in(&session)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_ends_in_its_middle_or_is_broken_there_leaves_a_whole_beginning() {
    let host = started().await;
    let session = host.operator_session().await;
    let (stopped, content) = in_one_file(host).await;
    let host = stopped.start().await;
    let person = host.signed_in(&session);
    let mut expected = Vec::new();
    for number in 0..LATER {
        let name = format!("t-{number}");
        minted(&person, json!({ "name": name })).await;
        expected.push(name);
    }
    let stopped = host.crash();
    let wal = stopped.data_dir().join("countersign.db-wal");
    let log = fs::read(&wal).expect("the host was killed");
    let mut lengths = Vec::new();
    for quarter in 1..4 {
        let frame = WAL_HEADER + (log.len() - WAL_HEADER) / FRAME * quarter / 4 * FRAME;
        let mut broken = log.clone();
        broken[frame..frame + PAGE].fill(0xff);
        for log in [&log[..frame], &log[..frame + FRAME / 2], &broken] {
            overwrite(&stopped, &content, &BTreeSet::new());
            fs::write(&wal, log).expect("it is there");
            let host = stopped.clone().start().await;
            let person = host.signed_in(&session);
            let mut names = names(&person).await;
            names.reverse();
            assert_eq!(names, expected[..names.len()]);
            is_whole(&person).await;
            minted(&person, json!({})).await;
            lengths.push(names.len());
        }
    }
    assert!(
        lengths.is_sorted() && lengths[0] < lengths[8],
        "{lengths:?}"
    );
    overwrite(&stopped, &content, &BTreeSet::new());
    fs::write(&wal, &log).expect("it is there");
    let host = stopped.start().await;
    assert_eq!(names(&host.signed_in(&session)).await.len(), LATER);
}

//! The audit as a file: who takes it along is somebody to its last line, and it looks whole only where it is.

use std::time::Duration;

use countersign_core::time::{Clock as _, SystemClock, Timestamp};
use countersign_tests::{Caller, FakeClock, Host, HostBuilder, Mode, Stream, until};
use serde_json::Value;

use crate::reload::shelf::{Freeze, Shelf};
use crate::stage::{self, Stage};

const EXPORT: &str = "/console/audit/export";
/// More than all buffers between two programs hold: who does not read holds the host up.
const ENTRIES: usize = 4_000;
const ENTRY: usize = 4_000;
const PATIENCE: Duration = Duration::from_secs(20);

/// Makes a host's record long, behind its back.
async fn lengthen(host: &Host) {
    let grow = format!(
        "INSERT INTO audit (seq, at, kind, actor, detail, previous, hash)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ENTRIES})
         SELECT head.seq + i, 1, 'workspace_updated', 'host', '{{\"padding\":\"{}\"}}', head.hash, head.hash
         FROM audit_head AS head, n",
        "x".repeat(ENTRY)
    );
    for sql in [
        &*grow,
        "UPDATE audit_head SET seq = (SELECT MAX(seq) FROM audit)",
    ] {
        stage::rewrite(host.database(), &host.data_dir(), sql).await;
    }
}

/// What was read is no file that looks whole: the reason that its last line gives.
async fn broken_off(download: Stream) -> String {
    let (text, is_whole) = download.rest().await;
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.last().expect("a line");
    assert!(!is_whole, "{last}");
    assert!(lines.len() < ENTRIES, "{}", lines.len());
    let last: Value = serde_json::from_str(last).expect("JSON");
    last["broken_off"].as_str().expect("a reason").to_owned()
}

/// How many lines were read of a file that is whole.
async fn whole(download: Stream) -> usize {
    let (text, is_whole) = download.rest().await;
    assert!(is_whole && !text.contains("broken_off"));
    text.lines().count()
}

async fn signed_out(person: &Caller) {
    let reply = person.post_form("/console/sign-out", &[]).await;
    assert!(reply.status < 400, "{reply}");
}

// Guard: `Call::lives` in `Reader::still_may`, host/server/src/console/audit_export/reader.rs.
#[tokio::test]
async fn a_session_that_ends_in_mid_download_takes_no_more_along() {
    let host = Host::start(stage::ADMIN_TOKEN).await;
    let person = host.operator().await;
    lengthen(&host).await;
    let download = person.stream(EXPORT).await;
    signed_out(&person).await;
    let why = broken_off(download).await;
    assert!(why.contains("has ended"), "{why}");
}

#[tokio::test]
async fn a_session_of_the_control_plane_that_ends_in_mid_download_takes_no_more_along() {
    let stage = Stage::set().await;
    lengthen(&stage.host).await;
    for (user, reason) in [("ann", "has ended"), ("bob", "control plane")] {
        let cookie = stage.control_plane.sign_in(user).await;
        let person = stage.host.session(&cookie);
        let download = person.stream(EXPORT).await;
        match user {
            "ann" => stage.control_plane.sign_out(&cookie).await,
            _ => stage.control_plane.behave(Mode::Failing).await,
        }
        // Whoever decides is verified afresh, so that the host believes in nobody whom it remembers.
        let id = "01234567-89ab-7def-8123-456789abcdef";
        let decided = stage::decide(&person, id, "denied").await;
        assert!([401, 502, 503].contains(&decided.status), "{decided}");
        let why = broken_off(download).await;
        assert!(why.contains(reason), "{why}");
    }
}

// Guard: `Call::permit_beside` in `Reader::still_may`.
#[tokio::test]
async fn policies_that_change_in_mid_download_are_asked_whether_it_goes_on() {
    let shelf = Shelf::set().await;
    let person = shelf.host.operator().await;
    lengthen(&shelf.host).await;
    // A connection over which much was read takes much more before anybody reads it.
    let first = person.with("connection", "close").stream(EXPORT).await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    shelf.decides("freeze", PATIENCE).await;
    // Agents alone are denied by it, and it is a person who reads.
    assert!(whole(first).await > ENTRIES);
    has_room(&person).await;
    let second = person.stream(EXPORT).await;
    let people = policies(
        "two-person.toml",
        "verbs = [\"audit_read\"]\napprovers = 1\n",
    );
    for (name, content) in people {
        shelf.write(name, content);
    }
    let gated = async || (person.get("/audit").await.status == 202).then_some(());
    until("people need each other", PATIENCE, gated).await;
    let why = broken_off(second).await;
    assert!(why.contains("ask a person"), "{why}");
}

fn policies(name: &'static str, settings: &str) -> [(&'static str, Vec<u8>); 2] {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/two-person");
    let module = std::fs::read(folder.join("two-person.wasm")).expect("it is committed");
    [
        (name, settings.as_bytes().to_vec()),
        ("two-person.wasm", module),
    ]
}

fn gating(builder: HostBuilder) -> HostBuilder {
    let files = policies(
        "two-person.toml",
        "verbs = [\"audit_read\"]\napprovers = 1\n",
    );
    files.into_iter().fold(builder, |builder, (name, content)| {
        builder.policy(name, content)
    })
}

#[tokio::test]
async fn what_a_person_approved_is_handed_over_to_its_end_and_asks_nobody_again() {
    let clock = FakeClock::default();
    let stage = Stage::set_for(gating(Host::builder().clock(&clock))).await;
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    lengthen(&stage.host).await;
    ann.get(EXPORT).await.expect(202);
    let asked = stage::pending(&ann).await;
    stage::approve(&bob, asked[0]["id"].as_str().expect("an id")).await;
    let download = ann.stream(EXPORT).await;
    // Longer than the policies' word is taken for: they are asked again, and gate as before.
    clock.set(90);
    assert!(whole(download).await > ENTRIES);
    assert_eq!(stage::pending(&ann).await, [] as [Value; 0]);
}

/// Waits until `person` may take a file along.
async fn has_room(person: &Caller) {
    until("there is room", PATIENCE, async || {
        let reply = person.get("/console/audit/export?until=2020-01-01").await;
        (reply.status == 200).then_some(())
    })
    .await;
}

// Guard: `Exports::room`, host/server/src/console/audit_export.rs.
#[tokio::test]
async fn each_takes_one_file_along_and_so_many_do_at_once_and_no_grant_is_used_up_for_nothing() {
    let stage = Stage::set_for(gating(Host::builder())).await;
    lengthen(&stage.host).await;
    let mut downloads = Vec::new();
    let people = async |user: &str| {
        let (person, bob) = (stage.person(user).await, stage.person("bob").await);
        person.get(EXPORT).await.expect(202);
        let asked = stage::pending(&person).await;
        let id = asked[0]["id"].as_str().expect("an id").to_owned();
        stage::approve(&bob, &id).await;
        (person, id)
    };
    let (last, id) = people("fay").await;
    for user in ["ann", "cid", "dan", "eve"] {
        let (person, _) = people(user).await;
        downloads.push(person.stream(EXPORT).await);
        let own = person.get(EXPORT).await.expect(429).page();
        assert!(own.contains("An export of yours is under way"), "{own}");
    }
    let reply = last.get(EXPORT).await.expect(429);
    assert_eq!(reply.header("retry-after"), Some("10"));
    let page = reply.page();
    assert!(page.contains("wait until one is whole"), "{page}");
    assert_eq!(stage::approval(&last, &id).await["status"], "approved");
    // Who goes away leaves room.
    drop(downloads.pop());
    has_room(&last).await;
    for download in downloads {
        assert!(whole(download).await > ENTRIES);
    }
}

// Guard: `is_granted` in `Reader::still_may`.
#[tokio::test]
async fn what_was_merely_allowed_breaks_off_when_people_would_be_asked() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/business-hours");
    let module = std::fs::read(folder.join("business-hours.wasm")).expect("it is committed");
    let clock = FakeClock::default();
    // The minute of the day, from an hour ago to half an hour from now.
    let of_day = |moment: Timestamp| moment.to_string()[11..16].to_owned();
    let now = SystemClock.now();
    let (from, to) = (
        of_day(now.minus(Duration::from_secs(3_600))),
        of_day(now.plus(Duration::from_secs(1_800))),
    );
    let settings = format!(
        "verbs = [\"audit_read\"]\noutside = \"gate\"\npeople_too = true\nfrom = \"{from}\"\nto = \"{to}\"\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\n"
    );
    let builder = Host::builder()
        .clock(&clock)
        .policy("business-hours.wasm", module)
        .policy("business-hours.toml", settings);
    let stage = Stage::set_for(builder).await;
    let ann = stage.person("ann").await;
    lengthen(&stage.host).await;
    let download = ann.stream(EXPORT).await;
    clock.set(3_600);
    let why = broken_off(download).await;
    assert!(why.contains("ask a person"), "{why}");
}

//! A full disk.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use countersign_tests::{Host, HostBuilder};
use serde_json::json;
use tokio::task::JoinSet;

use super::{
    Before, FirstUse, is_not_ready, is_ready_again, is_unavailable, mint, nothing_is_allowed,
};
use crate::stage::ADMIN_TOKEN;

/// Room for a fresh host's files, several times, and for nothing that a machine would miss.
const SIZE: &str = "4m";
/// What is kept from the host until it has filled the rest, in pages.
const RESERVE: usize = 256;
/// Requests at the same time: they share transactions.
const CROWD: usize = 24;

fn on_a_small_disk() -> HostBuilder {
    Host::builder()
        .sqlite()
        .disk_of(SIZE)
        .admin_token(ADMIN_TOKEN)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_everything_and_with_room_again_all_that_was_is_there() {
    let host = on_a_small_disk().start().await;
    let before = Before::acknowledged(&host).await;
    // Twice: what the first time leaves behind must not be what the second trips over.
    for _ in 0..2 {
        host.disk().fill();
        nothing_is_allowed(&host, &before).await;
        is_not_ready(&host).await;
        host.disk().free();
        is_ready_again(&host).await;
    }
    before.is_all_there_is(&host).await;
}

// Guard: `note_first` in host/server/src/credentials/tokens.rs.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_use_that_cannot_be_written_down_is_refused_and_is_none() {
    let host = on_a_small_disk().start().await;
    let person = host.operator().await;
    let first = FirstUse::lies_ahead(&host, &person).await;
    host.disk().fill();
    first.is_refused().await;
    host.disk().free();
    is_ready_again(&host).await;
    first.still_lies_ahead(&person, &host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_at_a_full_disk_is_refused_to_the_last_and_the_grant_still_works() {
    let host = on_a_small_disk().start().await;
    let before = Before::acknowledged(&host).await;
    host.disk().fill();
    let mut crowd = JoinSet::new();
    for number in 0..CROWD {
        let agent = host.agent(ADMIN_TOKEN);
        let person = host.signed_in(&before.session);
        let granted = before.granted.clone();
        crowd.spawn(async move {
            match number % 3 {
                0 => mint(&agent.with("approval-id", &granted), "granted").await,
                1 => mint(&person, "while it failed").await,
                _ => agent.get("/org/tokens").await,
            }
        });
    }
    while let Some(reply) = crowd.join_next().await {
        is_unavailable(reply.expect("no panic"));
    }
    host.disk().free();
    is_ready_again(&host).await;
    before.is_all_there_is(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_no_more_is_refused_and_each_that_was_acknowledged_is_there() {
    let host = on_a_small_disk().env("LIVE_TOKEN_LIMIT", "0").start().await;
    let session = host.operator_session().await;
    let person = host.signed_in(&session);
    host.disk().fill_with(RESERVE);
    // The room ends in the midst of a crowd's transactions.
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for round in 0.. {
        assert!(round < 100, "the disk is never full");
        let mut crowd = JoinSet::new();
        for number in 0..CROWD {
            let person = person.clone();
            let name = format!("{round}-{number}");
            crowd.spawn(async move { (mint(&person, &name).await, name) });
        }
        while let Some(done) = crowd.join_next().await {
            let (reply, name) = done.expect("no panic");
            if reply.status == 200 {
                acknowledged.push(name);
            } else {
                is_unavailable(reply);
                refused += 1;
            }
        }
        if refused > 0 {
            break;
        }
    }
    let stopped = host.crash();
    stopped.disk().fill();
    stopped
        .clone()
        .fail()
        .await
        .says(&["countersign.db", "full", "room"]);
    stopped.disk().free();
    let host = stopped.start().await;
    let person = host.signed_in(&session);
    let mut names = super::names(&person).await;
    names.sort();
    acknowledged.sort();
    assert_eq!(names, acknowledged);
    super::is_whole(&person).await;
}

#[tokio::test]
async fn a_first_start_on_a_full_disk_says_so_and_leaves_no_half_a_key() {
    let builder = on_a_small_disk();
    builder.disk().fill();
    let failure = builder.clone().fail().await;
    failure.says(&["secrets.key", "full", "room"]);
    let data = builder.data_dir();
    let left: Vec<_> = fs::read_dir(&data)
        .expect("it is there")
        .map(|entry| entry.expect("it is there").file_name())
        .collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_string_lossy().contains("secrets.key")),
        "{left:?}"
    );
    assert_eq!(
        fs::metadata(&data)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777,
        0o700
    );

    builder.disk().free();
    let host = builder.start().await;
    let person = host.operator().await;
    person.post("/org/tokens", json!({})).await.expect(200);
}

#[tokio::test]
async fn a_later_start_on_a_full_disk_says_so_and_keeps_the_files_as_they_were() {
    let host = on_a_small_disk().start().await;
    let before = Before::acknowledged(&host).await;
    let stopped = host.stop().await;
    let kept = files(&stopped);
    for has_companions in [true, false] {
        if !has_companions {
            // As where a copy of the ledger was brought back. SQLite makes it anew.
            fs::remove_file(stopped.data_dir().join("countersign.db-shm")).expect("it is there");
        }
        stopped.disk().fill();
        let failure = stopped.clone().fail().await;
        failure.says(&["countersign.db", "full", "room"]);
        stopped.disk().free();
        assert_eq!(files(&stopped), kept);
    }
    let host = stopped.start().await;
    before.is_all_there_is(&host).await;
}

/// What must not be half written. The ledger's own file may change: what was written last moves there.
fn files(builder: &HostBuilder) -> Vec<(&'static str, Vec<u8>)> {
    ["secrets.key", "login-link"]
        .into_iter()
        .map(|name| {
            let content = fs::read(builder.data_dir().join(name));
            (name, content.expect("it is there"))
        })
        .collect()
}

//! A disk that cannot be written, and a server that cannot.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use countersign_tests::{Host, HostBuilder};

use super::{Before, FirstUse, is_not_ready, is_ready_again, nothing_is_allowed};
use crate::stage::ADMIN_TOKEN;

#[tokio::test]
async fn a_start_on_a_read_only_disk_names_the_place_and_changes_nothing() {
    let host = Host::builder()
        .sqlite()
        .disk_of("4m")
        .admin_token(ADMIN_TOKEN)
        .start()
        .await;
    let before = Before::acknowledged(&host).await;
    let stopped = host.stop().await;
    let kept = files(&stopped);
    assert!(!kept.is_empty());
    stopped.disk().set_read_only(true);
    let place = stopped.data_path().display().to_string();
    let failure = stopped.clone().fail().await;
    failure.says(&[&place, "read-only", "--data-dir"]);
    stopped.disk().set_read_only(false);
    assert_eq!(files(&stopped), kept);
    let host = stopped.start().await;
    before.is_all_there_is(&host).await;
}

fn files(builder: &HostBuilder) -> BTreeMap<PathBuf, Vec<u8>> {
    let folder = fs::read_dir(builder.data_dir()).expect("it is there");
    folder
        .map(|entry| entry.expect("it is there").path())
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), fs::read(path).expect("it is there")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_becomes_read_only_has_everything_refused_until_it_is_not() {
    let host = Host::builder()
        .postgres()
        .admin_token(ADMIN_TOKEN)
        .start()
        .await;
    let before = Before::acknowledged(&host).await;
    for _ in 0..2 {
        host.database().set_read_only(true);
        nothing_is_allowed(&host, &before).await;
        is_not_ready(&host).await;
        // Nobody ends the connections that began meanwhile: the host must.
        host.database().set_read_only(false);
        is_ready_again(&host).await;
    }
    before.is_all_there_is(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_use_that_a_server_does_not_take_is_refused_and_is_none() {
    let host = Host::builder()
        .postgres()
        .admin_token(ADMIN_TOKEN)
        .start()
        .await;
    let person = host.operator().await;
    let first = FirstUse::lies_ahead(&host, &person).await;
    host.database().set_read_only(true);
    first.is_refused().await;
    host.database().set_read_only(false);
    is_ready_again(&host).await;
    first.still_lies_ahead(&person, &host).await;
}

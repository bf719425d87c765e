//! What a host makes of its folder when it starts.

use countersign_engine::BASELINE;
use countersign_tests::Host;

use super::{LOOSER, PATIENCE, gone_back, id, is_asked_about_as_a_whole};
use crate::reload::shelf::{Freeze, Shelf};
use crate::stage::{ADMIN_TOKEN, approval, approve};

#[tokio::test]
async fn what_tightens_decides_from_the_first_request_on() {
    let builder = Host::builder()
        .reviewed()
        .policy("freeze.wasm", Freeze::FIRST.component());
    let shelf = Shelf::of_builder(builder).await;
    assert_eq!(shelf.rule().await, "freeze");
    assert_eq!(
        shelf.generation().await,
        2,
        "after the built-in baseline alone"
    );

    // What changes while the host is down is no different.
    let shelf = shelf
        .restart(|folder| {
            let second = Freeze::SECOND.component();
            std::fs::write(folder.join("freeze.wasm"), second).expect("written");
        })
        .await;
    assert_eq!(shelf.rule().await, "deep-freeze");
}

#[tokio::test]
async fn what_loosens_waits_however_often_the_host_starts() {
    let builder = Host::builder()
        .reviewed()
        .policy("baseline.toml", LOOSER)
        .policy("baseline.wasm", BASELINE);
    let shelf = Shelf::of_builder(builder).await;
    let first = shelf.waits().await;
    assert_eq!(shelf.mints().await, 202);
    let shelf = shelf.restart(|_| ()).await;
    let again = shelf.waits().await;
    assert_eq!(id(&again), id(&first), "the same list is asked about");
    assert_eq!(shelf.mints().await, 202);

    // It is accepted while the host is down in all but name: it never sees the moment.
    let operator = shelf.host.operator().await;
    approve(&operator, id(&again)).await;
    let shelf = shelf.restart(|_| ()).await;
    shelf.is_live(2).await;
    assert_eq!(shelf.mints().await, 200);
    let operator = shelf.host.operator().await;
    assert_eq!(approval(&operator, id(&again)).await["status"], "used");
}

#[tokio::test]
async fn a_module_whose_file_is_gone_at_a_start_stands_until_somebody_accepts() {
    let builder = Host::builder()
        .reviewed()
        .policy("freeze.wasm", Freeze::FIRST.component());
    let shelf = Shelf::of_builder(builder).await;
    let shelf = shelf
        .restart(|folder| {
            std::fs::remove_file(folder.join("freeze.wasm")).expect("removed");
        })
        .await;
    assert_eq!(shelf.rule().await, "freeze");
    let candidate = shelf.waits().await;
    let operator = shelf.host.operator().await;
    approve(&operator, id(&candidate)).await;
    shelf.decides("open-to-agents", PATIENCE).await;
}

#[tokio::test]
async fn what_a_person_went_back_from_does_not_come_back_by_a_start() {
    let (shelf, _, gone) = gone_back().await;
    // Before it is asked about.
    let shelf = shelf.restart(|_| ()).await;
    assert_eq!(shelf.writes().await, 202);
    let operator = shelf.host.operator().await;
    is_asked_about_as_a_whole(&shelf, &operator, &gone).await;
}

#[tokio::test]
async fn where_nobody_can_be_asked_what_loosens_does_not_go_live() {
    let builder = Host::builder()
        .reviewed()
        .admin_token(ADMIN_TOKEN)
        .env("MOLECULE_PLATFORM_WORKSPACE_ID", "no-uuid")
        .policy("baseline.toml", LOOSER)
        .policy("baseline.wasm", BASELINE);
    let shelf = Shelf::of_builder(builder).await;
    let problems = shelf.problems().await;
    let sentences = problems
        .iter()
        .filter_map(|problem| problem["sentence"].as_str());
    let all = sentences.collect::<Vec<_>>().join("\n");
    assert!(all.contains("cannot be asked"), "{all}");
    assert_eq!(shelf.generation().await, 1);
}

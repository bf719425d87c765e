use countersign_core::action::Action;
use countersign_core::ledger::{GenerationChange, ModuleRecord};
use countersign_core::ports::Ledger;
use countersign_core::verdict::ModuleId;

use super::world::*;

fn module(name: &str, digest: &str) -> ModuleRecord {
    let gated = ("gated".to_owned(), vec!["org_token_mint".to_owned()]);
    ModuleRecord {
        id: ModuleId {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            digest: digest.to_owned(),
        },
        settings: [gated].into(),
        file: (name != "baseline").then(|| format!("{name}.wasm")),
    }
}

fn change(
    modules: &[(&str, &str)],
    components: &[(&str, &[u8])],
    seconds: i64,
) -> GenerationChange {
    GenerationChange {
        modules: modules
            .iter()
            .map(|(name, digest)| module(name, digest))
            .collect(),
        components: components
            .iter()
            .map(|(digest, bytes)| ((*digest).to_owned(), bytes.to_vec()))
            .collect(),
        by: "folder".to_owned(),
        summary: "a module came".to_owned(),
        at: at(seconds),
    }
}

#[tokio::test]
async fn generations_are_numbered_from_one_and_keep_their_modules() {
    let world = World::new().await;
    let none = world.ledger.latest_generation().await.expect("an answer");
    assert!(none.is_none());
    let changes = [
        change(&[("baseline", "d1")], &[("d1", b"one")], 0),
        change(&[("baseline", "d1"), ("extra", "d2")], &[("d2", b"two")], 1),
        change(&[("extra", "d2")], &[("d2", b"two")], 2),
    ];
    for (n, change) in (1..).zip(&changes) {
        let number = world
            .ledger
            .record_generation(change)
            .await
            .expect("recorded");
        assert_eq!(number, n);
    }
    let latest = world.ledger.latest_generation().await.expect("an answer");
    let latest = latest.expect("there is one");
    assert_eq!((latest.number, latest.at), (3, at(2)));
    assert_eq!(latest.modules, changes[2].modules);

    let permit = world.permit(Action::PolicyRead).await;
    let list = async |after: Option<&str>| {
        let page = page(after.map(str::to_owned), 2);
        let records = world.ledger.generations(&permit, &page).await;
        records.expect("a list")
    };
    let first = list(None).await;
    assert_eq!(first.iter().map(|r| r.number).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(first[1].modules, changes[1].modules);
    let rest = list(Some("2")).await;
    assert_eq!(rest.iter().map(|r| r.number).collect::<Vec<_>>(), [1]);
    assert_eq!(world.audited("policies_changed").await, 3);
    world.end().await;
}

#[tokio::test]
async fn the_bytes_of_a_module_are_there_after_its_file_is_gone() {
    let world = World::new().await;
    let change = change(&[("baseline", "d1")], &[("d1", b"one")], 0);
    world
        .ledger
        .record_generation(&change)
        .await
        .expect("recorded");
    let bytes = world.ledger.component("d1").await.expect("an answer");
    assert_eq!(bytes.as_deref(), Some(b"one".as_slice()));
    let none = world.ledger.component("d2").await.expect("an answer");
    assert_eq!(none, None);
    world.end().await;
}

#[tokio::test]
async fn a_generation_whose_bytes_nobody_has_is_not_recorded() {
    let world = World::new().await;
    let change = change(&[("baseline", "d1")], &[], 0);
    assert!(world.ledger.record_generation(&change).await.is_err());
    let none = world.ledger.latest_generation().await.expect("an answer");
    assert!(none.is_none());
    assert_eq!(world.audited("policies_changed").await, 0);
    world.end().await;
}

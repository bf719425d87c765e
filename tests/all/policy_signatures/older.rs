//! An older version under the same name: it does not come back by lying in the folder, and a person goes back on
//! purpose.

use serde_json::json;

use super::{Key, PATIENCE, RELEASE, refused, shelf};
use crate::reload::shelf::{Freeze, Shelf};

// Guard: `older` in host/server/src/policies/downgrades.rs.
#[tokio::test]
async fn an_older_file_does_not_decide_again_before_or_after_a_start() {
    let shelf = Shelf::set().await;
    shelf.write("freeze.wasm", Freeze::SECOND.component());
    shelf.decides("deep-freeze", PATIENCE).await;
    let generation = shelf.generation().await;

    shelf.write("freeze.wasm", Freeze::FIRST.component());
    let words = [
        "freeze@1.0.0",
        "freeze@2.0.0",
        "countersign policy rollback",
    ];
    refused(&shelf, &words).await;
    assert_eq!(shelf.rule().await, "deep-freeze");
    let shelf = shelf.restart(|_| ()).await;
    refused(&shelf, &words).await;
    assert_eq!(shelf.rule().await, "deep-freeze");
    // Nor under another file's name, nor when another file changes.
    shelf.rename("freeze.wasm", "thaw.wasm");
    shelf.write("freeze.toml", "");
    countersign_tests::until("the file is named", PATIENCE, async || {
        let problems = shelf.problems().await;
        let is_it = |problem: &serde_json::Value| problem["file"] == "thaw.wasm";
        problems.iter().any(is_it).then_some(())
    })
    .await;
    assert_eq!(shelf.rule().await, "deep-freeze");
    assert_eq!(shelf.generation().await, generation);
}

#[tokio::test]
async fn a_person_goes_back_on_purpose_and_then_the_file_is_as_it_should_be() {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    shelf.decides("freeze", PATIENCE).await;
    let first = shelf.generation().await;
    shelf.write("freeze.wasm", Freeze::SECOND.component());
    shelf.decides("deep-freeze", PATIENCE).await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    refused(&shelf, &["on purpose"]).await;
    let body = json!({ "generation": first });
    operator.post("/policies/rollback", body).await.expect(200);
    assert_eq!(shelf.rule().await, "freeze");
    shelf.blames_nothing().await;
    let shelf = shelf.restart(|_| ()).await;
    assert_eq!(shelf.rule().await, "freeze");
}

#[tokio::test]
async fn an_old_signature_is_no_reason_to_take_an_old_module() {
    let shelf = shelf(true).await;
    let key = Key::of(RELEASE);
    let put = |freeze: Freeze| {
        let module = freeze.component();
        shelf.write("freeze.wasm.minisig", key.sign(&module));
        shelf.write("freeze.wasm", module);
    };
    put(Freeze::SECOND);
    shelf.decides("deep-freeze", PATIENCE).await;
    put(Freeze::FIRST);
    refused(&shelf, &["older", "whoever signed it"]).await;
    assert_eq!(shelf.rule().await, "deep-freeze");
}

//! Rows that were changed by hand, and keys that are trusted no longer: what is kept is asked again.

use countersign_tests::{Caller, Host};
use serde_json::json;

use super::{Key, PATIENCE, RELEASE, STRANGER, push, shelf};
use crate::reload::shelf::{Freeze, Shelf};
use crate::stage::rewrite;

/// A host that requires signatures, at which a signed module was pushed, decided, and was taken back.
async fn pushed() -> (Shelf, Caller) {
    let shelf = shelf(true).await;
    let operator = shelf.host.operator().await;
    let module = Freeze::FIRST.component();
    let signature = Key::of(RELEASE).sign(&module);
    push(&operator, module, Some(&signature)).await.expect(201);
    let enforce = json!({ "mode": "enforce", "version": "1.0.0" });
    operator
        .put("/policies/freeze/mode", enforce)
        .await
        .expect(200);
    let body = json!({ "generation": 1 });
    operator.post("/policies/rollback", body).await.expect(200);
    (shelf, operator)
}

async fn rollback_is_refused((shelf, operator): &(Shelf, Caller), words: &[&str]) {
    let generation = shelf.generation().await;
    let body = json!({ "generation": 2 });
    let refused = operator.post("/policies/rollback", body).await;
    let refused = refused.refused(400, "policy_refused");
    for word in words {
        assert!(refused.text("error").contains(word), "{refused}");
    }
    assert_eq!(shelf.generation().await, generation);
    assert_eq!(shelf.rule().await, "open-to-agents");
}

// Guard: `check_kept` in host/server/src/policies/recorded.rs. Without it the first two go back.
#[tokio::test]
async fn a_signature_row_that_was_changed_by_hand_lets_nothing_load() {
    for (sql, words) in [
        ("DELETE FROM policy_signatures", &["nobody signed it"][..]),
        (
            "UPDATE policy_signatures SET text = replace(text, 'policy freeze', 'policy thaw')",
            &["release (1111111111111111)", "trusted comment"],
        ),
        (
            "UPDATE policy_signatures SET text = substr(text, 1, 150)",
            &["cannot be read", "cut off"],
        ),
        (
            "UPDATE policy_signatures SET key_id = '2222222222222222'",
            &["it was changed there"],
        ),
    ] {
        let pushed = pushed().await;
        change(&pushed.0.host, sql).await;
        rollback_is_refused(&pushed, words).await;
    }
    let pushed = pushed().await;
    let forged = Key::of(STRANGER).sign(&Freeze::FIRST.component());
    let sql =
        format!("UPDATE policy_signatures SET text = '{forged}', key_id = '2222222222222222'");
    change(&pushed.0.host, &sql).await;
    rollback_is_refused(&pushed, &["2222222222222222", "does not trust"]).await;
}

// Guard: the digest in `component`, in host/server/src/policies/recorded.rs.
#[tokio::test]
async fn a_component_row_that_was_changed_by_hand_is_not_even_compiled() {
    let (shelf, _) = pushed().await;
    // Past what is remembered to be proven.
    let shelf = shelf.restart(|_| ()).await;
    let operator = shelf.host.operator().await;
    let digest = "(SELECT digest FROM policy_versions WHERE name = 'freeze')";
    let other =
        "(SELECT c.bytes FROM components AS c JOIN policy_versions AS v ON v.digest = c.digest
                  WHERE v.name = 'baseline')";
    let sql = format!("UPDATE components SET bytes = {other} WHERE digest = {digest}");
    change(&shelf.host, &sql).await;
    rollback_is_refused(&(shelf, operator), &["was changed there", "freeze@1.0.0"]).await;
}

#[tokio::test]
async fn a_key_that_is_trusted_no_longer_keeps_the_host_from_starting_and_it_says_what_to_do() {
    let (shelf, operator) = pushed().await;
    let body = json!({ "generation": 2 });
    operator.post("/policies/rollback", body).await.expect(200);
    assert_eq!(shelf.rule().await, "freeze");
    let folder = shelf.folder().to_owned();
    let others = Key::of(STRANGER).trusted("others");
    let stopped = shelf.host.stop().await;
    let stopped = stopped.env("COUNTERSIGN_POLICY_KEYS", others);
    let failure = stopped.clone().fail().await;
    failure.says(&[
        "freeze@1.0.0",
        "1111111111111111",
        "does not trust",
        "put it into the policy folder",
    ]);
    // The way out that it names.
    let module = Freeze::FIRST.component();
    std::fs::write(folder.join("freeze.wasm"), &module).expect("written");
    let signature = Key::of(STRANGER).sign(&module);
    std::fs::write(folder.join("freeze.wasm.minisig"), signature).expect("written");
    let shelf = Shelf::of(stopped.start().await, &folder);
    assert_eq!(shelf.rule().await, "freeze");
}

// Guard: `trust.check` in `remember`, host/engine/src/folder/shelf.rs.
#[tokio::test]
async fn nor_does_a_file_of_the_folder_stand_as_it_decided_by_a_key_that_is_trusted_no_longer() {
    let shelf = shelf(true).await;
    let module = Freeze::FIRST.component();
    shelf.write("freeze.wasm.minisig", Key::of(RELEASE).sign(&module));
    shelf.write("freeze.wasm", &module);
    shelf.decides("freeze", PATIENCE).await;
    let others = Key::of(STRANGER).trusted("others");
    let stopped = shelf.host.stop().await;
    let failure = stopped.env("COUNTERSIGN_POLICY_KEYS", others).fail().await;
    failure.says(&[
        "freeze.wasm",
        "1111111111111111",
        "does not trust",
        "mend the folder",
    ]);
}

/// Changes what the host keeps, behind its back, on either database.
async fn change(host: &Host, sql: &str) {
    let changed = rewrite(host.database(), &host.data_dir(), sql).await;
    assert!(changed.is_none_or(|rows| rows > 0), "{sql}");
}

//! `--watch`: what changes is tested again, and what is broken meanwhile is waited out.

use std::fs;

use super::{case, freeze, somebody};
use crate::reload::shelf::Freeze;

const WAITING: &str = "waiting for a change";

#[tokio::test]
async fn whatever_changes_is_tested_again_until_somebody_ends_it() {
    let held = case("verb = \"deprovision\"", "rule = \"freeze\"");
    let person = somebody(&[
        ("freeze.wasm", &freeze()),
        ("freeze.cases.toml", held.as_bytes()),
    ]);
    let folder = person.folder();
    let write = |name: &str, content: &[u8]| {
        // As editors and builds do it: whole, and in the place of the other.
        fs::write(folder.join("draft"), content).expect("it can be written");
        fs::rename(folder.join("draft"), folder.join(name)).expect("it can be moved");
    };
    let mut watch = person.start(&["policy", "test", "freeze.wasm", "--watch"]);
    watch.hears(WAITING).await;

    write("freeze.wasm", &Freeze::SECOND.component());
    watch.hears("changed: freeze.wasm").await;
    watch.hears(WAITING).await;

    let component = Freeze::SECOND.component();
    // In one piece: of a file that is written bit by bit, each bit may be a change of its own.
    write("freeze.wasm", &component[..component.len() / 2]);
    watch.hears("`freeze.wasm` cannot be loaded").await;
    watch.hears(WAITING).await;

    write("freeze.wasm", &component);
    watch.hears("changed: freeze.wasm").await;
    watch.hears(WAITING).await;

    write("freeze.cases.toml", b"[[case]]\nname = 1\n");
    watch
        .hears("`freeze.cases.toml` is not understood: line 2")
        .await;
    watch.hears(WAITING).await;

    let deep = held.replace("\"freeze\"", "\"deep-freeze\"");
    write("freeze.cases.toml", deep.as_bytes());
    watch.hears("changed: freeze.cases.toml").await;
    watch.hears(WAITING).await;

    write("freeze.toml", b"unknown = 1\n");
    watch.hears("changed: freeze.toml").await;
    watch.hears("its settings are wrong").await;
    fs::remove_file(folder.join("freeze.toml")).expect("it can be removed");
    watch.hears("changed: freeze.toml (gone)").await;
    watch.hears(WAITING).await;

    let said = watch.stop().await;
    let summaries: Vec<&str> = said
        .out
        .lines()
        .filter(|line| line.starts_with("freeze@"))
        .map(|line| line.split(" (").next().unwrap_or_default())
        .collect();
    assert_eq!(
        summaries,
        [
            "freeze@1.0.0: 1 case passed",
            "freeze@2.0.0: 1 of 1 case failed",
            "freeze@2.0.0: 1 of 1 case failed",
            "freeze@2.0.0: 1 case passed",
            "freeze@2.0.0: 1 case passed",
        ]
    );
}

//! Whom the console names: people read who did what, by the name that was verified, and programs do not.

use countersign_tests::Caller;
use serde_json::json;

use crate::stage::{self, Stage, approve, minted};

const VOUCHED: &str = "(by the control plane)";

async fn page(reader: &Caller, path: &str) -> String {
    reader.get(path).await.expect(200).page()
}

/// The part of a page that is its own: the frame says who reads.
fn main_of(page: &str) -> &str {
    page.split_once("<main").map_or("", |(_, main)| main)
}

#[tokio::test]
async fn people_are_named_wherever_the_record_tells_of_them_and_found_by_name() {
    let stage = Stage::set().await;
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage::workspace(&ann, "room", None).await;
    minted(&bob, json!({ "name": "bobs" })).await;
    let body = json!({ "name": "agents" });
    let asked = stage.agent().post("/org/tokens", body).await.approval();
    approve(&ann, &asked).await;

    for path in [
        "/console/workspaces",
        &format!("/console/workspaces/{room}"),
        "/console/decisions",
        "/console/audit",
    ] {
        let page = page(&bob, path).await;
        assert!(main_of(&page).contains(">ann</bdi>"), "{path}: {page}");
        assert!(main_of(&page).contains(VOUCHED), "{path}: {page}");
        assert!(
            main_of(&page).contains("title=\"session:"),
            "{path}: {page}"
        );
    }

    for (path, row) in [
        ("/console/decisions", "role=\"rowheader\""),
        ("/console/audit", "<li value="),
    ] {
        for (text, name) in [("bob", "bob"), ("BO", "bob"), ("ann", "ann")] {
            let page = page(&ann, &format!("{path}?actor={text}")).await;
            let main = main_of(&page);
            let (rows, named) = (main.matches(row).count(), main.matches(VOUCHED).count());
            assert!(rows > 0, "{path} {text}: {page}");
            assert_eq!(rows, named, "{path} {text}: {page}");
            let of_them = main
                .matches(&format!(">{name}</bdi> <span class=\"vouched\">"))
                .count();
            assert_eq!(rows, of_them, "{path} {text}: {page}");
        }
        let page = page(&ann, &format!("{path}?actor=nobody-like-that")).await;
        assert!(!page.contains(VOUCHED), "{path}: {page}");
    }

    // One of each, whole: the label is there letter by letter.
    for (list, one) in [
        ("/console/decisions?actor=bob", "/console/decisions/"),
        ("/console/audit?actor=bob", "/console/audit/"),
    ] {
        let list = page(&ann, list).await;
        let (_, rest) = list.split_once(&format!("href=\"{one}")).expect("a link");
        let id = rest.split('"').next().expect("an id");
        let whole = page(&ann, &format!("{one}{id}")).await;
        let main = main_of(&whole);
        assert!(main.contains(">bob</bdi>"), "{whole}");
        assert!(main.contains(">session:"), "{whole}");
    }
    assert!(!stage.host.said().contains("bob"), "no log has a name");
}

#[tokio::test]
async fn the_hosts_own_operator_is_told_from_whom_a_control_plane_calls_operator() {
    let stage = Stage::set().await;
    let operator = stage
        .host
        .operator_by_link(&stage.host.command_line())
        .await;
    let theirs = stage.person("operator").await;
    stage::workspace(&operator, "ours", None).await;
    stage::workspace(&theirs, "theirs", None).await;
    let page = page(&operator, "/console/workspaces").await;
    let main = main_of(&page);
    assert_eq!(main.matches(">operator</bdi>").count(), 2, "{page}");
    assert_eq!(main.matches("(by login link)").count(), 1, "{page}");
    assert_eq!(main.matches(VOUCHED).count(), 1, "{page}");
}

// Guard: `people` in host/store/src/portable/people.rs looks at who reads.
#[tokio::test]
async fn a_program_reads_labels_and_no_names() {
    let stage = Stage::set().await;
    let ann = stage.person("ann-of-accounts").await;
    let room = stage::workspace(&ann, "room", None).await;
    let key = minted(&ann, json!({ "name": "ci" })).await;
    for program in [stage.agent(), stage.host.agent(&key)] {
        for path in [
            "/console/workspaces",
            &format!("/console/workspaces/{room}"),
            "/console/policies/history",
        ] {
            let page = page(&program, path).await;
            assert!(!page.contains("ann-of-accounts"), "{path}: {page}");
        }
        let page = page(&program, "/console/workspaces").await;
        assert!(page.contains("a person <code><bdi>"), "{page}");
    }
}

#[tokio::test]
async fn a_name_that_could_be_taken_for_another_is_told() {
    let stage = Stage::set().await;
    let odd = "p\u{430}ypal <b>";
    let theirs = stage.person(odd).await;
    stage::workspace(&theirs, "room", None).await;
    let ann = stage.person("ann").await;
    let page = page(&ann, "/console/workspaces").await;
    assert!(page.contains("Look twice."), "{page}");
    assert!(page.contains("p\u{430}ypal &#60;b&#62;</bdi>"), "{page}");
    assert!(!main_of(&page).contains("<b>"), "{page}");
}

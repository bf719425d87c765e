//! Names that look like others, or like nothing: refused at the door, or told wherever a page shows them.

use countersign_tests::{Caller, Host};
use serde_json::json;

use crate::stage::{self, Stage, approve, tokens};

/// Looks like “paypa key”, and its first word is all Cyrillic.
const DISGUISED: &str = "\u{440}\u{430}\u{443}\u{440}\u{430}\u{a0}key";

/// `path` tells as often as that of a name that it looks like another one.
async fn tells(person: &Caller, path: &str, times: usize) {
    let page = person.get(path).await.expect(200).page();
    let told = "A word of it looks like “paypa” and is not: it is written in Cyrillic.";
    assert_eq!(page.matches(told).count(), times, "{path}: {page}");
    assert_eq!(page.matches("Look twice.").count(), times, "{path}: {page}");
    assert!(
        page.contains(&format!(">{DISGUISED}</bdi>")),
        "{path}: {page}"
    );
}

// Guard: the macros `name` and `look` of host/server/templates/fields.html.
#[tokio::test]
async fn a_name_that_looks_like_another_is_told_on_each_page_that_shows_it() {
    let stage = Stage::set().await;
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let body = json!({ "name": DISGUISED });
    let robot = stage::minted(&ann, json!({ "name": DISGUISED, "role": "admin" })).await;
    let robot = stage.agent().bearer(&robot);
    let asked = robot.post("/org/tokens", body.clone()).await.approval();
    tells(&ann, &format!("/console/approvals/{asked}"), 3).await;
    approve(&bob, &asked).await;
    robot.post("/org/tokens", body).await.expect(200);

    tells(&ann, "/console/keys", 2).await;
    for key in tokens(&ann).await {
        let id = key["id"].as_str().expect("an id");
        let is_minted = key["created_by"]
            .as_str()
            .is_some_and(|by| by.starts_with("org-token:"));
        // One names itself and its minter, the other one itself and what it minted.
        tells(&ann, &format!("/console/keys/{id}"), 2).await;
        let falling = if is_minted { 1 } else { 2 };
        tells(&ann, &format!("/console/keys/{id}/revoke"), falling).await;
    }

    let decision = stage::approval(&ann, &asked).await["decision_id"].clone();
    let decision = decision.as_str().expect("an id");
    // In its heading, and among what was asked.
    tells(&ann, &format!("/console/decisions/{decision}"), 2).await;

    let above = stage::workspace(&ann, DISGUISED, None).await;
    let below = stage::workspace(&ann, DISGUISED, Some(&above)).await;
    tells(&ann, "/console/workspaces", 3).await;
    tells(&ann, &format!("/console/workspaces/{above}"), 2).await;
    tells(&ann, &format!("/console/workspaces/{below}"), 2).await;
    tells(&ann, &format!("/console/workspaces/{above}/remove"), 2).await;

    let ahead = json!({ "action": "org_token_mint", "context": { "name": "plain" } });
    let path = format!("/workspaces/{above}/approvals");
    let reply = robot.post(&path, ahead).await.expect(201);
    let id = reply.text("approval_id");
    // Who asks, what it is filed under, and twice what they did lately.
    tells(&ann, &format!("/console/approvals/{id}"), 4).await;
}

// Guard: `is_unseen` and `MAX_MARKS` in host/core/src/text.rs.
#[tokio::test]
async fn a_name_with_what_is_not_seen_becomes_no_record() {
    let host = Host::start(stage::ADMIN_TOKEN).await;
    let person = host.operator().await;
    let pile = format!("x{}", "\u{33f}".repeat(4));
    for name in [
        "ci\u{fe0f}",
        "\u{2800}",
        "c\u{3164}i",
        "ci\u{34f}",
        "ci\u{e0100}",
        &pile,
    ] {
        for path in ["/org/tokens", "/workspaces"] {
            let reply = person.post(path, json!({ "name": name })).await.expect(400);
            assert_eq!(reply.text("field"), "name", "{name:?}: {reply}");
        }
    }
    let name = "\u{26a0}\u{fe0f} prod";
    stage::minted(&person, json!({ "name": name })).await;
    let page = person.get("/console/keys").await.expect(200).page();
    assert!(
        page.contains(name) && !page.contains("Look twice."),
        "{page}"
    );
}

//! Lists in parts.

use countersign_tests::Caller;

use super::{mint, withdraw};
use crate::stage::Stage;

/// One part of a list: the ids, and where the next part begins.
async fn part(caller: &Caller, path: &str, cursor: &str) -> (Vec<String>, Option<String>) {
    let path = format!("{path}?limit=2{cursor}");
    let part = caller.get(&path).await.expect(200);
    let id = |item: &serde_json::Value| item["id"].as_str().expect("an id").to_owned();
    let ids = part.items().iter().map(id).collect();
    let next = part.header("x-next-cursor");
    (ids, next.map(|next| format!("&cursor={next}")))
}

#[tokio::test]
async fn what_waits_is_read_in_parts_while_it_changes() {
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let mut asked = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        asked.push(mint(&agent, name).await.approval());
    }
    let home = person.get(&format!("/approvals/{}", asked[0])).await;
    let home = home.expect(200).text("workspace_id").to_owned();
    // What was read is taken back before the next part is read.
    let (mut seen, mut cursor) = (Vec::new(), Some(String::new()));
    while let Some(from) = cursor {
        let (ids, next) = part(&person, "/approvals/pending", &from).await;
        for id in &ids {
            withdraw(&agent, id).await.expect(200);
        }
        seen.extend(ids);
        cursor = next;
    }
    assert_eq!(seen, asked);

    // All of them are still filed where they were, the newest first.
    let path = format!("/workspaces/{home}/approvals");
    let (mut seen, mut cursor) = (Vec::new(), Some(String::new()));
    while let Some(from) = cursor {
        let (ids, next) = part(&person, &path, &from).await;
        seen.extend(ids);
        cursor = next;
    }
    asked.sort();
    seen.sort();
    assert_eq!(seen, asked);
    person.get(&format!("{path}?limit=0")).await.blames("limit");
    let nowhere = person.get("/workspaces/x/approvals").await;
    nowhere.blames("workspace");
}

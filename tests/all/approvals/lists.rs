//! Lists in parts.

use countersign_tests::Caller;
use serde_json::json;

use super::{mint, withdraw};
use crate::stage::{Stage, minted, workspace, workspace_token};

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

// Guard: `confined_to` in `of_workspace`, host/server/src/routes/approvals.rs.
#[tokio::test]
async fn a_list_of_a_workspace_that_is_not_there_is_none_and_tells_who_is_bound_to_another_nothing()
{
    let stage = Stage::set().await;
    let (agent, person) = (stage.agent(), stage.person("ann").await);
    let home = workspace(&person, "home", None).await;
    let other = workspace(&person, "other", None).await;
    let gone = workspace(&person, "gone", None).await;
    let of = |workspace: &str| format!("/workspaces/{workspace}/approvals");
    let nowhere = of("00000000-0000-4000-8000-000000000000");
    let list = async |caller: &Caller, path: &str| caller.get(path).await.expect(200);
    let none = async |caller: &Caller, path: &str| {
        let reply = caller.get(path).await.refused(404, "not_found");
        let error = "there is no such workspace, or it was removed";
        assert_eq!(reply.json["error"], error, "as of its tokens");
    };

    let ask = json!({ "action": "org_token_mint" });
    let asked = agent.post(&of(&gone), ask).await.expect(201);
    for path in [of(&gone), of(&other)] {
        person
            .delete(&path.replace("/approvals", ""))
            .await
            .expect(200);
    }
    for caller in [&agent, &person] {
        assert!(list(caller, &of(&home)).await.items().is_empty());
        none(caller, &nowhere).await;
        none(caller, &of(&other)).await;
        // What ended with its workspace can still be read, to the end of the list.
        let filed = list(caller, &of(&gone)).await;
        assert_eq!(filed.items()[0]["id"], asked.json["approval_id"]);
        assert_eq!(filed.items()[0]["status"], "withdrawn", "{filed}");
        let after = format!("{}?cursor={}", of(&gone), asked.text("approval_id"));
        assert!(list(caller, &after).await.items().is_empty());
    }

    let another = workspace(&person, "another", None).await;
    let bound = json!({ "name": "bound", "workspace_id": home });
    let bound = stage.host.agent(&minted(&person, bound).await);
    let own = stage.host.agent(&workspace_token(&person, &home).await);
    for caller in [&bound, &own] {
        assert!(list(caller, &of(&home)).await.items().is_empty());
        for path in [&of(&another), &of(&other), &of(&gone), &nowhere] {
            none(caller, path).await;
        }
    }
}

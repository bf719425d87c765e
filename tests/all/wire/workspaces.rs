//! Workspaces, and their tokens.

use countersign_tests::Host;
use serde_json::json;

use super::{NOBODYS_ID, PROVISION_TOKEN, staged};
use crate::stage::approve;

#[tokio::test]
async fn the_wire_of_workspaces_is_as_it_was() {
    let (stage, mut story) = staged("workspaces", Host::builder()).await;
    let (person, agent) = (stage.person("ann").await, stage.agent());
    let all = "/workspaces";
    let anchor = story.shape("only the anchor stands", person.get(all).await);
    let anchor = anchor.json[0]["id"].as_str().expect("an id").to_owned();
    // Whose the anchor is, is told where somebody asks for the organisation.
    story.shape(
        "the agent wants a token",
        agent.post("/org/tokens", json!({})).await,
    );
    story.shape(
        "the agent's requests",
        agent.get("/approvals/pending").await,
    );
    let home = person
        .post(all, json!({ "name": "home" }))
        .await
        .expect(201);
    let home = story.shape("ann creates one", home);
    let below = json!({ "name": "below", "parent_id": home.text("id") });
    story.shape("an agent creates one below", agent.post(all, below).await);
    let installer = stage.host.provisioner(PROVISION_TOKEN);
    let installed = installer.post(all, json!({ "name": "installed" })).await;
    let installed = story.shape("the install path creates one", installed);
    story.shape("all that stand", person.get(all).await);
    let one = format!("{all}/{}", home.text("id"));
    story.shape("one", person.get(&one).await);
    story.shape(
        "one that is not there",
        person.get(&format!("{all}/{NOBODYS_ID}")).await,
    );
    story.shape(
        "ann renames it",
        person.patch(&one, json!({ "name": "renamed" })).await,
    );
    let parent = json!({ "parent_id": installed.text("id") });
    story.shape("an agent moves it", agent.patch(&one, parent.clone()).await);
    story.shape("ann moves it", person.patch(&one, parent).await);
    story.shape(
        "ann makes it a root",
        person.patch(&one, json!({ "parent_id": null })).await,
    );
    story.shape(
        "below itself",
        person
            .patch(&one, json!({ "parent_id": home.text("id") }))
            .await,
    );
    story.shape(
        "a blank name",
        person.post(all, json!({ "name": " " })).await,
    );
    story.shape("no name", person.post(all, json!({})).await);
    let nowhere = json!({ "name": "x", "parent_id": NOBODYS_ID });
    story.shape(
        "a parent that is not there",
        person.post(all, nowhere).await,
    );
    story.shape(
        "ann removes it, without a word on its child",
        person.delete(&one).await,
    );
    let confirmed = format!("{one}?confirm=true");
    let waits = story.shape("an agent removes it", agent.delete(&confirmed).await);
    approve(&person, waits.text("approval_id")).await;
    person
        .patch(&one, json!({ "name": "moved on" }))
        .await
        .expect(200);
    story.shape(
        "an agent removes what has moved since",
        agent.delete(&confirmed).await,
    );
    story.shape("ann removes it", person.delete(&confirmed).await);
    story.shape(
        "ann removes it a second time",
        person.delete(&confirmed).await,
    );
    story.shape(
        "the anchor is moved",
        person
            .patch(
                &format!("{all}/{anchor}"),
                json!({ "parent_id": installed.text("id") }),
            )
            .await,
    );
    story.shape(
        "the anchor is removed",
        person.delete(&format!("{all}/{anchor}")).await,
    );
    story.end();
}

#[tokio::test]
async fn the_wire_of_a_workspaces_tokens_is_as_it_was() {
    let (stage, mut story) = staged("workspace_tokens", Host::builder()).await;
    let (person, agent) = (stage.person("ann").await, stage.agent());
    let home = person
        .post("/workspaces", json!({ "name": "home" }))
        .await
        .expect(201);
    let all = format!("/workspaces/{}/tokens", home.text("id"));
    let first = story.shape("ann mints", person.post(&all, json!({})).await);
    story.shape("an agent mints", agent.post(&all, json!({})).await);
    let own = stage.host.agent(first.text("auth_token"));
    let second = story.shape(
        "a token takes its own place",
        own.post(&all, json!({})).await,
    );
    story.shape("the token whose place was taken", own.get(&all).await);
    let own = stage.host.agent(second.text("auth_token"));
    story.shape("a token lists", own.get(&all).await);
    let one = format!("{all}/{}", second.text("id"));
    story.shape(
        "its uses",
        person.get(&format!("{one}/usage?hours=2")).await,
    );
    story.shape(
        "a part of the list",
        person.get(&format!("{all}?limit=1&offset=1")).await,
    );
    story.shape(
        "no part of a list",
        person.get(&format!("{all}?limit=0")).await,
    );
    story.shape("a token reads another's", own.get("/org/tokens").await);
    story.shape("ann revokes", person.delete(&one).await);
    story.shape("ann revokes a second time", person.delete(&one).await);
    for _ in 0..50 {
        person.post(&all, json!({})).await.expect(201);
    }
    story.shape("one more than may live", person.post(&all, json!({})).await);
    let nowhere = format!("/workspaces/{NOBODYS_ID}/tokens");
    story.shape(
        "for a workspace that is not there",
        person.post(&nowhere, json!({})).await,
    );
    story.end();
}

//! Approvals, from the request to their ends.

use countersign_tests::{Caller, Host};
use serde_json::{Value, json};

use super::{NOBODYS_ID, Story, staged};
use crate::stage::{approve, decide, workspace};

/// An agent asks for a secret of the organisation: its approval.
async fn asked(agent: &Caller, key: &str) -> String {
    let body = json!({ "key": key, "value": "a value" });
    agent.post("/settings/secrets", body).await.approval()
}

async fn detail(story: &mut Story, person: &Caller, id: &str, state: &str) {
    let reply = person.get(&format!("/approvals/{id}")).await.expect(200);
    assert_eq!(reply.json["status"], state);
    story.shape(&format!("what is {state}"), reply);
}

#[tokio::test]
async fn the_wire_of_approvals_is_as_it_was() {
    let (stage, mut story) = staged("approvals", Host::builder()).await;
    let (person, agent) = (stage.person("ann").await, stage.agent());
    let mut stream = agent.stream("/events").await;
    story.stream("the agent listens", &stream);
    let path = |id: &str, verb: &str| format!("/approvals/{id}/{verb}");
    let body = json!({ "name": "ci", "role": "reader" });
    let waits = agent.post("/org/tokens", body.clone()).await;
    let minted = story
        .shape("an agent wants a token", waits)
        .text("approval_id")
        .to_owned();
    detail(&mut story, &person, &minted, "pending").await;
    let event = stream.next().await.expect("an event");
    story.event("the agent hears that it waits", &event);
    story.shape("what waits", person.get("/approvals/pending?limit=1").await);
    story.shape(
        "no part of a list",
        person.get("/approvals/pending?limit=0").await,
    );
    story.shape("another word", decide(&person, &minted, "maybe").await);
    story.shape("no person", decide(&agent, &minted, "approved").await);
    let other = json!({ "decision": "approved", "digest": "another" });
    story.shape(
        "another digest",
        person.post(&path(&minted, "decide"), other).await,
    );
    story.shape(
        "a grant that is none yet",
        person.post(&path(&minted, "revoke"), json!({})).await,
    );
    let yes = json!({ "decision": "approved", "reason": "as agreed", "decided_by": "mallory" });
    story.shape(
        "ann approves",
        person.post(&path(&minted, "decide"), yes).await,
    );
    story.shape(
        "ann approves a second time",
        decide(&person, &minted, "approved").await,
    );
    detail(&mut story, &person, &minted, "approved").await;
    let event = stream.next().await.expect("an event");
    story.event("the agent hears that it is approved", &event);
    story.shape(
        "the agent has its token",
        agent.post("/org/tokens", body.clone()).await,
    );
    detail(&mut story, &person, &minted, "used").await;
    let named = agent.with("approval-id", &minted);
    story.shape(
        "another request than was approved",
        named.post("/org/tokens", json!({})).await,
    );

    let again = named.post("/org/tokens", body).await;
    story.shape("the answer got lost: the same request, named", again);
    let body = json!({ "key": "USED", "value": "a value" });
    let used = asked(&agent, "USED").await;
    approve(&person, &used).await;
    let done = agent.post("/settings/secrets", body.clone()).await;
    story.shape("the agent writes what was approved", done);
    let named = agent.with("approval-id", &used);
    let again = named.post("/settings/secrets", body).await;
    story.shape("the agent writes it again by the same grant", again);

    let id = asked(&agent, "DENIED").await;
    let anchor = story.shape("what else waits", person.get("/approvals/pending").await);
    let anchor = anchor.json[0]["workspace_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let filed = format!("/workspaces/{anchor}/approvals");
    let no = json!({ "decision": "denied", "reason": "not now" });
    story.shape(
        "ann denies, by the workspace's route",
        person.post(&format!("{filed}/{id}/decide"), no).await,
    );
    detail(&mut story, &person, &id, "denied").await;
    let body = json!({ "key": "DENIED", "value": "a value" });
    story.shape(
        "the agent asks again too soon",
        agent.post("/settings/secrets", body).await,
    );

    let id = asked(&agent, "WITHDRAWN").await;
    story.shape(
        "ann withdraws what is the agent's",
        person.post(&path(&id, "withdraw"), json!({})).await,
    );
    story.shape(
        "the agent withdraws",
        agent
            .post(&format!("{filed}/{id}/withdraw"), json!({}))
            .await,
    );
    story.shape(
        "the agent withdraws a second time",
        agent.post(&path(&id, "withdraw"), json!({})).await,
    );
    detail(&mut story, &person, &id, "withdrawn").await;

    let id = asked(&agent, "REVOKED").await;
    approve(&person, &id).await;
    story.shape(
        "no person takes a grant back",
        agent.post(&path(&id, "revoke"), json!({})).await,
    );
    let mistake = json!({ "reason": "a mistake" });
    story.shape(
        "ann takes the grant back",
        person.post(&path(&id, "revoke"), mistake).await,
    );
    detail(&mut story, &person, &id, "revoked").await;
    let named = agent.with("approval-id", &id);
    let body = json!({ "key": "REVOKED", "value": "a value" });
    story.shape(
        "the agent uses what was taken back",
        named.post("/settings/secrets", body).await,
    );
    story.shape(
        "all that was filed under the anchor",
        person.get(&format!("{filed}?limit=2")).await,
    );

    for (name, verb) in [
        ("decided", "decide"),
        ("withdrawn", "withdraw"),
        ("revoked", "revoke"),
    ] {
        let body = json!({ "decision": "approved" });
        let reply = person.post(&path(NOBODYS_ID, verb), body).await;
        story.shape(&format!("nobody's is {name}"), reply);
    }
    story.shape(
        "nobody's is read",
        person.get(&format!("/approvals/{NOBODYS_ID}")).await,
    );
    let mine = format!("/approvals/{minted}?wait=56");
    story.shape("too long a wait", person.get(&mine).await);
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(agent.stream("/events").await);
    }
    story.shape("one stream more than may be", agent.get("/events").await);
    story.end();
}

#[tokio::test]
async fn the_wire_of_what_is_asked_ahead_is_as_it_was() {
    let (stage, mut story) = staged("asked_ahead", Host::builder()).await;
    let (person, agent) = (stage.person("ann").await, stage.agent());
    let home = workspace(&person, "home", None).await;
    let path = format!("/workspaces/{home}/approvals");
    let ask = |action: &str, context: Value| json!({ "action": action, "context": context, "reason": "soon", "task_id": "t-1" });
    let mint = ask("org_token_mint", json!({ "name": "ahead" }));
    let asked = story.shape("an agent asks ahead", agent.post(&path, mint.clone()).await);
    let id = asked.text("approval_id").to_owned();
    detail(&mut story, &person, &id, "pending").await;
    approve(&person, &id).await;
    story.shape(
        "an agent asks ahead for what is approved",
        agent.post(&path, mint).await,
    );
    story.shape(
        "an agent asks for what it may",
        agent
            .post(&path, ask("workspace_create", json!({ "name": "w" })))
            .await,
    );
    story.shape(
        "an agent asks to dance",
        agent.post(&path, ask("dance", json!({}))).await,
    );
    story.shape(
        "an agent asks to decide",
        agent.post(&path, ask("approval_decide", json!({}))).await,
    );
    story.shape(
        "an agent asks for a wrong type",
        agent
            .post(&path, ask("org_token_mint", json!({ "name": 1 })))
            .await,
    );
    let nowhere = path.replace(&home, NOBODYS_ID);
    story.shape(
        "under a workspace that is not there",
        agent.post(&nowhere, ask("org_token_mint", json!({}))).await,
    );
    let own = person
        .post(
            &path,
            ask(
                "secret_write",
                json!({ "key": "K", "value": "v", "scope": "global" }),
            ),
        )
        .await;
    story.shape("a person asks ahead", own);
    story.end();
}

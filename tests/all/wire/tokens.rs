//! Tokens of the organisation.

use countersign_tests::Host;
use serde_json::json;

use super::{NOBODYS_ID, staged};
use crate::stage::approve;

#[tokio::test]
async fn the_wire_of_organisation_tokens_is_as_it_was() {
    let (stage, mut story) = staged("org_tokens", Host::builder()).await;
    let (person, agent) = (stage.person("ann").await, stage.agent());
    let all = "/org/tokens";
    story.shape("nothing is listed", person.get(all).await);
    let empty = person
        .send(reqwest::Method::POST, all, None, Vec::new())
        .await;
    let plain = story.shape("ann mints, with no body", empty);
    let home = person
        .post("/workspaces", json!({ "name": "home" }))
        .await
        .expect(201);
    let full = json!({ "name": "full", "role": "reader", "workspace_id": home.text("id"), "expires_at": "2100-01-01T00:00:00Z" });
    story.shape(
        "ann mints, with all that can be said",
        person.post(all, full).await,
    );

    let wants = json!({ "name": "ci", "role": "editor" });
    let waits = story.shape(
        "the agent wants a token",
        agent.post(all, wants.clone()).await,
    );
    let again = agent.post(all, wants.clone()).await;
    story.shape("the agent asks again while it is pending", again);
    approve(&person, waits.text("approval_id")).await;
    let child = story.shape(
        "the agent repeats what was approved",
        agent.post(all, wants).await,
    );
    let parent = person.post(all, json!({ "name": "parent" })).await;
    let parent = story.shape("ann mints a parent", parent);
    let bearer = stage.host.agent(parent.text("auth_token"));
    let wants = json!({ "name": "below" });
    let below = story.shape(
        "the parent wants a child",
        bearer.post(all, wants.clone()).await,
    );
    let usage = |id: &str, hours: u32| format!("{all}/{id}/usage?hours={hours}");
    story.shape("its uses", person.get(&usage(parent.text("id"), 2)).await);
    story.shape(
        "its uses in no time",
        person.get(&usage(parent.text("id"), 0)).await,
    );
    story.shape(
        "uses of nobody's token",
        person.get(&usage(NOBODYS_ID, 1)).await,
    );
    approve(&person, below.text("approval_id")).await;
    story.shape("the parent has its child", bearer.post(all, wants).await);
    story.shape(
        "the parent wants another",
        bearer.post(all, json!({ "name": "other" })).await,
    );
    story.shape("the tokens that live", person.get(all).await);

    let one = |id: &str| format!("{all}/{id}");
    story.shape(
        "the agent revokes another's",
        agent.delete(&one(plain.text("id"))).await,
    );
    let own = agent.delete(&one(child.text("id"))).await;
    story.shape("the agent revokes what it minted", own);
    let drains = format!(
        "{}?drain_seconds=600&descendants=true",
        one(parent.text("id"))
    );
    story.shape(
        "ann revokes the parent, which drains, and its descendants",
        person.delete(&drains).await,
    );
    let another = json!({ "name": "another parent" });
    let another = person.post(all, another).await.expect(200);
    let another = story.shape("ann mints another parent", another);
    let bearer_of_another = stage.host.agent(another.text("auth_token"));
    let child = json!({ "name": "below another" });
    let waits = bearer_of_another.post(all, child.clone()).await.approval();
    approve(&person, &waits).await;
    let child = bearer_of_another.post(all, child).await;
    let child = story.shape("another parent has its child", child);
    let wants = stage.host.agent(child.text("auth_token"));
    let wants = wants.post(all, json!({ "name": "and below" })).await;
    story.shape("which wants a child of its own", wants);
    let falls = format!("{}?descendants=true", one(another.text("id")));
    let falls = person.delete(&falls).await;
    story.shape("ann revokes it and all that comes from it", falls);
    story.shape("the parent drains", bearer.get("/workspaces").await);
    story.shape("ann revokes", person.delete(&one(plain.text("id"))).await);
    story.shape(
        "ann revokes a second time",
        person.delete(&one(plain.text("id"))).await,
    );
    let gone = stage.host.agent(plain.text("auth_token"));
    story.shape("the token that was revoked", gone.get(all).await);
    story.shape("the tokens that still live", person.get(all).await);

    for (name, body) in [
        (
            "a name that is too long",
            json!({ "name": "x".repeat(101) }),
        ),
        ("a blank name", json!({ "name": " " })),
        ("an unknown role", json!({ "role": "king" })),
        (
            "a workspace that is no id",
            json!({ "workspace_id": "home" }),
        ),
        (
            "a workspace that is not there",
            json!({ "workspace_id": NOBODYS_ID }),
        ),
        (
            "an end in the past",
            json!({ "expires_at": "2000-01-01T00:00:00Z" }),
        ),
        ("a name that is a number", json!({ "name": 1 })),
    ] {
        story.shape(name, person.post(all, body).await);
    }
    story.shape(
        "a member that is there twice",
        person.post_text(all, r#"{"name":"a","name":"b"}"#).await,
    );
    story.shape("what is no JSON", person.post_text(all, "{").await);
    story.shape(
        "too long a drain",
        person
            .delete(&format!("{}?drain_seconds=3601", one(NOBODYS_ID)))
            .await,
    );
    story.shape("no id", person.delete(&one("mine")).await);
    let reader = person
        .post(all, json!({ "role": "reader" }))
        .await
        .expect(200);
    let reader = stage.host.agent(reader.text("auth_token"));
    story.shape("a reader mints", reader.post(all, json!({})).await);
    story.end();
}

#[tokio::test]
async fn the_wire_of_limits_is_as_it_was() {
    let builder = Host::builder()
        .env("RATE_LIMIT", "100")
        .env("MINT_LIMIT", "2")
        .env("LIVE_TOKEN_LIMIT", "1");
    let (stage, mut story) = staged("limits", builder).await;
    let person = stage.person("ann").await;
    let all = "/org/tokens";
    let first = story.shape(
        "the first mint",
        person.post(all, json!({})).await.expect(200),
    );
    story.shape("as many live as may", person.post(all, json!({})).await);
    let one = format!("{all}/{}", first.text("id"));
    person.delete(&one).await.expect(200);
    let second = person.post(all, json!({})).await.expect(200);
    let one = format!("{all}/{}", second.text("id"));
    person.delete(&one).await.expect(200);
    story.shape(
        "as many were minted as may be within an hour",
        person.post(all, json!({})).await,
    );
    let agent = stage.agent();
    let mut last = agent.post(all, json!({})).await;
    for n in 0..20 {
        last = agent.post(all, json!({ "name": format!("n{n}") })).await;
    }
    story.shape("as many wait as may of one requester", last);
    let nobody = stage.host.anonymous();
    let mut last = nobody.get(all).await;
    while last.status != 429 {
        last = nobody.get(all).await;
    }
    let wait = last.header("retry-after").expect("a number").to_owned();
    story.knows(
        &format!("repeat this in {wait} s"),
        "repeat this in <seconds> s",
    );
    story.shape("as many requests as may be within a minute", last);
    story.end();
}

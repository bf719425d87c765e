//! What is taken back: requests by who asked, approvals by people, tokens with all that came of them.

use super::{asked, signed_in};
use crate::stage::ADMIN_TOKEN;

#[tokio::test]
async fn whoever_asked_withdraws_and_nobody_else() {
    let (_host, person) = signed_in().await;
    let agent = person.agent(ADMIN_TOKEN);
    let id = asked(&agent, "ci").await;
    person.run(&["approval", "withdraw", &id]).await.expect(1);
    let said = agent.run(&["approval", "withdraw", &id]).await.expect(0);
    said.says(&["Withdrawn: mint organisation token `ci`"]);
    agent.run(&["approval", "withdraw", &id]).await.expect(1);
    let said = agent.run(&["approval", "wait", &id]).await.expect(7);
    said.says(&["taken back"]);
}

#[tokio::test]
async fn a_person_revokes_an_approval_that_was_not_used() {
    let (_host, person) = signed_in().await;
    let agent = person.agent(ADMIN_TOKEN);
    let id = asked(&agent, "ci").await;
    person.run(&["approval", "revoke", &id]).await.expect(1);
    person
        .run(&["approval", "approve", &id, "--yes"])
        .await
        .expect(0);
    agent.run(&["approval", "revoke", &id]).await.expect(1);
    let said = person.run(&["approval", "revoke", &id]).await.expect(0);
    said.says(&["can no longer be used"]);
    agent.run(&["approval", "wait", &id]).await.expect(7);
    let mint = ["token", "mint", "--name", "ci", "--approval", &id];
    let said = agent.run(&mint).await;
    assert!(said.code != Some(0) && said.out.is_empty(), "{said}");
}

#[tokio::test]
async fn a_token_that_drains_works_for_a_while() {
    let (host, person) = signed_in().await;
    let said = person.run(&["token", "mint"]).await.expect(0);
    let token = said.out.trim();
    let revoke = ["token", "revoke", &token[..8], "--drain", "60s"];
    person
        .run(&revoke)
        .await
        .expect(0)
        .says(&["it works for 60s more"]);
    let reply = host.agent(token).get("/org/tokens").await.expect(200);
    assert_eq!(reply.header("x-token-draining"), Some("true"), "{reply}");
}

#[tokio::test]
async fn what_a_token_minted_falls_with_it_where_that_is_asked_for() {
    let (host, person) = signed_in().await;
    let said = person
        .run(&["token", "mint", "--name", "parent"])
        .await
        .expect(0);
    let parent = said.out.trim();
    let agent = person.agent(parent);
    let id = asked(&agent, "child").await;
    person
        .run(&["approval", "approve", &id, "--yes"])
        .await
        .expect(0);
    let mint = ["token", "mint", "--name", "child", "--approval", &id];
    let child = agent.run(&mint).await.expect(0);
    let listed = person
        .run(&["token", "list", "--json"])
        .await
        .expect(0)
        .json();
    let child_id = listed["tokens"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let revoke = ["token", "revoke", &parent[..8], "--descendants"];
    person
        .run(&revoke)
        .await
        .expect(0)
        .says(&["Revoked", &child_id]);
    for token in [parent, child.out.trim()] {
        host.agent(token).get("/org/tokens").await.expect(401);
    }
}

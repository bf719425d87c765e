//! `approval …`: a person reads, and decides exactly what they read.

use super::{asked, signed_in};
use crate::stage::{ADMIN_TOKEN, approval, secrets};

#[tokio::test]
async fn what_waits_is_listed_and_shown_and_no_secret_with_it() {
    let (host, person) = signed_in().await;
    let agent = host.agent(ADMIN_TOKEN);
    let body = serde_json::json!({ "key": "STRIPE_KEY", "value": "hunter2-hunter2" });
    let id = agent.post("/settings/secrets", body).await.approval();
    let other = asked(&person.agent(ADMIN_TOKEN), "ci").await;

    let said = person.run(&["approval", "list"]).await.expect(0);
    let said = said.says(&[
        "ID REQUEST",
        &id,
        &other,
        "admin-token",
        "0 of 1",
        "UTC (in 59 minutes)",
    ]);
    said.says(&["write secret `global/STRIPE_KEY`"])
        .hides(&["hunter2"]);
    let said = person.run(&["approval", "show", &id]).await.expect(0);
    said.says(&[
        "STRIPE_KEY",
        "a secret, with the fingerprint",
        "held by rule",
    ])
    .hides(&["hunter2"]);
    let said = person
        .run(&["approval", "show", &id, "--json"])
        .await
        .expect(0);
    assert_eq!(said.json(), approval(&host.agent(ADMIN_TOKEN), &id).await);

    person
        .run(&["approval", "approve", &id, "--yes"])
        .await
        .expect(0);
    let said = person.run(&["approval", "list"]).await.expect(0);
    said.says(&[&other]).hides(&[&id]);
    assert!(secrets(&agent).await.is_empty(), "approving is not doing");
}

#[tokio::test]
async fn without_a_terminal_and_without_yes_nothing_is_approved() {
    let (_host, person) = signed_in().await;
    let agent = person.agent(ADMIN_TOKEN);
    let id = asked(&agent, "ci").await;
    let said = person.run(&["approval", "approve", &id]).await.expect(2);
    said.says(&["nothing was approved", "--yes"]);
    let said = person.run_with(&["approval", "approve", &id], "y\n").await;
    said.expect(2);
    let wait = ["approval", "wait", &id, "--for", "0s", "--json"];
    let said = agent.run(&wait).await.expect(3);
    assert_eq!(said.json()["status"], "pending");
}

#[tokio::test]
async fn at_a_terminal_a_person_is_asked_and_only_a_yes_is_one() {
    let (_host, person) = signed_in().await;
    let agent = person.agent(ADMIN_TOKEN);
    let id = asked(&agent, "ci").await;
    let line = ["approval", "approve", &id];
    for no in ["n\n", "\n", "yess\n"] {
        let said = person.run_at_terminal(&line, no).await.expect(1);
        said.says(&[
            "mint organisation token `ci`",
            "[y/N]",
            "nothing was decided",
        ]);
    }
    agent
        .run(&["approval", "wait", &id, "--for", "0s"])
        .await
        .expect(3);
    let said = person.run_at_terminal(&line, "y\n").await.expect(0);
    said.says(&["Approve exactly this? [y/N]", "Approved."]);
    agent.run(&["approval", "wait", &id]).await.expect(0);
}

#[tokio::test]
async fn another_digest_than_the_one_that_was_read_is_not_approved() {
    let (_host, person) = signed_in().await;
    let agent = person.agent(ADMIN_TOKEN);
    let id = asked(&agent, "ci").await;
    let other = "0".repeat(64);
    let line = ["approval", "approve", &id, "--yes", "--digest", &other];
    person
        .run(&line)
        .await
        .expect(1)
        .says(&["nothing was approved"]);
    agent
        .run(&["approval", "wait", &id, "--for", "0s"])
        .await
        .expect(3);
    let shown = person.run(&["approval", "show", &id, "--json"]).await;
    let digest = shown.json()["digest"]
        .as_str()
        .expect("a digest")
        .to_owned();
    let line = [
        "approval", "approve", &id, "--yes", "--digest", &digest, "--json",
    ];
    let said = person.run(&line).await.expect(0);
    assert_eq!(said.json()["status"], "approved", "{said}");
}

#[tokio::test]
async fn what_is_not_there_is_said_not_to_be() {
    let (_host, person) = signed_in().await;
    let id = "01a2b3c4-0000-7000-8000-000000000001";
    for command in ["show", "approve", "deny", "wait"] {
        let said = person.run(&["approval", command, id]).await.expect(1);
        said.says(&["there is no such approval"]);
    }
    let said = person.run(&["approval", "show", id, "--json"]).await;
    assert_eq!(said.expect(1).json()["code"], "not_found");
}

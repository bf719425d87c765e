//! `token …`: the incident by command line, and what else there is to tokens.

use std::time::Duration;

use super::signed_in;
use crate::stage::{ADMIN_TOKEN, tokens};
use countersign_tests::{CommandLine, until};

/// The one approval that waits, as soon as it does.
async fn waiting(person: &CommandLine) -> String {
    until("an approval waits", Duration::from_secs(60), async || {
        let said = person.run(&["approval", "list", "--json"]).await.expect(0);
        let id = said.json()[0]["id"].as_str()?.to_owned();
        Some(id)
    })
    .await
}

#[tokio::test]
async fn an_agent_waits_a_person_approves_and_the_token_alone_is_printed() {
    let (host, person) = signed_in().await;
    let agent = person.agent(ADMIN_TOKEN);
    let minting = agent.start(&[
        "token", "mint", "--name", "ci", "--role", "editor", "--wait",
    ]);
    let id = waiting(&person).await;
    assert!(tokens(&host.agent(ADMIN_TOKEN)).await.is_empty());

    let said = person.run(&["approval", "show", &id]).await.expect(0);
    let said = said.says(&[
        "mint organisation token `ci`",
        "name ci",
        "role editor",
        &id,
    ]);
    said.says(&["approved 0 of 1", "digest", "requester admin-token"]);
    let said = agent.run(&["approval", "approve", &id, "--yes"]).await;
    said.expect(1).says(&["only a person", "COUNTERSIGN_TOKEN"]);
    let said = person.run(&["approval", "approve", &id, "--yes"]).await;
    said.expect(0).says(&["Approved.", "once"]);

    let minted = minting.end().await.expect(0);
    let token = minted.out.strip_suffix('\n').expect("a line");
    assert!(token.starts_with("cso_") && token.len() == 53, "{minted}");
    let minted = minted
        .clone()
        .says(&["waiting for a person", "/console/approvals/", "approved"]);
    assert!(!minted.err.contains(token), "{minted}");
    let listed = tokens(&host.agent(ADMIN_TOKEN)).await;
    assert_eq!(listed[0]["name"], "ci");
    assert_eq!(listed[0]["role"], "editor");
    host.agent(token).get("/workspaces").await.expect(200);
    assert!(!host.said().contains(token));
}

#[tokio::test]
async fn a_script_that_does_not_wait_is_told_where_to_and_how_to_go_on() {
    let (_host, person) = signed_in().await;
    let agent = person.agent(ADMIN_TOKEN);
    let said = agent
        .run(&["token", "mint", "--name", "for ci", "--expires", "30d"])
        .await
        .expect(3);
    assert!(said.out.is_empty(), "{said}");
    let id = waiting(&person).await;
    let said = said.says(&["nothing was done yet", "countersign approval wait"]);
    // The instant, so that the same is asked for whenever it is.
    let repeat = said
        .err
        .lines()
        .find_map(|line| line.trim().strip_prefix("then     countersign "))
        .expect("a command")
        .replace("'for ci'", "for_ci");
    assert!(repeat.ends_with(&format!("--approval {id}")), "{repeat}");
    let words: Vec<&str> = repeat
        .split(' ')
        .map(|word| if word == "for_ci" { "for ci" } else { word })
        .collect();
    let approve = ["approval", "approve", &id, "--yes"];
    agent
        .run(&["approval", "wait", &id, "--for", "0s"])
        .await
        .expect(3);
    person.run(&approve).await.expect(0);
    agent.run(&["approval", "wait", &id]).await.expect(0);
    let said = agent.run(&words).await.expect(0);
    assert!(said.out.starts_with("cso_"), "{said}");
    agent
        .run(&["approval", "wait", &id])
        .await
        .expect(0)
        .says(&["used already"]);
    // There is nothing more to decide.
    person
        .run(&approve)
        .await
        .expect(1)
        .says(&["it is used already"]);
}

#[tokio::test]
async fn whoever_waits_in_vain_hears_who_denied_and_why() {
    let (host, person) = signed_in().await;
    let agent = person.agent(ADMIN_TOKEN);
    let minting = agent.start(&["token", "mint", "--wait"]);
    let id = waiting(&person).await;
    let deny = ["approval", "deny", &id, "--reason", "use the reader role"];
    person
        .run(&deny)
        .await
        .expect(0)
        .says(&["Denied: mint an unnamed organisation token"]);
    let said = minting.end().await.expect(4);
    let said = said.says(&["denied", "use the reader role"]);
    assert!(said.out.is_empty(), "{said}");
    agent.run(&["approval", "wait", &id]).await.expect(4);
    // And for a while it cannot be asked again.
    agent
        .run(&["token", "mint"])
        .await
        .expect(4)
        .says(&["use the reader role"]);
    assert!(tokens(&host.agent(ADMIN_TOKEN)).await.is_empty());
}

#[tokio::test]
async fn a_person_mints_lists_and_revokes() {
    let (_host, person) = signed_in().await;
    person
        .run(&["token", "list"])
        .await
        .expect(0)
        .says(&["No token is live."]);
    let said = person
        .run(&["token", "mint", "--name", "ci"])
        .await
        .expect(0);
    let (token, prefix) = (said.out.trim(), said.out.get(..8).expect("a token"));
    let said = person.run(&["token", "list"]).await.expect(0);
    said.says(&[
        "PREFIX NAME",
        prefix,
        "ci",
        "admin",
        "session:",
        "UTC (",
        "never",
    ])
    .hides(&[token]);
    let mint = [
        "token",
        "mint",
        "--role",
        "reader",
        "--expires",
        "12h",
        "--json",
    ];
    let json = person.run(&mint).await.expect(0).json();
    assert_eq!(json["role"], "reader", "{json}");
    let listed = person
        .run(&["token", "list", "--json"])
        .await
        .expect(0)
        .json();
    assert_eq!(listed["count"], 2, "{listed}");
    assert_eq!(listed["tokens"][0]["expires_at"], json["expires_at"]);

    person
        .run(&["token", "revoke", prefix])
        .await
        .expect(0)
        .says(&["Revoked"]);
    let said = person.run(&["token", "revoke", prefix]).await.expect(1);
    said.says(&["no live token", "`countersign token list`"]);
    let id = json["id"].as_str().expect("an id");
    let said = person
        .run(&["token", "revoke", id, "--json"])
        .await
        .expect(0);
    assert_eq!(said.json()["revoked"], id);
    let said = person
        .run(&["token", "revoke", id, "--json"])
        .await
        .expect(1);
    assert_eq!(said.json()["error"], "token not found or already revoked");
    person
        .run(&["token", "list"])
        .await
        .expect(0)
        .says(&["No token is live."]);
}

#[tokio::test]
async fn on_a_terminal_a_minted_token_is_shown_with_what_there_is_to_know() {
    let (_host, person) = signed_in().await;
    let said = person
        .run_at_terminal(&["token", "mint", "--name", "ci"], "")
        .await;
    said.expect(0).says(&[
        "cso_",
        "name ci",
        "expires never",
        "will not be shown again",
    ]);
    let said = person
        .run_at_terminal(&["token", "mint", "--quiet"], "")
        .await
        .expect(0);
    assert_eq!(said.out.trim().len(), 53, "{said}");
}

#[tokio::test]
async fn whoever_waits_outlives_a_restart_of_the_host() {
    let (host, person) = signed_in().await;
    let authority = host.authority().to_owned();
    let agent = person.agent(ADMIN_TOKEN);
    let id = super::asked(&agent, "ci").await;
    let waits = agent.start(&["approval", "wait", &id, "--for", "80s"]);
    let builder = host.stop().await;
    let host = builder.listen(&authority).start().await;
    person
        .run(&["approval", "approve", &id, "--yes"])
        .await
        .expect(0);
    waits.end().await.expect(0);
    host.stop().await;
}

#[tokio::test]
async fn a_host_that_is_gone_is_said_to_be() {
    let (host, person) = signed_in().await;
    let origin = host.origin().to_owned();
    host.stop().await;
    for line in [
        &["token", "list"][..],
        &["token", "mint"],
        &["approval", "list"],
    ] {
        let said = person.run(line).await.expect(6);
        said.says(&["cannot reach", &origin, "--url", "countersign doctor"]);
    }
    let said = person.run(&["logout"]).await.expect(6);
    said.says(&["forgotten here", "could not be told"]);
    assert!(!person.session_file().exists());
}

#[tokio::test]
async fn nobody_who_has_not_signed_in_gets_anywhere() {
    let (host, _) = signed_in().await;
    let stranger = host.command_line();
    for line in [
        &["token", "list"][..],
        &["approval", "list"],
        &["audit", "export"],
    ] {
        stranger
            .run(line)
            .await
            .expect(5)
            .says(&["you are not signed in"]);
    }
    let agent = stranger.env("COUNTERSIGN_TOKEN", ADMIN_TOKEN);
    let said = agent.run(&["audit", "export"]).await.expect(4);
    assert!(said.out.is_empty(), "{said}");
}

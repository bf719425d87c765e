//! The command line for people and scripts: the built binary against a running host, and against programs
//! that only claim to be one.

mod approvals;
mod audit;
mod doctor;
mod hostile;
mod policies;
mod promotion;
mod session;
mod settings;
mod sign_in;
mod taken_back;
mod tokens;

use countersign_tests::{CommandLine, Host};

use crate::stage::ADMIN_TOKEN;

/// A host, and the operator at its machine, signed in.
async fn signed_in() -> (Host, CommandLine) {
    let host = Host::start(ADMIN_TOKEN).await;
    let person = host.command_line();
    person.run(&["login"]).await.expect(0);
    (host, person)
}

/// An approval that an agent has asked for: its id.
async fn asked(agent: &CommandLine, name: &str) -> String {
    let said = agent
        .run(&["token", "mint", "--name", name, "--json"])
        .await
        .expect(3);
    let id = &said.json()["approval_id"];
    id.as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn completions_are_written_for_each_shell() {
    let person = CommandLine::new();
    for shell in ["bash", "zsh", "fish"] {
        let said = person.run(&["completions", shell]).await.expect(0);
        let said = said.says(&["approval", "withdraw", "token-file"]);
        assert!(said.out.len() > 2_000 && said.err.is_empty(), "{said}");
    }
    person.run(&["completions", "csh"]).await.expect(2);
}

#[tokio::test]
async fn what_makes_no_sense_is_a_mistake_of_usage() {
    let person = CommandLine::new();
    for line in [
        &["token", "burn"][..],
        &["token", "mint", "--role", "king"],
        &["token", "mint", "--expires", "soon"],
        &["token", "revoke", "cso_Zk3p", "--drain", "2h"],
        &["approval", "show", "1"],
        &["approval", "list", "--url", "ftp://host"],
        &["audit", "export", "--out", ".."],
    ] {
        let said = person.clone().env("COUNTERSIGN_TOKEN", "x").run(line).await;
        let said = said.expect(2);
        assert!(said.out.is_empty() && !said.err.is_empty(), "{said}");
    }
}

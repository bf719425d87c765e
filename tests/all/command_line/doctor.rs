//! `doctor`: what is right is said to be, and what is wrong with what to do about it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use countersign_tests::{CommandLine, ControlPlane, Host, Said};

use super::signed_in;
use crate::stage::{ADMIN_TOKEN, tokens};

async fn look(person: &CommandLine, code: i32) -> Said {
    let said = person.run(&["doctor"]).await.expect(code);
    said.hides(&[ADMIN_TOKEN, "link=", "countersign="])
}

#[tokio::test]
async fn a_healthy_host_is_healthy_running_and_stopped() {
    let (host, person) = signed_in().await;
    let said = look(&person, 0).await;
    said.says(&[
        "right configuration has no mistakes",
        "right data folder",
        "right key",
        "right host runs with",
        "right address the host answers",
        "right database can be written",
        "right policies",
        "right disk",
        "note control plane there is none",
        "right session you are signed in at",
        "Nothing is wrong.",
    ]);
    // It has looked at the host's socket, and asked for nothing there.
    person.run(&["token", "list"]).await.expect(0);
    let operator = host.operator_by_link(&person).await;
    tokens(&operator).await;

    let builder = host.stop().await;
    // The session's host is away, which is no fault of this folder's.
    person.run(&["logout"]).await.expect(6);
    let person = builder.command_line();
    let said = look(&person, 0).await;
    said.says(&[
        "note host does not run",
        "is free to listen on",
        "of this version",
        "right clock",
        "nobody is signed in here",
    ]);
    builder.start().await;
}

#[tokio::test]
async fn where_there_is_nothing_yet_nothing_is_wrong_and_nothing_is_made() {
    let person = CommandLine::new()
        .env("COUNTERSIGN_DATA_DIR", "fresh")
        .env("COUNTERSIGN_LISTEN", "127.0.0.1:0");
    let said = look(&person, 0).await;
    said.says(&["the first start makes it", "the built-in baseline alone"]);
    assert!(!person.folder().join("fresh").exists());
}

#[tokio::test]
async fn whatever_keeps_a_host_from_starting_is_named_with_the_next_step() {
    let host = Host::builder().sqlite().start().await;
    let builder = host.stop().await;
    let person = builder.command_line();
    let data = builder.data_dir();
    let set = |name: &str, mode| {
        let path = data.join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    };
    look(&person, 0).await;

    set("", 0o777);
    set("secrets.key", 0o644);
    let said = look(&person, 1).await;
    said.says(&[
        "WRONG data folder",
        "chmod go-w",
        "WRONG key",
        "chmod 600",
        "2 things are wrong",
    ]);
    set("", 0o700);
    set("secrets.key", 0o600);

    let key = fs::read(data.join("secrets.key")).expect("a key");
    fs::write(data.join("secrets.key"), &key[..5]).expect("written");
    look(&person, 1)
        .await
        .says(&["WRONG key", "32 bytes", "SECRETS_ENCRYPTION_KEY"]);
    fs::write(data.join("secrets.key"), &key).expect("written");

    fs::write(data.join("policies/rules.wasm"), "no wasm").expect("written");
    look(&person, 1)
        .await
        .says(&["WRONG policies", "`rules.wasm`", "one thing is wrong"]);
    fs::remove_file(data.join("policies/rules.wasm")).expect("removed");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let elsewhere = person.clone().env("COUNTERSIGN_LISTEN", address.clone());
    look(&elsewhere, 1)
        .await
        .says(&["WRONG address", &address, "in use", "--listen"]);

    let said = look(&person.clone().env("COUNTERSIGN_LISTEN", "x"), 1).await;
    said.says(&[
        "WRONG configuration",
        "COUNTERSIGN_LISTEN: `x` is not an address",
    ]);

    let database = data.join("countersign.db");
    let whole = fs::read(&database).expect("a database");
    fs::write(
        &database,
        "somebody's diary, which is no database\n".repeat(200),
    )
    .expect("written");
    look(&person, 1)
        .await
        .says(&["WRONG database", "not a SQLite database", "backup"]);
    fs::write(&database, whole).expect("written");
    look(&person, 0).await;
    builder.start().await;
}

#[tokio::test]
async fn a_control_plane_that_is_away_is_named() {
    let control_plane = ControlPlane::start();
    let person = CommandLine::new()
        .env("COUNTERSIGN_LISTEN", "127.0.0.1:0")
        .env("CP_UPSTREAM_URL", control_plane.url())
        .env("MOLECULE_ORG_SLUG", "acme");
    look(&person, 0)
        .await
        .says(&["right control plane", "answers"]);
    let away = person.env("CP_UPSTREAM_URL", "http://127.0.0.1:1");
    let said = look(&away, 1).await;
    said.says(&[
        "WRONG control plane",
        "cannot be reached",
        "CP_UPSTREAM_URL",
    ]);
}

#[tokio::test]
async fn a_session_that_others_can_read_or_that_was_ended_is_noticed() {
    let (host, person) = signed_in().await;
    let file = person.session_file();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("set");
    look(&person, 1)
        .await
        .says(&["WRONG session", "can be read by others"]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("set");
    look(&person, 0).await;
    let builder = host.stop().await;
    look(&person, 1)
        .await
        .says(&["WRONG session", "cannot reach"]);
    builder.start().await;
}

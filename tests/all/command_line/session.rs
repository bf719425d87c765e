//! The kept session: whose it is, and where it is sent.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::hostile::Impostor;
use super::signed_in;
use crate::stage::ADMIN_TOKEN;

#[tokio::test]
async fn a_session_that_others_can_read_is_refused() {
    let (_host, person) = signed_in().await;
    let file = person.session_file();
    for mode in [0o644, 0o640, 0o602] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("set");
        let said = person.run(&["approval", "list"]).await.expect(1);
        said.says(&["session.json", "can be read by others"]);
    }
    // Whoever has read it has nothing once its owner signs in again.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("set");
    let read = fs::read(&file).expect("a session");
    person.run(&["login"]).await.expect(0);
    person.run(&["approval", "list"]).await.expect(0);
    let kept = fs::read(&file).expect("a session");
    fs::write(&file, read).expect("written");
    person.run(&["approval", "list"]).await.expect(5);
    fs::write(&file, kept).expect("written");
    let folder = file.parent().expect("a folder");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).expect("set");
    person.run(&["login"]).await.expect(1).says(&["chmod go-w"]);
}

#[tokio::test]
async fn a_session_is_sent_to_the_origin_it_was_made_for_and_nowhere_else() {
    let (host, person) = signed_in().await;
    let impostor = Impostor::start(200, "[]").await;
    let said = person
        .run(&["approval", "list", "--url", impostor.origin()])
        .await
        .expect(5);
    said.says(&[host.origin(), "sent nowhere else"]);
    let elsewhere = person.clone().env("COUNTERSIGN_URL", impostor.origin());
    elsewhere.run(&["approval", "list"]).await.expect(5);
    assert!(impostor.heard().is_empty(), "{:?}", impostor.heard());
    person
        .run(&["approval", "list", "--url", host.origin()])
        .await
        .expect(0);
}

#[tokio::test]
async fn a_session_that_is_over_is_not_sent() {
    let (host, person) = signed_in().await;
    let file = person.session_file();
    let mut session: Value =
        serde_json::from_slice(&fs::read(&file).expect("a session")).expect("JSON");
    session["expires_at"] = "2026-01-01T00:00:00Z".into();
    fs::write(&file, session.to_string()).expect("written");
    let said = person.run(&["token", "list"]).await.expect(5);
    said.says(&[host.origin(), "ended", "`countersign login`"]);
}

#[tokio::test]
async fn what_is_no_session_is_refused_and_not_quoted() {
    let (_host, person) = signed_in().await;
    fs::write(person.session_file(), "{\"cookie\": \"hunter2\"").expect("written");
    let said = person.run(&["token", "list"]).await.expect(1);
    said.says(&["session.json", "sign in again"])
        .hides(&["hunter2"]);
    person.run(&["login"]).await.expect(0);
    person.run(&["token", "list"]).await.expect(0);
}

#[tokio::test]
async fn a_token_takes_the_place_of_the_session_and_is_in_a_file_or_the_environment() {
    let (_host, person) = signed_in().await;
    let file = person.folder().join("token");
    fs::write(&file, format!("{ADMIN_TOKEN}\n")).expect("written");
    let file = file.display().to_string();
    let by_file = ["token", "mint", "--token-file", &file];
    person.run(&by_file).await.expect(3);
    let agent = person.clone().env("COUNTERSIGN_TOKEN", ADMIN_TOKEN);
    agent.run(&["token", "mint"]).await.expect(3);
    let wrong = person.clone().env("COUNTERSIGN_TOKEN", "wrong");
    let said = wrong.run(&["token", "list"]).await.expect(5);
    said.says(&["the token is not valid"]);
    fs::write(&file, "two tokens\n").expect("written");
    person.run(&by_file).await.expect(2);
    person.run(&["token", "mint", "--quiet"]).await.expect(0);
}

//! What keeps the host from starting: it says what, and what to do, ends with 1, and has lost nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use countersign_tests::{ControlPlane, Host};
use serde_json::json;

use crate::stage::{ADMIN_TOKEN, tokens};

#[tokio::test]
async fn a_policy_folder_that_does_not_exist_is_named() {
    let builder = Host::builder();
    let folder = builder.data_dir().with_file_name("no-such-folder");
    let named = folder.display().to_string();
    let failure = builder.arg("--policies").arg(named.as_str()).fail().await;
    failure.says(&[&named, "does not exist"]);
    assert!(
        !folder.exists(),
        "a folder that somebody named is not made up"
    );
}

#[tokio::test]
async fn a_policy_folder_that_is_a_file_is_named() {
    let builder = Host::builder();
    let file = builder.data_dir().with_file_name("policies.txt");
    fs::write(&file, "not a folder").expect("written");
    let named = file.display().to_string();
    let failure = builder
        .env("COUNTERSIGN_POLICIES", named.as_str())
        .fail()
        .await;
    failure.says(&[&named, "not a folder"]);
}

#[tokio::test]
async fn a_port_in_use_is_named_and_its_owner_goes_on() {
    let host = Host::start(ADMIN_TOKEN).await;
    let failure = Host::builder().listen(host.authority()).fail().await;
    failure.says(&[host.authority(), "in use", "--listen"]);
    tokens(&host.agent(ADMIN_TOKEN)).await;
}

#[tokio::test]
async fn a_data_folder_that_another_host_holds_is_left_alone() {
    let host = Host::start(ADMIN_TOKEN).await;
    let held = host.data_dir().display().to_string();
    let failure = host.beside().fail().await;
    failure.says(&[&held, "in use", "--data-dir"]);

    // Its own login link is the first host's still.
    let operator = host.operator().await;
    operator.post("/org/tokens", json!({})).await.expect(200);
}

#[tokio::test]
async fn a_data_folder_is_free_again_after_a_crash_and_holds_all_that_was_acknowledged() {
    let host = Host::start(ADMIN_TOKEN).await;
    let operator = host.operator_session().await;
    let person = host.signed_in(&operator);
    let reply = person
        .post("/org/tokens", json!({ "name": "kept" }))
        .await
        .expect(200);
    let agent = host.agent(ADMIN_TOKEN);
    let id = agent.post("/org/tokens", json!({})).await.approval();

    let host = host.crash().start().await;
    let person = host.signed_in(&operator);
    assert_eq!(tokens(&person).await[0]["name"], "kept");
    tokens(&host.agent(reply.text("auth_token"))).await;
    let agent = host.agent(ADMIN_TOKEN);
    assert_eq!(agent.post("/org/tokens", json!({})).await.approval(), id);
    let audit = person.get("/audit/verify").await.expect(200);
    assert_eq!(audit.json["whole"], true, "{audit}");
}

#[tokio::test]
async fn a_data_folder_that_is_a_file_is_named() {
    let builder = Host::builder();
    let file = builder.data_dir();
    fs::write(&file, "not a folder").expect("written");
    let failure = builder.clone().fail().await;
    failure.says(&[&file.display().to_string(), "data folder"]);
    assert_eq!(
        fs::read_to_string(&file).expect("it is there"),
        "not a folder"
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_and_left_as_it_is() {
    let builder = Host::builder().sqlite();
    let data = builder.data_dir();
    fs::create_dir(&data).expect("made");
    let file = data.join("countersign.db");
    let content = "somebody's diary, which is longer than a page of a database\n".repeat(200);
    fs::write(&file, &content).expect("written");
    let failure = builder.clone().fail().await;
    failure.says(&[&file.display().to_string(), "not a SQLite database"]);
    assert_eq!(fs::read_to_string(&file).expect("it is there"), content);
}

#[tokio::test]
async fn a_database_url_of_another_kind_is_refused_without_its_password() {
    let url = "mysql://countersign:hunter2@db.example/countersign";
    let failure = Host::builder().env("DATABASE_URL", url).fail().await;
    let failure = failure.says(&["DATABASE_URL", "sqlite:", "postgres:"]);
    assert!(!failure.said.contains("hunter2"), "{}", failure.said);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_named_without_its_password() {
    let url = "postgres://countersign:hunter2@127.0.0.1:1/ledger";
    let failure = Host::builder().env("DATABASE_URL", url).fail().await;
    let failure = failure.says(&[
        "postgres://countersign@127.0.0.1:1/ledger",
        "cannot be reached",
    ]);
    assert!(!failure.said.contains("hunter2"), "{}", failure.said);
}

#[tokio::test]
async fn a_key_file_that_is_broken_or_open_to_others_is_named_and_kept() {
    let host = Host::start(ADMIN_TOKEN).await;
    let key = host.data_dir().join("secrets.key");
    let kept = fs::read(&key).expect("the host made a key");
    let stopped = host.stop().await;

    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("changed");
    let failure = stopped.clone().fail().await;
    failure.says(&["secrets.key", "chmod 600"]);

    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("changed");
    fs::write(&key, &kept[..16]).expect("written");
    let failure = stopped.clone().fail().await;
    failure.says(&["secrets.key", "SECRETS_ENCRYPTION_KEY"]);
    assert_eq!(fs::read(&key).expect("it is there"), kept[..16]);

    fs::write(&key, &kept).expect("written");
    let host = stopped.start().await;
    tokens(&host.agent(ADMIN_TOKEN)).await;
}

#[tokio::test]
async fn all_mistakes_of_a_configuration_are_told_at_once() {
    let failure = Host::builder()
        .listen("nowhere")
        .env("CP_UPSTREAM_URL", "ftp://control-plane")
        .env("MOLECULE_ORG_SLUG", "acme")
        .env("MOLECULE_ORG_ID", "acme")
        .env("SECRETS_ENCRYPTION_KEY", "hunter2")
        .fail()
        .await;
    let failure = failure.says(&[
        "COUNTERSIGN_LISTEN",
        "CP_UPSTREAM_URL",
        "MOLECULE_ORG_ID",
        "SECRETS_ENCRYPTION_KEY",
    ]);
    assert!(!failure.said.contains("hunter2"), "{}", failure.said);
}

#[tokio::test]
async fn a_control_plane_without_a_tenant_verifies_nobody_and_the_hosts_own_login_is_the_way_in() {
    let control_plane = ControlPlane::start();
    let host = Host::builder()
        .control_plane(&control_plane)
        .without_env("MOLECULE_ORG_SLUG")
        .start()
        .await;
    let cookie = control_plane.sign_in("ann").await;
    let reply = host.session(&cookie).get("/org/tokens").await;
    reply.refused(401, "unauthenticated");
    host.operator().await.get("/org/tokens").await.expect(200);
    assert!(host.said().contains("MOLECULE_ORG_SLUG"), "{}", host.said());
}

#[tokio::test]
async fn without_an_anchor_that_is_one_an_agent_is_told_in_the_platforms_words() {
    let host = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .env("MOLECULE_PLATFORM_WORKSPACE_ID", "not-a-uuid")
        .start()
        .await;
    let reply = host
        .agent(ADMIN_TOKEN)
        .post("/org/tokens", json!({}))
        .await
        .expect(400);
    assert_eq!(
        reply.json["error"],
        "no approval anchor for this caller class — set MOLECULE_PLATFORM_WORKSPACE_ID for \
         admin-token callers, or call via a session / org-token with a valid org"
    );
    let operator = host.operator().await;
    assert!(tokens(&operator).await.is_empty());
    operator.post("/org/tokens", json!({})).await.expect(200);
}

#[tokio::test]
async fn a_key_that_is_gone_is_missed_and_not_replaced() {
    let host = Host::start(ADMIN_TOKEN).await;
    let key = host.data_dir().join("secrets.key");
    let builder = host.stop().await;
    let kept = fs::read(&key).expect("the host made a key");
    fs::remove_file(&key).expect("it is there");
    let failure = builder.clone().fail().await;
    failure.says(&["another key", "secrets.key", "backup"]);

    fs::write(&key, &kept).expect("written");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("changed");
    builder.start().await;
}

#[tokio::test]
async fn a_data_folder_that_others_can_write_to_is_named() {
    let builder = Host::builder();
    fs::create_dir_all(builder.data_dir()).expect("made");
    fs::set_permissions(builder.data_dir(), fs::Permissions::from_mode(0o777)).expect("changed");
    let named = builder.data_dir().display().to_string();
    builder.fail().await.says(&[&named, "chmod go-w"]);
}

// Guard: `set_statement_timeout` in host/store/src/postgres/prepare.rs, before the migrations.
#[tokio::test]
async fn what_brings_a_database_up_to_this_version_may_take_longer_than_a_request() {
    let builder = Host::builder().postgres();
    builder.database().ask(
        "CREATE SCHEMA watch;
         CREATE TABLE watch.seen (patience TEXT NOT NULL);
         CREATE FUNCTION watch.look() RETURNS event_trigger LANGUAGE plpgsql AS
             'BEGIN INSERT INTO watch.seen VALUES (current_setting(''statement_timeout'')); END';
         CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION watch.look()",
    );
    let host = builder.start().await;
    let seen = "SELECT string_agg(DISTINCT patience, ' ') FROM watch.seen";
    // No limit at all, for each change of a table.
    assert_eq!(host.database().ask(seen), "0");
}

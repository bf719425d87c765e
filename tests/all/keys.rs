//! The key of stored secrets is replaced: at any moment every secret opens, whatever dies meanwhile.

mod command;
mod fleet;

use std::fs;
use std::process::Output;
use std::time::Duration;

use countersign_tests::{Caller, Database, Host, HostBuilder, OperatorSession, until};
use serde_json::{Map, Value, json};

use crate::stage::{ADMIN_TOKEN, approve, workspace, workspace_token};
use crate::workspace_secrets::tamper;

/// Longer than a host takes to look after the keys by itself.
const SETTLED: Duration = Duration::from_secs(60);

/// A host with secrets of one workspace, and who may read them.
struct Vault {
    host: Host,
    session: OperatorSession,
    home: String,
    token: String,
    expected: Map<String, Value>,
}

impl Vault {
    async fn filled(builder: HostBuilder, secrets: usize) -> Self {
        let host = builder.admin_token(ADMIN_TOKEN).start().await;
        let session = host.operator_session().await;
        let person = host.signed_in(&session);
        let home = workspace(&person, "home", None).await;
        let token = workspace_token(&person, &home).await;
        let mut expected = Map::new();
        for n in 0..secrets {
            let (key, value) = (format!("KEY_{n}"), format!("value {n} ").repeat(n + 1));
            let path = match n % 2 {
                0 => format!("/workspaces/{home}/secrets"),
                _ => "/settings/secrets".to_owned(),
            };
            write(&person, &path, &key, &value).await;
            expected.insert(key, value.into());
        }
        Self {
            host,
            session,
            home,
            token,
            expected,
        }
    }

    fn person(&self) -> Caller {
        self.host.signed_in(&self.session)
    }

    async fn values(&self, host: &Host) -> countersign_tests::Reply {
        let own = host.agent(&self.token);
        own.get(&format!("/workspaces/{}/secrets/values", self.home))
            .await
    }

    /// Every secret opens at `host`, to what was written.
    async fn is_whole_at(&self, host: &Host) {
        let values = self.values(host).await.expect(200);
        assert_eq!(values.json, Value::Object(self.expected.clone()));
    }

    async fn is_whole(&self) {
        self.is_whole_at(&self.host).await;
    }

    /// Waits until nothing opens to a former key any more: the audit's entries about keys.
    async fn forgets_the_former_key(&self) -> Vec<String> {
        let person = self.person();
        until("the former key is forgotten", SETTLED, async || {
            let kinds = audited(&person).await;
            let of = |kind: &str| kinds.iter().filter(|found| *found == kind).count();
            (of("keys_rotating") == of("root_key_forgotten")).then_some(kinds)
        })
        .await
    }

    /// With the host stopped, changed and started again.
    async fn restarted(self, change: impl AsyncFnOnce(HostBuilder) -> HostBuilder) -> Self {
        let stopped = self.host.stop().await;
        let host = change(stopped).await.start().await;
        Self { host, ..self }
    }

    /// With the key replaced while the host was stopped.
    async fn under_another_key(self) -> Self {
        self.restarted(async |stopped| {
            let done = rotate(&stopped);
            assert!(done.status.success(), "{}", said(&done));
            let_go_of_the_former_key(&stopped);
            stopped
        })
        .await
    }
}

async fn write(person: &Caller, path: &str, key: &str, value: &str) {
    let body = json!({ "key": key, "value": value });
    person.post(path, body).await.expect(200);
}

fn rotate(builder: &HostBuilder) -> Output {
    builder.run(&["keys", "rotate"])
}

/// Where nobody else uses the database, the command does it by itself. On a server it says that its reader
/// is to do it.
fn let_go_of_the_former_key(stopped: &HostBuilder) {
    let old = stopped.data_dir().join("secrets.key.old");
    match stopped.database() {
        Database::Sqlite => assert!(!old.exists(), "nobody needs it"),
        Database::Postgres { .. } => fs::remove_file(old).expect("others may need it"),
    }
}

fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// The kinds of audit entries about keys, in order.
async fn audited(person: &Caller) -> Vec<String> {
    let mut kinds = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/audit?limit=200{cursor}");
        let page = person.get(&path).await.expect(200);
        for entry in page.json["entries"].as_array().expect("entries") {
            let kind = entry["kind"].as_str().expect("a kind");
            if kind.contains("key") && !kind.starts_with("audit") {
                kinds.push(kind.to_owned());
            }
        }
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return kinds,
        }
    }
}

#[tokio::test]
async fn what_waits_for_people_stays_valid_and_so_does_a_grant() {
    let vault = Vault::filled(Host::builder().sqlite(), 2).await;
    let agent = vault.host.agent(ADMIN_TOKEN);
    let ask = async |agent: &Caller, key: &str| {
        let body = json!({ "key": key, "value": "a" });
        agent.post("/settings/secrets", body).await
    };
    let granted = ask(&agent, "KEY_1").await.approval();
    approve(&vault.person(), &granted).await;
    let waiting = ask(&agent, "NEW").await.approval();
    let vault = vault
        .restarted(async |stopped| {
            assert!(rotate(&stopped).status.success());
            stopped
        })
        .await;
    let agent = vault.host.agent(ADMIN_TOKEN);
    ask(&agent, "KEY_1").await.expect(200);
    assert_eq!(ask(&agent, "NEW").await.approval(), waiting);
    approve(&vault.person(), &waiting).await;
    ask(&agent, "NEW").await.expect(200);
}

#[tokio::test]
async fn a_secret_that_does_not_open_keeps_the_former_key_until_it_is_written_anew() {
    let vault = Vault::filled(Host::builder().sqlite(), 6).await;
    let old = vault.host.data_dir().join("secrets.key.old");
    let mut vault = vault
        .restarted(async |stopped| {
            let sql = "UPDATE secrets SET sealed = substr(sealed, 1, 20) WHERE key = 'KEY_3'";
            tamper(&stopped, sql).await;
            let refused = rotate(&stopped);
            assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
            assert!(
                said(&refused).contains("global/KEY_3"),
                "{}",
                said(&refused)
            );
            stopped
        })
        .await;
    assert!(old.exists(), "the former key is needed");
    let values = vault.values(&vault.host).await;
    let values = values.refused(500, "secrets_unreadable");
    assert_eq!(values.json["failed_keys"], json!(["KEY_3"]));

    write(&vault.person(), "/settings/secrets", "KEY_3", "anew").await;
    vault.expected.insert("KEY_3".to_owned(), "anew".into());
    vault.is_whole().await;
    until("the host forgets the former key", SETTLED, async || {
        (!old.exists()).then_some(())
    })
    .await;
    vault.is_whole().await;
    let kinds = audited(&vault.person()).await;
    assert_eq!(kinds.last().map(String::as_str), Some("root_key_forgotten"));
}

#[tokio::test]
async fn a_bundle_with_one_row_that_is_not_as_it_was_written_is_refused_whole() {
    let vault = Vault::filled(Host::builder(), 4).await;
    let changes = [
        // Copied over another one.
        "UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE key = 'KEY_0') WHERE key = 'KEY_2'",
        // Of a key that there is not.
        "UPDATE secrets SET key_id = 'deadbeef' WHERE key = 'KEY_2'",
        // Shorter than a nonce, and shorter than it was.
        "UPDATE secrets SET sealed = substr(sealed, 1, 5) WHERE key = 'KEY_2'",
        "UPDATE secrets SET sealed = substr(sealed, 1, 30) WHERE key = 'KEY_2'",
        // Moved to another name.
        "UPDATE secrets SET key = 'KEY_9' WHERE key = 'KEY_2'",
    ];
    let mut vault = vault;
    for sql in changes {
        vault = vault
            .restarted(async |stopped| {
                tamper(&stopped, sql).await;
                stopped
            })
            .await;
        let refused = vault.values(&vault.host).await;
        let refused = refused.refused(500, "secrets_unreadable");
        let failed = refused.json["failed_keys"].as_array().expect("keys");
        assert_eq!(failed.len(), 1, "{refused}");
        assert!(!refused.page().contains("value"), "{sql}: {refused}");
        // Written anew, it is whole again.
        let key = failed[0].as_str().expect("a key").to_owned();
        let path = format!("/workspaces/{}/secrets", vault.home);
        if key == "KEY_9" {
            vault.expected.remove("KEY_2");
        }
        write(&vault.person(), &path, &key, "anew").await;
        vault.expected.insert(key, "anew".into());
        vault.is_whole().await;
    }
}

#[tokio::test]
async fn a_key_in_the_environment_is_replaced_by_naming_both() {
    const FIRST: &str = "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff";
    const SECOND: &str = "0ddba110ddba110ddba110ddba110ddba110ddba110ddba110ddba110ddba110";
    let builder = Host::builder().env("SECRETS_ENCRYPTION_KEY", FIRST);
    let vault = Vault::filled(builder, 20).await;
    let vault = vault
        .restarted(async |stopped| {
            let refused = rotate(&stopped);
            assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
            assert!(said(&refused).contains("SECRETS_ENCRYPTION_KEY_OLD"));
            let both = stopped
                .env("SECRETS_ENCRYPTION_KEY_OLD", FIRST)
                .env("SECRETS_ENCRYPTION_KEY", SECOND);
            let same = both
                .clone()
                .env("SECRETS_ENCRYPTION_KEY", FIRST)
                .fail()
                .await;
            let same = same.says(&["is the same as SECRETS_ENCRYPTION_KEY"]);
            assert!(!same.said.contains(FIRST) && !same.said.contains(SECOND));
            both
        })
        .await;
    // The host does it while it serves.
    let person = vault.person();
    until("every secret is sealed again", SETTLED, async || {
        let kinds = audited(&person).await;
        kinds.contains(&"keys_rotated".to_owned()).then_some(())
    })
    .await;
    vault.is_whole().await;
    let vault = vault
        .restarted(async |stopped| stopped.without_env("SECRETS_ENCRYPTION_KEY_OLD"))
        .await;
    vault.is_whole().await;
    let person = vault.person();
    until("the former key is forgotten", SETTLED, async || {
        let kinds = audited(&person).await;
        (kinds.last()? == "root_key_forgotten").then_some(())
    })
    .await;
    let stopped = vault.host.stop().await;
    let failure = stopped.env("SECRETS_ENCRYPTION_KEY", FIRST).fail().await;
    failure.says(&["another key"]);
}

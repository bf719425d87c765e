//! What a PostgreSQL server and its databases can be, and how they are refused.

use countersign_core::ports::Ledger as _;
use countersign_core::time::Timestamp;
use countersign_store::{OpenError, PostgresLedger, Refusal};

use crate::cluster::Cluster;
use crate::postgres::{Database, address, run};

async fn refusal(url: &str) -> OpenError {
    PostgresLedger::open(&address(url))
        .await
        .expect_err("it is refused")
}

async fn made(database: &Database) {
    database.open().await.close().await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let database = Database::new().await;
    made(&database).await;
    database
        .tamper(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'from the future', true, '\\x00', 0)",
        )
        .await;
    let error = refusal(database.url()).await;
    assert!(matches!(error.refusal, Refusal::Newer(9999)), "{error:?}");
}

#[tokio::test]
async fn a_database_of_another_build_is_refused() {
    let database = Database::new().await;
    made(&database).await;
    database
        .tamper("UPDATE _sqlx_migrations SET checksum = '\\x00'")
        .await;
    let error = refusal(database.url()).await;
    assert!(matches!(error.refusal, Refusal::Diverged(1)), "{error:?}");
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let database = Database::new().await;
    database.tamper("CREATE TABLE songs (title TEXT)").await;
    let error = refusal(database.url()).await;
    assert!(matches!(error.refusal, Refusal::Foreign), "{error:?}");
    // It is still the only table: this fails where another one refers to it or has its name.
    database.tamper("DROP TABLE songs").await;
    made(&database).await;
}

#[tokio::test]
async fn a_database_that_is_not_there_is_refused_in_words_without_a_password() {
    let url = Cluster::shared().named("no_such_database");
    let url = url.replace("://countersign@", "://countersign:hunter2@");
    let error = refusal(&url).await;
    assert!(matches!(error.refusal, Refusal::NotLetIn(_)), "{error:?}");
    let sentence = error.to_string();
    assert!(sentence.contains("/no_such_database"), "{sentence}");
    assert!(
        !format!("{sentence} {error:?}").contains("hunter2"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_refused() {
    let error = refusal("postgres://nobody@127.0.0.1:1/none").await;
    assert!(
        matches!(error.refusal, Refusal::Unreachable(_)),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_database_in_another_encoding_is_refused() {
    let cluster = Cluster::shared();
    let name = cluster.fresh_name();
    let sql = format!("CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'");
    run(&cluster.url(), &sql).await;
    let error = refusal(&cluster.named(&name)).await;
    assert!(
        matches!(&error.refusal, Refusal::Encoding(found) if found == "SQL_ASCII"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_database_that_may_only_be_read_is_refused() {
    let database = Database::new().await;
    made(&database).await;
    let name = database.name();
    database
        .tamper(&format!(
            "ALTER DATABASE {name} SET default_transaction_read_only = on"
        ))
        .await;
    let error = refusal(database.url()).await;
    assert!(matches!(error.refusal, Refusal::Unwritable(_)), "{error:?}");
}

/// As when the server is restarted: every connection is gone. Writing finds new ones; a reader whose
/// connection was used a moment ago is refused, once for each of them.
#[tokio::test]
async fn connections_that_the_server_ended_are_replaced() {
    let database = Database::new().await;
    let ledger = database.open().await;
    for round in 0..3 {
        ledger
            .sweep(Timestamp::from_micros(round))
            .await
            .expect("it writes");
        let mut refused = 0;
        while let Err(error) = ledger.latest_instant().await {
            refused += 1;
            assert!(round > 0 && refused <= 8, "{refused} times: {error:?}");
        }
        let name = database.name();
        run(
            &Cluster::shared().url(),
            &format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            ),
        )
        .await;
    }
    ledger.close().await;
}

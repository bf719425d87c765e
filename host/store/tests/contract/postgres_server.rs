//! What a PostgreSQL server and its databases can be, and how they are refused.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_core::generation::GenerationLedger as _;
use countersign_core::generation::{GenerationChange, Seal};
use countersign_core::ports::Ledger as _;
use countersign_core::time::Timestamp;
use countersign_store::{OpenError, PostgresLedger, Refusal, Standing};
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;

use crate::cluster::Cluster;
use crate::postgres::{Database, address, run};

async fn refusal(url: &str) -> OpenError {
    PostgresLedger::open(&address(url))
        .await
        .expect_err("it is refused")
}

/// What one value is at the server, when it is `wanted`.
async fn until(url: &str, sql: &'static str, wanted: i64) {
    let mut connection = PgConnection::connect(url).await.expect("it answers");
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let value: i64 = sqlx::query_scalar(sql)
            .fetch_one(&mut connection)
            .await
            .expect("the query is right");
        if value == wanted {
            return;
        }
        assert!(Instant::now() < end, "`{sql}` stays {value}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
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

/// Waits for news; false where none comes.
async fn hears(ledger: &PostgresLedger, patience: Duration) -> bool {
    tokio::time::timeout(patience, ledger.change())
        .await
        .is_ok()
}

#[tokio::test]
async fn what_one_host_changes_another_hears_and_again_after_the_connection_is_lost() {
    const SOON: Duration = Duration::from_secs(10);
    const QUIET: Duration = Duration::from_millis(200);
    let database = Database::new().await;
    let (here, there) = (database.open().await, database.open().await);
    let change = |follows| GenerationChange {
        seal: Seal::from_text("ab".repeat(32)),
        modules: Vec::new(),
        components: Vec::new(),
        shadow: Vec::new(),
        follows,
        by: "folder".to_owned(),
        summary: "nothing is left".to_owned(),
        at: Timestamp::from_micros(1),
        approval: None,
    };
    assert!(hears(&there, SOON).await, "it begins to listen");
    for follows in 0..3 {
        assert!(!hears(&there, QUIET).await, "there is nothing to hear");
        let recorded = here.record_generation(&change(follows)).await;
        assert_eq!(recorded.expect("it writes"), Some(follows + 1));
        assert!(hears(&there, SOON).await);
        let name = database.name();
        run(
            &Cluster::shared().url(),
            &format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = '{name}' AND query LIKE 'LISTEN%'"
            ),
        )
        .await;
        assert!(hears(&there, SOON).await, "something may have been missed");
    }
    there.close().await;
    here.close().await;
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

/// The lock is another's for as long as the server lets anybody wait: that is refused, and no more than that.
#[tokio::test]
async fn a_turn_that_was_not_had_is_refused_and_the_next_one_is_had() {
    let database = Database::new().await;
    let ledger = Arc::new(database.open().await);
    let mut other = PgConnection::connect(database.url())
        .await
        .expect("it answers");
    sqlx::raw_sql("SELECT pg_advisory_lock(1668507502)")
        .execute(&mut other)
        .await
        .expect("it is free");
    let mut waiting = JoinSet::new();
    let waiter = Arc::clone(&ledger);
    waiting.spawn(async move { waiter.mark(Timestamp::from_micros(1)).await });
    until(
        database.url(),
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()
             AND wait_event_type = 'Lock' AND wait_event = 'advisory'",
        1,
    )
    .await;
    database
        .tamper(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
                 AND wait_event_type = 'Lock'",
        )
        .await;
    let waited = waiting.join_all().await.pop();
    waited.expect("one").expect_err("it was not had");
    other.close().await.expect("it closes");
    for at in 2..4 {
        let marked = ledger.mark(Timestamp::from_micros(at)).await;
        marked.expect("it is had");
    }
    ledger.close().await;
}

/// As requests do whose clients hang up: no connection is left in the midst of a transaction, whose old
/// state others would read, and whose lock would hold others up.
#[tokio::test]
async fn whoever_gives_up_at_whatever_moment_leaves_no_transaction_open() {
    let database = Database::new().await;
    let ledger = database.open().await;
    for moment in 0..60 {
        {
            let mut reading = std::pin::pin!(ledger.latest_generation());
            let mut writing = std::pin::pin!(ledger.mark(Timestamp::from_micros(1)));
            let end = Instant::now() + Duration::from_micros(20) * moment;
            while Instant::now() < end {
                tokio::select! {
                    biased;
                    _ = &mut reading, if moment % 2 == 0 => break,
                    _ = &mut writing, if moment % 2 == 1 => break,
                    () = tokio::task::yield_now() => {}
                }
            }
        }
        until(
            database.url(),
            "SELECT COUNT(*) FROM pg_stat_activity
             WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
            0,
        )
        .await;
    }
    ledger
        .mark(Timestamp::from_micros(99))
        .await
        .expect("it is had");
    let latest = ledger.latest_instant().await.expect("it reads");
    assert_eq!(latest, Some(Timestamp::from_micros(99)));
    ledger.close().await;
}

#[tokio::test]
async fn a_look_tells_how_a_database_stands_and_changes_nothing_in_it() {
    let database = Database::new().await;
    let place = address(database.url());
    let look = async || PostgresLedger::look(&place).await;
    assert_eq!(look().await.expect("a look"), Standing::Empty);

    let ledger = database.open().await;
    let now = Timestamp::from_micros(1_767_225_600_000_000);
    ledger.mark(now).await.expect("it writes");
    ledger.close().await;
    let stands = |to_migrate| Standing::Ours {
        to_migrate,
        latest: Some(now),
    };
    assert_eq!(look().await.expect("a look"), stands(0));
    let last = "(SELECT MAX(version) FROM _sqlx_migrations)";
    let sql = format!("DELETE FROM _sqlx_migrations WHERE version = {last}");
    database.tamper(&sql).await;
    assert_eq!(look().await.expect("a look"), stands(1));
    database
        .tamper("UPDATE _sqlx_migrations SET checksum = '\\x00'")
        .await;
    let refused = look().await.expect_err("another build's").refusal;
    assert!(matches!(refused, Refusal::Diverged(1)), "{refused:?}");
}

//! What a SQLite file can be, and how it is refused.

use std::error::Error as _;
use std::path::Path;

use countersign_core::ports::Ledger as _;
use countersign_core::time::Timestamp;
use countersign_store::{OpenError, Refusal, SqliteLedger, Standing};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};

async fn raw(path: &Path) -> SqliteConnection {
    sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .connect()
        .await
        .expect("the file opens")
}

async fn run(path: &Path, sql: &str) {
    let mut connection = raw(path).await;
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("the statement is right");
    connection.close().await.expect("it closes");
}

async fn made(path: &Path) {
    SqliteLedger::open(path)
        .await
        .expect("it opens")
        .close()
        .await;
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

async fn refusal(path: &Path) -> OpenError {
    SqliteLedger::open(path).await.expect_err("it is refused")
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    let folder = folder();
    let path = folder.path().join("ledger.db");
    made(&path).await;
    run(
        &path,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', 1, x'00', 0)",
    )
    .await;
    let before = std::fs::read(&path).expect("the file");
    let error = refusal(&path).await;
    assert!(matches!(error.refusal, Refusal::Newer(9999)), "{error:?}");
    assert!(error.to_string().contains("newer version of Countersign"));
    assert_eq!(std::fs::read(&path).expect("the file"), before);
}

#[tokio::test]
async fn a_database_of_another_build_is_refused() {
    let folder = folder();
    let path = folder.path().join("ledger.db");
    made(&path).await;
    run(&path, "UPDATE _sqlx_migrations SET checksum = x'00'").await;
    let error = refusal(&path).await;
    assert!(matches!(error.refusal, Refusal::Diverged(1)), "{error:?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = folder();
    let path = folder.path().join("ledger.db");
    let text = "this is not a database, however long one looks at it. ".repeat(40);
    std::fs::write(&path, &text).expect("written");
    assert!(matches!(
        refusal(&path).await.refusal,
        Refusal::NotADatabase
    ));
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), text);
}

#[tokio::test]
async fn a_database_whose_first_page_is_damaged_is_refused() {
    let folder = folder();
    let path = folder.path().join("ledger.db");
    made(&path).await;
    let mut bytes = std::fs::read(&path).expect("the file");
    bytes[100..160].fill(0xff);
    std::fs::write(&path, bytes).expect("written");
    let error = refusal(&path).await;
    assert!(matches!(error.refusal, Refusal::NotADatabase), "{error:?}");
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let folder = folder();
    let path = folder.path().join("theirs.db");
    run(&path, "CREATE TABLE songs (title TEXT)").await;
    let before = std::fs::read(&path).expect("the file");
    assert!(matches!(refusal(&path).await.refusal, Refusal::Foreign));
    assert_eq!(std::fs::read(&path).expect("the file"), before);
}

/// The header's write version says that this SQLite may read the file and not write it, which holds for
/// whoever runs the test, root included.
#[tokio::test]
async fn a_database_that_cannot_be_written_is_refused() {
    let folder = folder();
    let path = folder.path().join("ledger.db");
    made(&path).await;
    let mut bytes = std::fs::read(&path).expect("the file");
    bytes[18] = 3;
    std::fs::write(&path, bytes).expect("written");
    let error = refusal(&path).await;
    assert!(matches!(error.refusal, Refusal::Unwritable(_)), "{error:?}");
    assert!(error.refusal.source().is_some());
    let sentence = error.to_string();
    assert!(!sentence.contains("code"), "{sentence}");
}

#[tokio::test]
async fn a_database_that_another_process_holds_is_refused() {
    let folder = folder();
    let path = folder.path().join("ledger.db");
    made(&path).await;
    let mut other = raw(&path).await;
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .expect("it begins");
    assert!(matches!(refusal(&path).await.refusal, Refusal::Held));
    other.close().await.expect("it closes");
    made(&path).await;
}

#[tokio::test]
async fn a_place_where_no_file_can_be_is_refused() {
    let folder = folder();
    let missing = folder.path().join("no such folder").join("ledger.db");
    for place in [&*missing, folder.path()] {
        let error = refusal(place).await;
        assert!(matches!(error.refusal, Refusal::Unwritable(_)), "{error:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_but_its_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let path = folder.path().join("ledger.db");
    let mode = |path: &Path| {
        let metadata = std::fs::metadata(path).expect("the file");
        metadata.permissions().mode() & 0o777
    };
    let ledger = SqliteLedger::open(&path).await.expect("it opens");
    ledger
        .sweep(Timestamp::from_micros(0))
        .await
        .expect("it writes");
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        assert_eq!(mode(&folder.path().join(name)), 0o600, "{name}");
    }
    ledger.close().await;
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&path, open).expect("changed");
    made(&path).await;
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn a_look_tells_how_a_file_stands_and_changes_nothing_in_it() {
    let folder = folder();
    let path = folder.path().join("ledger.db");
    let look = async || SqliteLedger::look(&path).await;
    assert_eq!(look().await.expect("a look"), Standing::Empty);
    assert!(!path.exists(), "nothing is made");

    let ledger = SqliteLedger::open(&path).await.expect("it opens");
    let now = Timestamp::from_micros(1_767_225_600_000_000);
    ledger.mark(now).await.expect("it writes");
    ledger.close().await;
    let before = std::fs::read(&path).expect("the file");
    let stands = |to_migrate| Standing::Ours {
        to_migrate,
        latest: Some(now),
    };
    assert_eq!(look().await.expect("a look"), stands(0));
    assert_eq!(std::fs::read(&path).expect("the file"), before);

    let last = "(SELECT MAX(version) FROM _sqlx_migrations)";
    run(
        &path,
        &format!("DELETE FROM _sqlx_migrations WHERE version = {last}"),
    )
    .await;
    assert_eq!(look().await.expect("a look"), stands(1));
    run(&path, "UPDATE _sqlx_migrations SET checksum = x'00'").await;
    let refused = look().await.expect_err("another build's").refusal;
    assert!(matches!(refused, Refusal::Diverged(1)), "{refused:?}");
    std::fs::write(&path, "no database at all ".repeat(100)).expect("written");
    let refused = look().await.expect_err("no database").refusal;
    assert!(matches!(refused, Refusal::NotADatabase), "{refused:?}");
}

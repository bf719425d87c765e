//! The suite on SQLite, each test on a file of its own.

use std::path::PathBuf;

use countersign_store::SqliteLedger;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

#[path = "suite/mod.rs"]
mod suite;

/// The migration that fills what people narrow decisions by.
const HISTORY: &str = include_str!("../../../../migrations/sqlite/0015_history.sql");
/// The migration that finds the people of what was recorded before.
const PEOPLE: &str = include_str!("../../../../migrations/sqlite/0018_people.sql");

type Store = SqliteLedger;

/// A database that nobody else uses.
struct Database {
    folder: tempfile::TempDir,
}

impl Database {
    async fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    async fn open(&self) -> Store {
        SqliteLedger::open(&self.path())
            .await
            .expect("the database opens")
    }

    /// Changes the database behind the ledger's back.
    async fn tamper(&self, sql: &str) {
        let mut connection = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(self.path())
            .connect()
            .await
            .expect("the file opens");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .expect("the statement is right");
        connection.close().await.expect("it closes");
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }
}

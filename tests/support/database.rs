//! Where a host under test keeps its ledger: SQLite in its data folder, or, where
//! `COUNTERSIGN_TEST_DATABASE=postgres` says so, a database of its own on a PostgreSQL server.

use std::process::Command;

use crate::cluster::Cluster;

/// The database of one host, or of several.
#[derive(Debug)]
pub enum Database {
    /// A file of the data folder.
    Sqlite,
    /// A database that was made for the test.
    Postgres {
        /// Its URL.
        url: String,
    },
}

impl Database {
    /// A fresh one, of the kind that the tests run on.
    ///
    /// # Panics
    ///
    /// If the environment names a kind that there is not, or the server makes none.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is how the tests are told on which database they run"
    )]
    pub fn make() -> Self {
        match std::env::var("COUNTERSIGN_TEST_DATABASE").as_deref() {
            Err(_) | Ok("sqlite") => Self::Sqlite,
            Ok("postgres") => Self::postgres(),
            Ok(other) => {
                panic!("COUNTERSIGN_TEST_DATABASE is `{other}`, not `sqlite` or `postgres`")
            }
        }
    }

    /// Its kind, for people.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres { .. } => "postgres",
        }
    }

    /// A fresh one on the PostgreSQL server.
    ///
    /// # Panics
    ///
    /// If the server makes none.
    pub fn postgres() -> Self {
        let cluster = Cluster::shared();
        let name = cluster.fresh_name();
        let url = cluster.named(&name);
        psql(&cluster.url(), &format!("CREATE DATABASE {name}"));
        Self::Postgres { url }
    }

    /// What tells a host of it.
    pub fn environment(&self) -> Vec<(String, String)> {
        match self {
            Self::Sqlite => Vec::new(),
            Self::Postgres { url } => vec![("DATABASE_URL".to_owned(), url.clone())],
        }
    }

    /// What one statement answers, behind the host's back.
    ///
    /// # Panics
    ///
    /// If it is not on a server, or the statement fails.
    pub fn ask(&self, sql: &str) -> String {
        match self {
            Self::Sqlite => panic!("a file is asked by nobody but the host"),
            Self::Postgres { url } => psql(url, sql),
        }
    }

    /// Lets nobody write any more, or again: new sessions are read-only, and those that there are end. Who
    /// may write again finds out by itself.
    ///
    /// # Panics
    ///
    /// If it is not on a server, or that does not do it.
    pub fn set_read_only(&self, is_read_only: bool) {
        let name = self.ask("SELECT current_database()");
        let server = Cluster::shared().url();
        let how = if is_read_only {
            "SET default_transaction_read_only = on"
        } else {
            "RESET default_transaction_read_only"
        };
        psql(&server, &format!("ALTER DATABASE {name} {how}"));
        if is_read_only {
            self.end_connections();
        }
    }

    /// Ends all connections to it, as a server does that is restarted.
    ///
    /// # Panics
    ///
    /// If it is not on a server, or that does not do it.
    pub fn end_connections(&self) {
        let name = self.ask("SELECT current_database()");
        let end = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        psql(&Cluster::shared().url(), &end);
    }

    /// All that it holds, as text; nothing where it is a file of the data folder.
    ///
    /// # Panics
    ///
    /// If the server does not tell.
    pub fn dump(&self) -> Option<Vec<u8>> {
        let Self::Postgres { url } = self else {
            return None;
        };
        let dumped = Command::new("pg_dump")
            .args(["--dbname", url])
            .output()
            .expect("pg_dump is installed");
        assert!(dumped.status.success(), "pg_dump: {dumped:?}");
        Some(dumped.stdout)
    }
}

/// Runs one statement, and returns the one value that it answers.
fn psql(url: &str, sql: &str) -> String {
    let done = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
        .args(["--dbname", url, "--command", sql])
        .output()
        .expect("psql is installed");
    assert!(done.status.success(), "`{sql}`: {done:?}");
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

//! Which database, and why it cannot be opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use countersign_core::ports::Ledger;
use countersign_core::time::Timestamp;

use crate::postgres::{PostgresAddress, PostgresLedger};
use crate::sqlite::SqliteLedger;

/// What a database URL must look like.
const EXPECTED: &str = "`sqlite:<path>` or `postgres://<user>@<host>/<database>`";

/// Where the ledger is kept. Shown, it holds no password.
#[derive(Clone, Debug)]
pub enum Address {
    /// A file.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres(PostgresAddress),
}

impl Address {
    /// Reads a database URL; the error says what one looks like, and repeats nothing of it.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let is_file = !path.is_empty() && !path.contains(['?', '#']) && path != ":memory:";
            return is_file.then(|| Self::Sqlite(path.into())).ok_or(EXPECTED);
        }
        PostgresAddress::parse(url)
            .map(Self::Postgres)
            .ok_or(EXPECTED)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(address) => address.fmt(f),
        }
    }
}

/// Opens the ledger at `address`, makes its tables where there are none, and brings them up to this
/// version.
pub async fn open(address: &Address) -> Result<Arc<dyn Ledger>, OpenError> {
    Ok(match address {
        Address::Sqlite(path) => Arc::new(SqliteLedger::open(path).await?),
        Address::Postgres(address) => Arc::new(PostgresLedger::open(address).await?),
    })
}

/// How a database stands to this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is nothing in it, or it is not there: the first start makes the tables.
    Empty,
    /// It holds a ledger.
    Ours {
        /// How many migrations the next start will do.
        to_migrate: usize,
        /// How late it was when it was last written.
        latest: Option<Timestamp>,
    },
}

impl Standing {
    /// Whether what is in it can be read as this version writes it.
    pub(crate) fn is_current(self) -> bool {
        matches!(self, Self::Ours { to_migrate: 0, .. })
    }
}

/// Looks at the database at `address`, which no host may be using if it is a file, and changes nothing in
/// it.
pub async fn look(address: &Address) -> Result<Standing, OpenError> {
    match address {
        Address::Sqlite(path) => SqliteLedger::look(path).await,
        Address::Postgres(address) => PostgresLedger::look(address).await,
    }
}

/// The database could not be opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the database `{database}`: {refusal}")]
pub struct OpenError {
    /// Which; without a password.
    pub database: String,
    /// Why.
    #[source]
    pub refusal: Refusal,
}

/// Why a database cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It cannot be made or written.
    #[error(
        "it cannot be written: check that it exists, that this user may write it, and that it is no standby"
    )]
    Unwritable(#[source] Source),
    /// There is no room for it.
    #[error("its disk is full: make room and start again; what was recorded is still there")]
    Full,
    /// Another process holds it.
    #[error("it is held by another process: stop that one first")]
    Held,
    /// The file is something else, or broken.
    #[error(
        "it is not a SQLite database, or is damaged: restore a backup, or move it away to start anew"
    )]
    NotADatabase,
    /// The server cannot be reached.
    #[error(
        "the server cannot be reached: check that it runs there and that the URL's host, port and sslmode are right (a server elsewhere must prove itself by TLS, unless the URL has an sslmode)"
    )]
    Unreachable(#[source] Source),
    /// The server lets this user not in.
    #[error("the server does not let this user in: check user, password and database in the URL")]
    NotLetIn(#[source] Source),
    /// The server's encoding cannot hold every text.
    #[error("its encoding is `{0}`: make it with ENCODING 'UTF8'")]
    Encoding(String),
    /// It belongs to another program.
    #[error("it belongs to another program: name another database")]
    Foreign,
    /// Its tables are of a later version.
    #[error(
        "it was written by a newer version of Countersign (it has migration {0}): run that version or restore a backup"
    )]
    Newer(i64),
    /// Its tables are of a version that never was.
    #[error(
        "it was made by another build of Countersign (its migration {0} differs): run that build or restore a backup"
    )]
    Diverged(i64),
    /// Anything else.
    #[error("it cannot be opened")]
    Other(#[source] Source),
}

/// What the driver says.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

impl Refusal {
    pub(crate) fn of(self, database: impl fmt::Display) -> OpenError {
        OpenError {
            database: database.to_string(),
            refusal: self,
        }
    }

    /// What sqlx's migrator means; `of` says what the driver means.
    pub(crate) fn of_migration(
        error: sqlx::migrate::MigrateError,
        of: impl Fn(sqlx::Error) -> Self,
    ) -> Self {
        use sqlx::migrate::MigrateError;
        match error {
            MigrateError::VersionMissing(migration) => Self::Newer(migration),
            MigrateError::VersionMismatch(migration) => Self::Diverged(migration),
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => of(error),
            other => Self::Other(Box::new(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_file_or_a_server() {
        for url in ["sqlite:a.db", "sqlite:///var/lib/a.db"] {
            assert!(
                matches!(Address::parse(url), Ok(Address::Sqlite(_))),
                "{url}"
            );
        }
        for url in [
            "postgres://u@h/d",
            "postgresql://u:p@h:5433/d?sslmode=require",
        ] {
            assert!(
                matches!(Address::parse(url), Ok(Address::Postgres(_))),
                "{url}"
            );
        }
        for url in [
            "",
            "a.db",
            "sqlite:",
            "sqlite::memory:",
            "sqlite:a?mode=ro",
            "mysql://h/d",
            "postgres://h:port/d",
        ] {
            assert!(Address::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn an_address_says_where_and_never_the_password() {
        let address =
            Address::parse("postgres://ann:hunter2@db.example:5433/ledger").expect("a URL");
        assert_eq!(address.to_string(), "postgres://ann@db.example:5433/ledger");
        assert!(!format!("{address:?}").contains("hunter2"));
    }
}

//! The ledger on SQLite: one file, in WAL mode.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::fault::Fault;

#[path = "portable/mod.rs"]
mod portable;

/// The driver for which `portable` is compiled here.
type Driver = sqlx::Sqlite;
/// The ledger that `portable` implements.
type Store = SqliteLedger;
/// A transaction of either kind.
type Transaction = sqlx::Transaction<'static, Driver>;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// How many connections read at the same time. Each is a thread; a read takes microseconds.
const READERS: u32 = 4;

/// How long a statement waits for another process that holds the file, and a request for a connection.
/// A writing transaction takes milliseconds, so whoever waits this long waits for something broken.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long opening waits for another process. A host that starts has nobody who waits for it, and
/// whoever starts a second one wants to hear of the first.
const PATIENCE_TO_OPEN: Duration = Duration::from_secs(1);

/// The ledger on SQLite.
///
/// SQLite has one writer at a time. So has this: one connection writes, and requests queue for it here,
/// in order, rather than in SQLite's busy loop. Any number of others read the last committed state.
#[derive(Debug)]
pub struct SqliteLedger {
    writer: SqlitePool,
    readers: SqlitePool,
}

/// The database could not be opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not a URL for SQLite.
    #[error("`{0}` does not name a SQLite file: write `sqlite:<path>`")]
    Url(String),
    /// No file can be made or written there.
    #[error("cannot write the database `{}`: check that its folder exists and is writable", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process holds it.
    #[error("the database `{}` is held by another process: stop that one first", .0.display())]
    Held(PathBuf),
    /// The file is something else, or broken.
    #[error(
        "`{}` is not a SQLite database, or is damaged: restore a backup, or move it away to start anew",
        .0.display()
    )]
    NotADatabase(PathBuf),
    /// The file belongs to another program.
    #[error("the database `{}` belongs to another program: name another file", .0.display())]
    Foreign(PathBuf),
    /// The file's tables are of a later version.
    #[error(
        "the database `{}` was written by a newer version of Countersign (it has migration {migration}): \
         run that version or restore a backup", .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The first migration that this version does not know.
        migration: i64,
    },
    /// The file's tables are of a version that never was.
    #[error(
        "the database `{}` was made by another build of Countersign (its migration {migration} differs): \
         run that build or restore a backup", .path.display()
    )]
    Diverged {
        /// The file.
        path: PathBuf,
        /// The migration that differs.
        migration: i64,
    },
    /// Anything else.
    #[error("cannot open the database `{}`", .path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SqliteLedger {
    /// Opens the file that `url` names, as `sqlite:<path>` or `sqlite://<path>`.
    pub async fn open_url(url: &str) -> Result<Self, OpenError> {
        let path = url
            .strip_prefix("sqlite:")
            .map(|rest| rest.strip_prefix("//").unwrap_or(rest))
            .filter(|path| !path.is_empty() && !path.contains(['?', '#']) && *path != ":memory:")
            .ok_or_else(|| OpenError::Url(url.to_owned()))?;
        Self::open(Path::new(path)).await
    }

    /// Opens the file at `path`, makes it where there is none, and brings its tables up to this version.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let unwritable = |source| OpenError::Unwritable {
            path: path.to_owned(),
            source: Box::new(source),
        };
        make(path).map_err(unwritable)?;
        recognise(path).await?;
        keep_private(path).map_err(unwritable)?;
        prepare(path).await?;
        let ledger = Self {
            writer: pool(1).connect_lazy_with(options(path)),
            readers: pool(READERS).connect_lazy_with(options(path).read_only(true)),
        };
        // The writer first: it makes the companions that readers need.
        ledger.fill().await.map_err(|error| refusal(path, error))?;
        Ok(ledger)
    }

    /// Opens every connection that the pools may hold. They are kept from then on, so that a host that
    /// has run out of file descriptors can still read and write.
    async fn fill(&self) -> Result<(), sqlx::Error> {
        for (pool, connections) in [(&self.writer, 1), (&self.readers, READERS)] {
            let mut held = Vec::new();
            for _ in 0..connections {
                held.push(pool.acquire().await?);
            }
        }
        Ok(())
    }

    /// Waits for what is under way, and closes the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// A transaction in which nobody else writes.
    async fn begin_writing(&self) -> Result<Transaction, Fault> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// A transaction that sees one state of the database from beginning to end.
    async fn begin_reading(&self) -> Result<Transaction, Fault> {
        Ok(self.readers.begin().await?)
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        // A connection to a file does not go stale, and the test costs more than most reads.
        .test_before_acquire(false)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // What was acknowledged survives a loss of power: WAL syncs on commit only at this level.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        // No plaintext is ever written; what was deleted is still nobody's business.
        .pragma("secure_delete", "ON")
        .pragma("trusted_schema", "OFF")
}

/// Makes the file if there is none. One that is there is not opened here: to close it again would drop
/// the locks that this process may hold on it.
fn make(path: &Path) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new();
    file.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    match file.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(|_| ()),
    }
}

/// Keeps the file from others than its owner. SQLite gives its companions (`-wal`, `-shm`) the same mode.
#[cfg(unix)]
fn keep_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(path)?;
    let mode = metadata.permissions().mode();
    if metadata.is_file() && mode & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o700))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn keep_private(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Sees that the file is ours, or empty, and changes nothing: what belongs to another program keeps even
/// its journal mode.
async fn recognise(path: &Path) -> Result<(), OpenError> {
    let look = async {
        let mut connection = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(PATIENCE_TO_OPEN)
            .connect()
            .await?;
        let found: (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), COUNT(CASE WHEN name = '_sqlx_migrations' THEN 1 END)
             FROM sqlite_master WHERE type = 'table'",
        )
        .fetch_one(&mut connection)
        .await?;
        connection.close().await?;
        Ok(found)
    };
    match look.await.map_err(|error| refusal(path, error))? {
        (1.., 0) => Err(OpenError::Foreign(path.to_owned())),
        _ => Ok(()),
    }
}

/// Brings the tables up to this version, and sees that they can be written, on a connection of its own.
async fn prepare(path: &Path) -> Result<(), OpenError> {
    let mut connection = options(path)
        .busy_timeout(PATIENCE_TO_OPEN)
        .connect()
        .await
        .map_err(|error| refusal(path, error))?;
    let prepared = migrate(path, &mut connection).await;
    let closed = connection.close().await;
    prepared?;
    closed.map_err(|error| refusal(path, error))
}

async fn migrate(path: &Path, connection: &mut SqliteConnection) -> Result<(), OpenError> {
    MIGRATIONS
        .run(&mut *connection)
        .await
        .map_err(|error| migration_refusal(path, error))?;
    // A file without new migrations has not been written so far, and whether it can be shows only now.
    sqlx::query("UPDATE audit_head SET seq = seq")
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|error| refusal(path, error))
}

fn migration_refusal(path: &Path, error: MigrateError) -> OpenError {
    let path_of = || path.to_owned();
    match error {
        MigrateError::VersionMissing(migration) => OpenError::Newer {
            path: path_of(),
            migration,
        },
        MigrateError::VersionMismatch(migration) => OpenError::Diverged {
            path: path_of(),
            migration,
        },
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            refusal(path, error)
        }
        other => OpenError::Other {
            path: path_of(),
            source: Box::new(other),
        },
    }
}

/// What SQLite's primary result codes mean for whoever opens the file.
fn refusal(path: &Path, error: sqlx::Error) -> OpenError {
    let code = error
        .as_database_error()
        .and_then(|error| error.code())
        .and_then(|code| code.parse::<i32>().ok())
        .map(|extended| extended & 0xff);
    let path = path.to_owned();
    match code {
        Some(5 | 6) => OpenError::Held(path),
        Some(11 | 26) => OpenError::NotADatabase(path),
        Some(3 | 8 | 13 | 14) => OpenError::Unwritable {
            path,
            source: Box::new(error),
        },
        _ => OpenError::Other {
            path,
            source: Box::new(error),
        },
    }
}

/// A ledger of its own for a test of `portable`, and what it is in.
#[cfg(test)]
struct Fresh {
    store: Store,
    _folder: tempfile::TempDir,
}

#[cfg(test)]
async fn fresh() -> Fresh {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteLedger::open(&folder.path().join("ledger.db"))
        .await
        .expect("the database opens");
    Fresh {
        store,
        _folder: folder,
    }
}

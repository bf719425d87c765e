//! The ledger on SQLite: one file, in WAL mode.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _};

use countersign_core::ledger::Change;

use crate::fault::Fault;
use crate::open::{OpenError, Refusal, Standing};
use crate::records::Records;

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

/// What tells other hosts, within a transaction, that it changes what they may wait for: there are none.
const ANNOUNCEMENT: Option<&str> = None;
/// Likewise, that tokens end by it.
const ANNOUNCEMENT_OF_TOKENS: Option<&str> = None;

/// The ledger on SQLite.
///
/// SQLite has one writer at a time. So has this: one connection writes, and requests take turns on it, in
/// order, rather than in SQLite's busy loop. Any number of others read the last committed state.
#[derive(Debug)]
pub struct SqliteLedger {
    writer: SqlitePool,
    readers: SqlitePool,
    turns: portable::Turns,
}

impl SqliteLedger {
    /// Opens the file at `path`, makes it where there is none, and brings its tables up to this version.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        Self::prepared(path)
            .await
            .map_err(|refusal| refusal.of(path.display()))
    }

    /// Looks at the file at `path`, which no host may be using, and changes nothing in it.
    pub async fn look(path: &Path) -> Result<Standing, OpenError> {
        let look = async {
            if !path.exists() {
                return Ok(Standing::Empty);
            }
            let (connection, standing) = reader(path).await?;
            let _ = connection.close().await;
            Ok(standing)
        };
        look.await
            .map_err(|refusal: Refusal| refusal.of(path.display()))
    }

    /// What is recorded in the file at `path`, if it is of this version and no host is using it.
    pub(crate) async fn records(path: &Path) -> Result<Option<Box<dyn Records>>, OpenError> {
        let records = async {
            if !path.exists() {
                return Ok(None);
            }
            let (connection, standing) = reader(path).await?;
            let records = Box::new(portable::records::Reader(connection)) as Box<dyn Records>;
            Ok(standing.is_current().then_some(records))
        };
        records
            .await
            .map_err(|refusal: Refusal| refusal.of(path.display()))
    }

    async fn prepared(path: &Path) -> Result<Self, Refusal> {
        make(path).map_err(unwritable)?;
        recognise(path).await?;
        keep_private(path).map_err(unwritable)?;
        prepare(path).await?;
        let ledger = Self {
            writer: pool(1).connect_lazy_with(options(path)),
            readers: pool(READERS).connect_lazy_with(options(path).read_only(true)),
            turns: portable::Turns::default(),
        };
        // The writer first: it makes the companions that readers need.
        ledger.fill().await.map_err(refusal)?;
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

    /// Nobody else writes, so there is nothing to be heard.
    async fn hear(&self) -> Change {
        std::future::pending().await
    }

    /// A transaction in which nobody else writes.
    async fn begin_writing(&self) -> Result<Transaction, Fault> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// A connection for one reading statement, which needs no transaction to see one state.
    async fn glance(&self) -> Result<sqlx::pool::PoolConnection<Driver>, Fault> {
        Ok(self.readers.acquire().await?)
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
        // Where the disk fails, SQLite undoes the transaction by itself. The driver does not notice, and
        // would refuse every later one on the connection, or begin it within the one that is no more.
        .before_acquire(|connection, _| {
            let is_free = !connection.is_in_transaction();
            Box::pin(std::future::ready(Ok(is_free)))
        })
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
async fn recognise(path: &Path) -> Result<(), Refusal> {
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
    match look.await.map_err(refusal)? {
        (1.., 0) => Err(Refusal::Foreign),
        _ => Ok(()),
    }
}

/// A connection that cannot write, and how the file stands.
async fn reader(path: &Path) -> Result<(SqliteConnection, Standing), Refusal> {
    recognise(path).await?;
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(PATIENCE_TO_OPEN)
        .connect()
        .await
        .map_err(refusal)?;
    let standing = portable::standing::standing(&mut connection, &MIGRATIONS, refusal).await?;
    Ok((connection, standing))
}

/// Brings the tables up to this version, and sees that they can be written, on a connection of its own.
async fn prepare(path: &Path) -> Result<(), Refusal> {
    let mut connection = options(path)
        .busy_timeout(PATIENCE_TO_OPEN)
        .connect()
        .await
        .map_err(refusal)?;
    let prepared = migrate(&mut connection).await;
    let closed = connection.close().await;
    prepared?;
    closed.map_err(refusal)
}

async fn migrate(connection: &mut SqliteConnection) -> Result<(), Refusal> {
    MIGRATIONS
        .run(&mut *connection)
        .await
        .map_err(|error| Refusal::of_migration(error, refusal))?;
    // A file without new migrations has not been written so far, and whether it can be shows only now.
    sqlx::query("UPDATE audit_head SET seq = seq")
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(refusal)
}

fn unwritable(error: std::io::Error) -> Refusal {
    match error.kind() {
        std::io::ErrorKind::StorageFull => Refusal::Full,
        _ => Refusal::Unwritable(Box::new(error)),
    }
}

/// `SQLITE_IOERR_SHMSIZE`: the first thing that fails on a full disk, where the companions are made.
const SHM_CANNOT_GROW: i32 = 4874;

/// What SQLite's primary result codes mean for whoever opens the file.
fn refusal(error: sqlx::Error) -> Refusal {
    let extended = error
        .as_database_error()
        .and_then(|error| error.code())
        .and_then(|code| code.parse::<i32>().ok());
    if extended == Some(SHM_CANNOT_GROW) {
        return Refusal::Full;
    }
    match extended.map(|extended| extended & 0xff) {
        Some(5 | 6) => Refusal::Held,
        Some(11 | 26) => Refusal::NotADatabase,
        Some(13) => Refusal::Full,
        // Permission, read-only, cannot open.
        Some(3 | 8 | 14) => Refusal::Unwritable(Box::new(error)),
        _ => Refusal::Other(Box::new(error)),
    }
}

/// A ledger of its own for a test of `portable`, and what it is in.
#[cfg(test)]
struct Fresh {
    store: std::sync::Arc<Store>,
    _folder: tempfile::TempDir,
}

#[cfg(test)]
async fn fresh() -> Fresh {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteLedger::open(&folder.path().join("ledger.db"))
        .await
        .expect("the database opens");
    Fresh {
        store: std::sync::Arc::new(store),
        _folder: folder,
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::ports::Ledger as _;
    use countersign_core::time::Timestamp;

    use super::*;

    /// Without the driver's knowledge, as SQLite does it by itself where the disk fails.
    async fn undo(mut transaction: Transaction) {
        sqlx::raw_sql("ROLLBACK")
            .execute(&mut *transaction)
            .await
            .expect("it is under way");
    }

    #[tokio::test]
    async fn a_connection_whose_transaction_was_undone_behind_its_back_is_not_used_again() {
        let ledger = fresh().await;
        let store = &ledger.store;
        undo(store.begin_writing().await.expect("it writes")).await;
        // Each of the readers several times: the second time, one would have begun to keep an old state.
        for round in 0..i64::from(READERS) * 4 {
            undo(store.begin_reading().await.expect("it reads")).await;
            let now = Timestamp::from_micros(round);
            store.mark(now).await.expect("a new connection writes");
            for _ in 0..READERS {
                let mut reading = store.begin_reading().await.expect("it reads");
                let seen: String =
                    sqlx::query_scalar("SELECT value FROM settings WHERE name = 'latest_instant'")
                        .fetch_one(&mut *reading)
                        .await
                        .expect("it is marked");
                assert_eq!(seen, round.to_string());
            }
        }
    }
}

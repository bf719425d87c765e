//! The ledger on PostgreSQL: one database that any number of hosts share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};

use countersign_core::ledger::Change;

use self::ear::Ear;
use self::prepare::{prepare, reader};
use crate::fault::Fault;
use crate::open::{OpenError, Standing};
use crate::records::Records;
use crate::whole::to_its_end;

mod ear;
#[path = "portable/mod.rs"]
mod portable;
mod prepare;

/// The driver for which `portable` is compiled here.
type Driver = sqlx::Postgres;
/// The ledger that `portable` implements.
type Store = PostgresLedger;
/// A transaction of either kind.
type Transaction = sqlx::Transaction<'static, Driver>;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// How many connections of one host read at the same time. A server has a hundred for all its clients by
/// default, and a read takes well under a millisecond.
const READERS: u32 = 8;

/// How long a request waits for a connection, a lock or a statement. A writing transaction takes
/// milliseconds, so whoever waits this long waits for something broken.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that was used so lately is taken to be there still.
const LATELY: Duration = Duration::from_secs(1);

/// Begins a transaction each of whose statements sees all that was committed before it began.
const WRITING: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Waits until nobody else writes, of all hosts that share the database. The lock's number is `csgn` in
/// ASCII; it is the database's own, and held until the transaction ends, however that ends.
const TAKE_TURNS: &str = "SELECT pg_advisory_xact_lock(1668507502)";

/// Begins a transaction that sees one state of the database from beginning to end.
const READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// What tells other hosts, within a transaction, that it changes what they may wait for: they hear it when,
/// and if, it is committed.
const ANNOUNCEMENT: Option<&str> = Some("NOTIFY countersign");
/// Likewise, that tokens end by it: whoever remembers them forgets them.
const ANNOUNCEMENT_OF_TOKENS: Option<&str> = Some("NOTIFY countersign, 'tokens'");

/// What holds for every connection, whatever the server's defaults are.
const SESSION: &[(&str, &str)] = &[
    // What was acknowledged survives a loss of power.
    ("synchronous_commit", "on"),
    ("lock_timeout", "10s"),
    ("statement_timeout", "10s"),
    // A host that hangs in a transaction holds up every other; the server ends it.
    ("idle_in_transaction_session_timeout", "10s"),
];

/// What holds for a connection that only reads.
const READ_ONLY: (&str, &str) = ("default_transaction_read_only", "on");

/// A PostgreSQL database, and how to get in.
#[derive(Clone)]
pub struct PostgresAddress(Box<PgConnectOptions>);

impl PostgresAddress {
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let scheme = url.split_once("://")?.0;
        if !matches!(scheme, "postgres" | "postgresql") {
            return None;
        }
        let options: PgConnectOptions = url.parse().ok()?;
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let says_how = query.contains("sslmode=") || query.contains("ssl-mode=");
        let options = if says_how || is_local(&options) {
            options
        } else {
            // The driver would settle for no TLS at all where somebody in between wants it so.
            options.ssl_mode(PgSslMode::VerifyFull)
        };
        Some(Self(Box::new(options)))
    }
}

fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(options) = self;
        write!(f, "postgres://{}@", options.get_username())?;
        match options.get_socket() {
            Some(socket) => write!(f, "{}", socket.display())?,
            None => write!(f, "{}:{}", options.get_host(), options.get_port())?,
        }
        write!(f, "/{}", options.get_database().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresAddress({self})")
    }
}

/// The ledger on PostgreSQL.
///
/// Writers take turns, as they do on SQLite: here in this host's queue for its one writing connection,
/// there for the database's lock. What a writing transaction read cannot be moved by anybody before it
/// commits, and every host's entries go into one audit chain.
#[derive(Debug)]
pub struct PostgresLedger {
    writer: PgPool,
    readers: PgPool,
    ear: Ear,
    turns: portable::Turns,
}

impl PostgresLedger {
    /// Opens the database at `address`, makes its tables where there are none, and brings them up to this
    /// version.
    pub async fn open(address: &PostgresAddress) -> Result<Self, OpenError> {
        let PostgresAddress(options) = address;
        let options = PgConnectOptions::clone(options)
            .application_name("countersign")
            .options(SESSION.iter().copied());
        let prepared = prepare(&options).await;
        prepared.map_err(|refusal| refusal.of(address))?;
        let turns = portable::Turns::default();
        let is_worn = Arc::clone(&turns.is_worn);
        // A session takes the server's defaults when it begins, so one that began while the server was
        // read-only stays so.
        let writer = pool(1).before_acquire(move |_, _| {
            let is_fresh = !is_worn.swap(false, Ordering::Relaxed);
            Box::pin(std::future::ready(Ok(is_fresh)))
        });
        Ok(Self {
            writer: writer.connect_lazy_with(options.clone()),
            readers: pool(READERS).connect_lazy_with(options.clone()),
            ear: Ear::new(pool(1).connect_lazy_with(options)),
            turns,
        })
    }

    /// Looks at the database at `address`, and changes nothing in it.
    pub async fn look(address: &PostgresAddress) -> Result<Standing, OpenError> {
        let (connection, standing) = reader(address).await?;
        let _ = connection.close().await;
        Ok(standing)
    }

    /// What is recorded in the database at `address`, if it is of this version; hosts may be using it.
    pub(crate) async fn records(
        address: &PostgresAddress,
    ) -> Result<Option<Box<dyn Records>>, OpenError> {
        let (connection, standing) = reader(address).await?;
        let records = Box::new(portable::records::Reader(connection)) as Box<dyn Records>;
        Ok(standing.is_current().then_some(records))
    }

    /// Waits for what is under way, and closes the connections.
    pub async fn close(&self) {
        self.ear.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Waits for another host's announcement, or this one's.
    async fn hear(&self) -> Change {
        self.ear.hear().await
    }

    /// A transaction in which nobody else writes.
    async fn begin_writing(&self) -> Result<Transaction, Fault> {
        begin(&self.writer, WRITING, Some(TAKE_TURNS)).await
    }

    /// A connection for one reading statement, which needs no transaction to see one state.
    async fn glance(&self) -> Result<sqlx::pool::PoolConnection<Driver>, Fault> {
        Ok(self.readers.acquire().await?)
    }

    /// A transaction that sees one state of the database from beginning to end.
    async fn begin_reading(&self) -> Result<Transaction, Fault> {
        begin(&self.readers, READING, None).await
    }
}

/// Begins a transaction, to its end: of one whose begin was given up the driver would not know, and leave
/// the connection in it.
async fn begin(
    pool: &PgPool,
    statement: &'static str,
    then: Option<&'static str>,
) -> Result<Transaction, Fault> {
    let pool = pool.clone();
    let begun = to_its_end(async move {
        let mut transaction = begin_on_some(&pool, statement).await?;
        if let Some(then) = then {
            sqlx::query(then).execute(&mut *transaction).await?;
        }
        Ok::<_, sqlx::Error>(transaction)
    });
    Ok(begun.await??)
}

/// A connection that a restart of the server has ended shows only when it is used: nothing was asked of it
/// yet, so the next one is tried, until one is new.
async fn begin_on_some(pool: &PgPool, statement: &'static str) -> Result<Transaction, sqlx::Error> {
    for _ in 0..pool.size() {
        match pool.begin_with(statement).await {
            Err(sqlx::Error::Io(_)) => {}
            Err(error) if is_ended(&error) => {}
            begun => return begun,
        }
    }
    pool.begin_with(statement).await
}

/// Whether the server has ended the connection, or ends itself: SQLSTATE class 57P, and 25P03 for a
/// transaction that was idle too long.
fn is_ended(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| code.starts_with("57P") || code == "25P03")
}

fn code(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    Some(code.into_owned())
}

fn pool(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        // A round trip each time; `begin` finds out without, and whoever glances was here a moment ago.
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| {
            Box::pin(async move {
                if metadata.idle_for > LATELY {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

/// A ledger of its own for a test of `portable`.
#[cfg(test)]
struct Fresh {
    store: std::sync::Arc<Store>,
}

#[cfg(test)]
async fn fresh() -> Fresh {
    let cluster = crate::cluster::Cluster::shared();
    let name = cluster.fresh_name();
    let mut connection = sqlx::PgConnection::connect(&cluster.url())
        .await
        .expect("the server answers");
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .expect("the database is made");
    let address = PostgresAddress::parse(&cluster.named(&name)).expect("a URL");
    let store = PostgresLedger::open(&address)
        .await
        .expect("the database opens");
    Fresh {
        store: std::sync::Arc::new(store),
    }
}

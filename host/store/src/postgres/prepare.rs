//! A database of PostgreSQL, looked at before it is a ledger: whether it is ours, and fit.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::{MIGRATIONS, PostgresAddress, READ_ONLY, code, portable};
use crate::open::{OpenError, Refusal, Standing};

/// How long opening waits for the server.
const PATIENCE_TO_OPEN: Duration = Duration::from_secs(10);

/// Sees that the database is ours, or empty, and fit; brings its tables up to this version, and sees that
/// they can be written.
pub async fn prepare(options: &PgConnectOptions) -> Result<(), Refusal> {
    let opened = async {
        let mut connection = options.connect().await.map_err(refusal)?;
        recognise(&mut connection).await?;
        Ok(connection)
    };
    let opened = tokio::time::timeout(PATIENCE_TO_OPEN, opened).await;
    let mut connection = opened.map_err(|elapsed| Refusal::Unreachable(Box::new(elapsed)))??;
    let prepared = migrate(&mut connection).await;
    let closed = connection.close().await;
    prepared?;
    closed.map_err(refusal)
}

async fn migrate(connection: &mut PgConnection) -> Result<(), Refusal> {
    // What rewrites a table takes as long as the table is: cut off, it would begin again with each start.
    set_statement_timeout(connection, "0").await?;
    MIGRATIONS
        .run(&mut *connection)
        .await
        .map_err(|error| Refusal::of_migration(error, refusal))?;
    set_statement_timeout(connection, "10s").await?;
    sqlx::query("UPDATE audit_head SET seq = seq")
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(refusal)
}

async fn set_statement_timeout(connection: &mut PgConnection, to: &str) -> Result<(), Refusal> {
    sqlx::query("SELECT set_config('statement_timeout', $1, false)")
        .bind(to)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(refusal)
}

/// Sees that the database is ours, or empty, and fit. Whether it is ours.
async fn recognise(connection: &mut PgConnection) -> Result<bool, Refusal> {
    let encoding: String = sqlx::query_scalar("SHOW server_encoding")
        .fetch_one(&mut *connection)
        .await
        .map_err(refusal)?;
    if encoding != "UTF8" {
        return Err(Refusal::Encoding(encoding));
    }
    let (tables, ours): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COUNT(CASE WHEN tablename = '_sqlx_migrations' THEN 1 END)
         FROM pg_tables WHERE schemaname = current_schema()",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(refusal)?;
    match (tables, ours) {
        (1.., 0) => Err(Refusal::Foreign),
        (_, ours) => Ok(ours > 0),
    }
}

/// What PostgreSQL's SQLSTATEs mean for whoever opens the database.
fn refusal(error: sqlx::Error) -> Refusal {
    let code = code(&error).unwrap_or_default();
    let source = Box::new(error);
    match code.as_str() {
        // Insufficient privilege, invalid schema, read-only transaction.
        "42501" | "3F000" | "25006" => Refusal::Unwritable(source),
        // Disk full.
        "53100" => Refusal::Full,
        // Lock not available, query cancelled: somebody else is in the way.
        "55P03" | "57014" => Refusal::Held,
        // Invalid catalogue name: there is no such database.
        "3D000" => Refusal::NotLetIn(source),
        code if code.starts_with("28") => Refusal::NotLetIn(source),
        // Cannot connect now, too many connections.
        code if code.starts_with("57P") || code.starts_with("53") || code.starts_with("08") => {
            Refusal::Unreachable(source)
        }
        "" => match *source {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut => {
                Refusal::Unreachable(source)
            }
            _ => Refusal::Other(source),
        },
        _ => Refusal::Other(source),
    }
}

/// A connection that cannot write, and how the database stands.
pub async fn reader(address: &PostgresAddress) -> Result<(PgConnection, Standing), OpenError> {
    let PostgresAddress(options) = address;
    let options = PgConnectOptions::clone(options)
        .application_name("countersign")
        .options([READ_ONLY]);
    let look = async {
        let mut connection = options.connect().await.map_err(refusal)?;
        let standing = match recognise(&mut connection).await? {
            true => portable::standing::standing(&mut connection, &MIGRATIONS, refusal).await?,
            false => Standing::Empty,
        };
        Ok((connection, standing))
    };
    match tokio::time::timeout(PATIENCE_TO_OPEN, look).await {
        Ok(found) => found.map_err(|refusal: Refusal| refusal.of(address)),
        Err(elapsed) => Err(Refusal::Unreachable(Box::new(elapsed)).of(address)),
    }
}

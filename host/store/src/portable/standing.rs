//! How a database stands to this version, for whoever only looks.

use sqlx::migrate::Migrator;

use super::{Connection, instants};
use crate::fault::Fault;
use crate::open::{Refusal, Standing};

/// Which of our migrations it has, and how late it was when it was last written. Changes nothing.
pub async fn standing(
    connection: &mut Connection,
    migrations: &Migrator,
    refusal: impl Fn(sqlx::Error) -> Refusal,
) -> Result<Standing, Refusal> {
    let applied: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")
            .fetch_all(&mut *connection)
            .await
            .map_err(&refusal)?;
    for (version, checksum) in &applied {
        match migrations.iter().find(|ours| ours.version == *version) {
            None => return Err(Refusal::Newer(*version)),
            Some(ours) if *ours.checksum != **checksum => {
                return Err(Refusal::Diverged(*version));
            }
            Some(_) => {}
        }
    }
    if applied.is_empty() {
        return Ok(Standing::Empty);
    }
    let latest = match instants::latest(connection).await {
        Ok(latest) => latest,
        Err(Fault::Driver(error)) => return Err(refusal(error)),
        Err(other) => {
            let cause = countersign_core::ports::LedgerError::from(other);
            return Err(Refusal::Other(Box::new(cause)));
        }
    };
    Ok(Standing::Ours {
        to_migrate: migrations.iter().count() - applied.len(),
        latest,
    })
}

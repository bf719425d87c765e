//! What the ledger knows of itself.

use countersign_core::id::OrgId;

use super::Connection;
use super::columns::parsed;
use crate::fault::Fault;

const ORGANISATION: &str = "organisation";

/// The organisation's own id: `fresh` the first time, and the same ever after.
pub(super) async fn organisation(
    connection: &mut Connection,
    fresh: OrgId,
) -> Result<OrgId, Fault> {
    let kept = pinned(connection, ORGANISATION, &fresh.to_string()).await?;
    parsed("settings.value", &kept, OrgId::parse)
}

async fn pinned(connection: &mut Connection, name: &str, fresh: &str) -> Result<String, Fault> {
    sqlx::query("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(fresh)
        .execute(&mut *connection)
        .await?;
    Ok(
        sqlx::query_scalar("SELECT value FROM settings WHERE name = $1")
            .bind(name)
            .fetch_one(connection)
            .await?,
    )
}

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
    sqlx::query("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(ORGANISATION)
        .bind(fresh.to_string())
        .execute(&mut *connection)
        .await?;
    let kept: String = sqlx::query_scalar("SELECT value FROM settings WHERE name = $1")
        .bind(ORGANISATION)
        .fetch_one(connection)
        .await?;
    parsed("settings.value", &kept, OrgId::parse)
}

/// Asks for something that needs the database's tables, and not only its connection.
pub(super) async fn ping(connection: &mut Connection) -> Result<(), Fault> {
    sqlx::query("SELECT seq FROM audit_head")
        .fetch_one(connection)
        .await?;
    Ok(())
}

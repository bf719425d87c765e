//! Secrets: sealed, listed, never opened here.

use countersign_core::id::{DecisionId, WorkspaceId};
use countersign_core::ledger::SecretEntry;
use countersign_core::secret::{SealedSecret, SecretAddress, SecretKey, SecretScope};
use countersign_core::time::Timestamp;

use super::Connection;
use super::columns::parsed;
use crate::fault::Fault;

#[derive(sqlx::FromRow)]
struct Row {
    scope: String,
    key: String,
    created_at: i64,
    updated_at: i64,
}

/// Writes a secret, over the one that is there.
pub(super) async fn write(
    connection: &mut Connection,
    address: &SecretAddress,
    sealed: &SealedSecret,
    decision: DecisionId,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO secrets (scope, key, key_id, sealed, written_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)
         ON CONFLICT (scope, key) DO UPDATE SET
             key_id = excluded.key_id,
             sealed = excluded.sealed,
             written_by = excluded.written_by,
             updated_at = excluded.updated_at",
    )
    .bind(address.scope.to_string())
    .bind(address.key.as_str())
    .bind(&sealed.key_id)
    .bind(&sealed.bytes)
    .bind(decision.to_string())
    .bind(now.as_micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes a secret; false where there is none.
pub(super) async fn delete(
    connection: &mut Connection,
    address: &SecretAddress,
) -> Result<bool, Fault> {
    let deleted = sqlx::query("DELETE FROM secrets WHERE scope = $1 AND key = $2")
        .bind(address.scope.to_string())
        .bind(address.key.as_str())
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected() > 0)
}

/// Which version of a secret there is, if there is one: the decision under which it was written.
pub(super) async fn version(
    connection: &mut Connection,
    address: &SecretAddress,
) -> Result<Option<String>, Fault> {
    Ok(
        sqlx::query_scalar("SELECT written_by FROM secrets WHERE scope = $1 AND key = $2")
            .bind(address.scope.to_string())
            .bind(address.key.as_str())
            .fetch_optional(connection)
            .await?,
    )
}

/// The secrets that reach `scope`, by key: its own, and the global ones that it does not override.
pub(super) async fn list(
    connection: &mut Connection,
    scope: SecretScope,
) -> Result<Vec<SecretEntry>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT scope, key, created_at, updated_at FROM secrets
         WHERE scope = $1
            OR (scope = $2 AND NOT EXISTS (
                   SELECT 1 FROM secrets AS own WHERE own.scope = $1 AND own.key = secrets.key))
         ORDER BY key",
    )
    .bind(scope.to_string())
    .bind(SecretScope::Global.to_string())
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(entry).collect()
}

fn entry(row: Row) -> Result<SecretEntry, Fault> {
    Ok(SecretEntry {
        scope: parsed("secrets.scope", &row.scope, |text| {
            if text == SecretScope::Global.as_str() {
                return Some(SecretScope::Global);
            }
            WorkspaceId::parse(text).map(SecretScope::Workspace)
        })?,
        key: parsed("secrets.key", &row.key, SecretKey::parse)?,
        created_at: Timestamp::from_micros(row.created_at),
        updated_at: Timestamp::from_micros(row.updated_at),
    })
}

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

#[derive(sqlx::FromRow)]
struct SealedRow {
    scope: String,
    key: String,
    key_id: String,
    sealed: Vec<u8>,
}

/// Of the secrets that reach a scope, which is `$1` where `$2` is the global one: its own, and the global
/// ones that it does not override.
macro_rules! that_reach {
    () => {
        " FROM secrets
         WHERE scope = $1
            OR (scope = $2 AND NOT EXISTS (
                   SELECT 1 FROM secrets AS own WHERE own.scope = $1 AND own.key = secrets.key))
         ORDER BY key"
    };
}

/// Writes a secret, over the one that is there; false where its workspace does not stand.
pub(super) async fn write(
    connection: &mut Connection,
    address: &SecretAddress,
    sealed: &SealedSecret,
    decision: DecisionId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let written = sqlx::query(
        "INSERT INTO secrets (scope, key, key_id, sealed, written_by, created_at, updated_at)
         SELECT $1, $2, $3, $4, $5, $6, $6
         WHERE CAST($1 AS TEXT) = CAST($7 AS TEXT)
            OR EXISTS (SELECT 1 FROM workspaces WHERE id = $1 AND status <> 'removed')
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
    .bind(SecretScope::Global.to_string())
    .execute(connection)
    .await?;
    Ok(written.rows_affected() > 0)
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

/// Deletes all secrets of a workspace: their keys.
pub(super) async fn delete_all(
    connection: &mut Connection,
    workspace: WorkspaceId,
) -> Result<Vec<String>, Fault> {
    let mut keys: Vec<String> =
        sqlx::query_scalar("DELETE FROM secrets WHERE scope = $1 RETURNING key")
            .bind(workspace.to_string())
            .fetch_all(connection)
            .await?;
    keys.sort_unstable();
    Ok(keys)
}

/// The workspaces that a secret reaches: its own, or for a global one those that do not override it.
pub(super) async fn reached(
    connection: &mut Connection,
    address: &SecretAddress,
) -> Result<Vec<String>, Fault> {
    Ok(sqlx::query_scalar(
        "SELECT id FROM workspaces
         WHERE status <> 'removed'
           AND (id = $1
                OR (CAST($1 AS TEXT) = CAST($2 AS TEXT) AND NOT EXISTS (
                        SELECT 1 FROM secrets WHERE scope = workspaces.id AND key = $3)))
         ORDER BY id",
    )
    .bind(address.scope.to_string())
    .bind(SecretScope::Global.to_string())
    .bind(address.key.as_str())
    .fetch_all(connection)
    .await?)
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
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "SELECT scope, key, created_at, updated_at",
        that_reach!()
    ))
    .bind(scope.to_string())
    .bind(SecretScope::Global.to_string())
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(entry).collect()
}

/// [`list`], with what is sealed.
pub(super) async fn sealed(
    connection: &mut Connection,
    scope: SecretScope,
) -> Result<Vec<(SecretAddress, SealedSecret)>, Fault> {
    let rows: Vec<SealedRow> =
        sqlx::query_as(concat!("SELECT scope, key, key_id, sealed", that_reach!()))
            .bind(scope.to_string())
            .bind(SecretScope::Global.to_string())
            .fetch_all(connection)
            .await?;
    rows.into_iter().map(addressed).collect()
}

/// All secrets that are sealed with another key than `key`, after an address, in order of their addresses.
pub(super) async fn sealed_otherwise(
    connection: &mut Connection,
    key: &str,
    after: Option<&SecretAddress>,
    limit: u32,
) -> Result<Vec<(SecretAddress, SealedSecret)>, Fault> {
    let (scope, of_scope) = after.map_or_else(Default::default, |after| {
        (after.scope.to_string(), after.key.as_str())
    });
    let rows: Vec<SealedRow> = sqlx::query_as(
        "SELECT scope, key, key_id, sealed FROM secrets
         WHERE key_id <> $1 AND (scope > $2 OR (scope = $2 AND key > $3))
         ORDER BY scope, key LIMIT $4",
    )
    .bind(key)
    .bind(scope)
    .bind(of_scope)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(addressed).collect()
}

fn addressed(row: SealedRow) -> Result<(SecretAddress, SealedSecret), Fault> {
    let sealed = SealedSecret {
        key_id: row.key_id,
        bytes: row.sealed,
    };
    Ok((address(&row.scope, &row.key)?, sealed))
}

fn address(scope: &str, key: &str) -> Result<SecretAddress, Fault> {
    Ok(SecretAddress {
        scope: parsed("secrets.scope", scope, |text| {
            if text == SecretScope::Global.as_str() {
                return Some(SecretScope::Global);
            }
            WorkspaceId::parse(text).map(SecretScope::Workspace)
        })?,
        key: parsed("secrets.key", key, SecretKey::parse)?,
    })
}

fn entry(row: Row) -> Result<SecretEntry, Fault> {
    let SecretAddress { scope, key } = address(&row.scope, &row.key)?;
    Ok(SecretEntry {
        scope,
        key,
        created_at: Timestamp::from_micros(row.created_at),
        updated_at: Timestamp::from_micros(row.updated_at),
    })
}

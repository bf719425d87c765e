//! Keys, wrapped: kept, replaced and forgotten, never opened here.

use async_trait::async_trait;
use countersign_core::audit::EventKind;
use countersign_core::keys::{KeyLedger, Purpose, Resealed, RootChange, StoredKeys, WrappedKey};
use countersign_core::ports::LedgerError;
use countersign_core::secret::{SealedSecret, SecretAddress};
use countersign_core::time::Timestamp;
use serde_json::json;

use super::columns::parsed;
use super::{Connection, HOST, Store, audit, secrets};
use crate::fault::Fault;

const ACTIVE: &str = "active";

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    purpose: String,
    state: String,
    root: String,
    wrapped: Vec<u8>,
}

#[async_trait]
impl KeyLedger for Store {
    async fn keys(&self, first: &[WrappedKey], now: Timestamp) -> Result<StoredKeys, LedgerError> {
        let mut turn = self.turn().await?;
        let kept = begin(turn.connection(), first, now).await;
        Ok(turn.end(kept).await?)
    }

    async fn stored_keys(&self) -> Result<StoredKeys, LedgerError> {
        let mut tx = self.begin_reading().await?;
        Ok(stored(&mut tx).await?)
    }

    async fn add_root(&self, change: &RootChange, now: Timestamp) -> Result<bool, LedgerError> {
        let mut turn = self.turn().await?;
        let added = add_root(turn.connection(), change, now).await;
        Ok(turn.end(added).await?)
    }

    async fn sealed_otherwise(
        &self,
        key: &str,
        after: Option<&SecretAddress>,
        limit: u32,
    ) -> Result<Vec<(SecretAddress, SealedSecret)>, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(secrets::sealed_otherwise(&mut connection, key, after, limit).await?)
    }

    async fn count_sealed_otherwise(&self, key: &str) -> Result<u64, LedgerError> {
        let mut connection = self.glance().await?;
        let count: Result<i64, sqlx::Error> =
            sqlx::query_scalar("SELECT COUNT(*) FROM secrets WHERE key_id <> $1")
                .bind(key)
                .fetch_one(&mut *connection)
                .await;
        Ok(count.map_err(Fault::from)?.unsigned_abs())
    }

    async fn reseal(&self, resealed: &[Resealed]) -> Result<u64, LedgerError> {
        let mut turn = self.turn().await?;
        let replaced = reseal(turn.connection(), resealed).await;
        Ok(turn.end(replaced).await?)
    }

    async fn retire_keys(&self, now: Timestamp) -> Result<Vec<String>, LedgerError> {
        let mut turn = self.turn().await?;
        let retired = retire(turn.connection(), now).await;
        Ok(turn.end(retired).await?)
    }

    async fn forget_roots(&self, root: &str, now: Timestamp) -> Result<Vec<String>, LedgerError> {
        let mut turn = self.turn().await?;
        let forgotten = forget_roots(turn.connection(), root, now).await;
        Ok(turn.end(forgotten).await?)
    }
}

/// Whether secrets are sealed with this key by now.
pub(super) async fn is_active(connection: &mut Connection, key: &str) -> Result<bool, Fault> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM data_keys WHERE id = $1 AND purpose = $2 AND state = $3",
    )
    .bind(key)
    .bind(Purpose::Seal.as_str())
    .bind(ACTIVE)
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
}

async fn stored(connection: &mut Connection) -> Result<StoredKeys, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, purpose, state, root, wrapped
         FROM wrapped_keys JOIN data_keys ON id = data_key ORDER BY id, root",
    )
    .fetch_all(&mut *connection)
    .await?;
    let key = |row: Row| {
        Ok(WrappedKey {
            purpose: parsed("data_keys.purpose", &row.purpose, Purpose::parse)?,
            is_active: row.state == ACTIVE,
            id: row.id,
            root: row.root,
            bytes: row.wrapped,
        })
    };
    Ok(StoredKeys {
        roots: roots(connection).await?,
        keys: rows.into_iter().map(key).collect::<Result<_, Fault>>()?,
    })
}

async fn roots(connection: &mut Connection) -> Result<Vec<String>, Fault> {
    Ok(
        sqlx::query_scalar("SELECT id FROM root_keys ORDER BY number")
            .fetch_all(connection)
            .await?,
    )
}

async fn data_keys(connection: &mut Connection) -> Result<Vec<String>, Fault> {
    Ok(sqlx::query_scalar("SELECT id FROM data_keys ORDER BY id")
        .fetch_all(connection)
        .await?)
}

/// Keeps the first keys, where there are none and no other root is known.
async fn begin(
    connection: &mut Connection,
    first: &[WrappedKey],
    now: Timestamp,
) -> Result<StoredKeys, Fault> {
    let known = roots(connection).await?;
    if let Some(root) = first.first().map(|key| &key.root)
        && known.iter().all(|known| known == root)
        && data_keys(connection).await?.is_empty()
    {
        if known.is_empty() {
            insert_root(connection, root, now).await?;
        }
        for key in first {
            insert_key(connection, &key.id, key.purpose, now).await?;
        }
        insert_wrapped(connection, first).await?;
    }
    stored(connection).await
}

/// Writers take turns, so what is looked at here stays as it is until the end.
async fn add_root(
    connection: &mut Connection,
    change: &RootChange,
    now: Timestamp,
) -> Result<bool, Fault> {
    let there = roots(connection).await?;
    let mut known = change.known.clone();
    known.sort_unstable();
    if there.contains(&change.root)
        || !there.iter().all(|root| change.held.contains(root))
        || data_keys(connection).await? != known
    {
        return Ok(false);
    }
    insert_root(connection, &change.root, now).await?;
    sqlx::query("UPDATE data_keys SET state = 'retiring' WHERE purpose = $1 AND state = $2")
        .bind(Purpose::Seal.as_str())
        .bind(ACTIVE)
        .execute(&mut *connection)
        .await?;
    insert_key(connection, &change.sealing, Purpose::Seal, now).await?;
    insert_wrapped(connection, &change.keys).await?;
    let detail = json!({
        "root_key": change.root,
        "former": there,
        "sealing_key": change.sealing,
    });
    audit::append(connection, now, EventKind::KeysRotating, HOST, detail).await?;
    Ok(true)
}

async fn insert_root(connection: &mut Connection, root: &str, now: Timestamp) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO root_keys (id, number, added_at)
         SELECT $1, COALESCE(MAX(number), 0) + 1, $2 FROM root_keys",
    )
    .bind(root)
    .bind(now.as_micros())
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_key(
    connection: &mut Connection,
    id: &str,
    purpose: Purpose,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query("INSERT INTO data_keys (id, purpose, state, created_at) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(purpose.as_str())
        .bind(ACTIVE)
        .bind(now.as_micros())
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert_wrapped(connection: &mut Connection, keys: &[WrappedKey]) -> Result<(), Fault> {
    for key in keys {
        sqlx::query("INSERT INTO wrapped_keys (data_key, root, wrapped) VALUES ($1, $2, $3)")
            .bind(&key.id)
            .bind(&key.root)
            .bind(&key.bytes)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn reseal(connection: &mut Connection, resealed: &[Resealed]) -> Result<u64, Fault> {
    let mut replaced = 0;
    for Resealed { address, from, to } in resealed {
        // Whoever wrote another value meanwhile has sealed it with the key in use.
        replaced += sqlx::query(
            "UPDATE secrets SET key_id = $1, sealed = $2
             WHERE scope = $3 AND key = $4 AND key_id = $5 AND sealed = $6
               AND EXISTS (SELECT 1 FROM data_keys WHERE id = $1 AND state = 'active')",
        )
        .bind(&to.key_id)
        .bind(&to.bytes)
        .bind(address.scope.to_string())
        .bind(address.key.as_str())
        .bind(&from.key_id)
        .bind(&from.bytes)
        .execute(&mut *connection)
        .await?
        .rows_affected();
    }
    Ok(replaced)
}

async fn retire(connection: &mut Connection, now: Timestamp) -> Result<Vec<String>, Fault> {
    sqlx::query(
        "DELETE FROM wrapped_keys WHERE data_key IN (
             SELECT id FROM data_keys WHERE state = 'retiring'
                AND NOT EXISTS (SELECT 1 FROM secrets WHERE key_id = data_keys.id))",
    )
    .execute(&mut *connection)
    .await?;
    let mut retired: Vec<String> = sqlx::query_scalar(
        "DELETE FROM data_keys WHERE state = 'retiring'
            AND NOT EXISTS (SELECT 1 FROM secrets WHERE key_id = data_keys.id) RETURNING id",
    )
    .fetch_all(&mut *connection)
    .await?;
    retired.sort_unstable();
    if !retired.is_empty() {
        let detail = json!({ "forgotten_sealing_keys": retired });
        audit::append(connection, now, EventKind::KeysRotated, HOST, detail).await?;
    }
    Ok(retired)
}

async fn forget_roots(
    connection: &mut Connection,
    root: &str,
    now: Timestamp,
) -> Result<Vec<String>, Fault> {
    // Without a key that is being replaced, whatever an old root opens the newest one opens too.
    let mut forgotten: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM root_keys
         WHERE id <> $1
           AND $1 = (SELECT id FROM root_keys ORDER BY number DESC LIMIT 1)
           AND NOT EXISTS (SELECT 1 FROM data_keys WHERE state = 'retiring')
           AND NOT EXISTS (
               SELECT 1 FROM data_keys WHERE NOT EXISTS (
                   SELECT 1 FROM wrapped_keys WHERE data_key = data_keys.id AND root = $1))",
    )
    .bind(root)
    .fetch_all(&mut *connection)
    .await?;
    forgotten.sort_unstable();
    for old in &forgotten {
        sqlx::query("DELETE FROM wrapped_keys WHERE root = $1")
            .bind(old)
            .execute(&mut *connection)
            .await?;
        sqlx::query("DELETE FROM root_keys WHERE id = $1")
            .bind(old)
            .execute(&mut *connection)
            .await?;
        let detail = json!({ "root_key": old, "newest": root });
        audit::append(connection, now, EventKind::RootKeyForgotten, HOST, detail).await?;
    }
    Ok(forgotten)
}

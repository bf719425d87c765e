//! Who signed which version of a policy.

use async_trait::async_trait;
use countersign_core::audit::EventKind;
use countersign_core::ports::LedgerError;
use countersign_core::signature::{KeptSignature, SignatureLedger};
use countersign_core::time::Timestamp;
use serde_json::json;

use super::{Connection, Store, audit};
use crate::fault::Fault;

/// The most that are read of one module: each of them is verified.
const MOST: i64 = 32;

#[derive(sqlx::FromRow)]
struct Row {
    digest: String,
    key_id: String,
    text: String,
    kept_by: String,
    kept_at: i64,
}

#[async_trait]
impl SignatureLedger for Store {
    async fn policy_signatures(&self, digest: &str) -> Result<Vec<KeptSignature>, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(list(&mut connection, digest).await?)
    }

    async fn keep_policy_signature(&self, signature: &KeptSignature) -> Result<bool, LedgerError> {
        let mut turn = self.turn().await?;
        let kept = keep_and_tell(turn.connection(), signature).await;
        Ok(turn.end(kept).await?)
    }
}

async fn keep_and_tell(
    connection: &mut Connection,
    signature: &KeptSignature,
) -> Result<bool, Fault> {
    let is_new = keep(connection, signature).await?;
    if is_new {
        let detail = json!({ "digest": signature.digest, "key_id": signature.key_id });
        let (at, by) = (signature.at, &signature.by);
        audit::append(connection, at, EventKind::PolicySigned, by, detail).await?;
    }
    Ok(is_new)
}

/// Keeps one, in the place of one by the same key; false where it is kept already.
pub(super) async fn keep(
    connection: &mut Connection,
    signature: &KeptSignature,
) -> Result<bool, Fault> {
    let kept = sqlx::query(
        "INSERT INTO policy_signatures (digest, key_id, text, kept_by, kept_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (digest, key_id) DO UPDATE
         SET text = excluded.text, kept_by = excluded.kept_by, kept_at = excluded.kept_at
         WHERE policy_signatures.text <> excluded.text",
    )
    .bind(&signature.digest)
    .bind(&signature.key_id)
    .bind(&signature.text)
    .bind(&signature.by)
    .bind(signature.at.as_micros())
    .execute(connection)
    .await?;
    Ok(kept.rows_affected() > 0)
}

/// Those of the module with this digest, by key.
pub(super) async fn list(
    connection: &mut Connection,
    digest: &str,
) -> Result<Vec<KeptSignature>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM policy_signatures WHERE digest = $1 ORDER BY key_id LIMIT $2",
    )
    .bind(digest)
    .bind(MOST)
    .fetch_all(connection)
    .await?;
    let lift = |row: Row| KeptSignature {
        digest: row.digest,
        key_id: row.key_id,
        text: row.text,
        at: Timestamp::from_micros(row.kept_at),
        by: row.kept_by,
    };
    Ok(rows.into_iter().map(lift).collect())
}

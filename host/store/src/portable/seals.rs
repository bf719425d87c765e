//! The generations of a ledger from before there were seals, sealed once.

use countersign_core::audit::EventKind;
use countersign_core::generation::Seal;
use countersign_core::keys::WrappedKey;
use countersign_core::time::Timestamp;
use serde_json::json;

use super::generations::signed;
use super::{Connection, HOST, audit};
use crate::fault::Fault;

/// Seals them and keeps what says so; false, and nothing is changed, where something would be left out.
///
/// Writers take turns, so what is looked at here stays as it is until the end.
pub(super) async fn seal(
    connection: &mut Connection,
    (seals, wrapped): (&[(u64, Seal)], &[WrappedKey]),
    now: Timestamp,
) -> Result<bool, Fault> {
    let unsealed: Vec<i64> =
        sqlx::query_scalar("SELECT number FROM generations WHERE seal IS NULL ORDER BY number")
            .fetch_all(&mut *connection)
            .await?;
    let is_meant = |number: &i64| seals.iter().any(|(sealed, _)| signed(*sealed) == *number);
    if !unsealed.iter().all(is_meant) || !is_whole(connection, wrapped).await? {
        return Ok(false);
    }
    for (number, seal) in seals {
        sqlx::query("UPDATE generations SET seal = $1 WHERE number = $2 AND seal IS NULL")
            .bind(seal.as_str())
            .bind(signed(*number))
            .execute(&mut *connection)
            .await?;
    }
    for key in wrapped {
        sqlx::query("UPDATE wrapped_keys SET wrapped = $1 WHERE data_key = $2 AND root = $3")
            .bind(&key.bytes)
            .bind(&key.id)
            .bind(&key.root)
            .execute(&mut *connection)
            .await?;
    }
    let detail = json!({ "generations": unsealed });
    audit::append(connection, now, EventKind::GenerationsSealed, HOST, detail).await?;
    Ok(true)
}

/// Whether `wrapped` has the key under each root that opens it: under another, it would go on saying nothing.
async fn is_whole(connection: &mut Connection, wrapped: &[WrappedKey]) -> Result<bool, Fault> {
    for key in wrapped {
        let roots: Vec<String> =
            sqlx::query_scalar("SELECT root FROM wrapped_keys WHERE data_key = $1")
                .bind(&key.id)
                .fetch_all(&mut *connection)
                .await?;
        let has = |root: &String| {
            let mut all = wrapped.iter();
            all.any(|other| other.id == key.id && other.root == *root)
        };
        if !roots.iter().all(has) {
            return Ok(false);
        }
    }
    Ok(!wrapped.is_empty())
}

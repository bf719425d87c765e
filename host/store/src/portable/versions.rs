//! The versions of policies that are kept: what was part of a generation, and what was pushed.

use countersign_core::generation::{Component, VersionRecord};
use countersign_core::time::Timestamp;
use countersign_core::verdict::ModuleId;

use super::Connection;
use super::generations::numbered;
use crate::fault::Fault;

/// The most that a list shows.
const SHOWN: i64 = 500;

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    version: String,
    digest: String,
    kept_by: String,
    kept_at: i64,
    first: Option<i64>,
    last: Option<i64>,
}

/// Keeps a version whose bytes are kept; one that is there already stays as it is.
pub(super) async fn keep(
    connection: &mut Connection,
    id: &ModuleId,
    by: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO policy_versions (name, version, digest, kept_by, kept_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (name, digest) DO NOTHING",
    )
    .bind(&id.name)
    .bind(&id.version)
    .bind(&id.digest)
    .bind(by)
    .bind(now.as_micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps bytes under their digest.
pub(super) async fn keep_bytes(
    connection: &mut Connection,
    digest: &str,
    bytes: &[u8],
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO components (digest, bytes) VALUES ($1, $2)
         ON CONFLICT (digest) DO NOTHING",
    )
    .bind(digest)
    .bind(bytes)
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps a version that somebody brings, with its bytes; false where the policy has other bytes under
/// this version, so that one version is never two things.
pub(super) async fn push(
    connection: &mut Connection,
    component: &Component,
    by: &str,
    now: Timestamp,
) -> Result<bool, Fault> {
    let id = &component.id;
    let others: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM policy_versions
         WHERE name = $1 AND version = $2 AND digest <> $3",
    )
    .bind(&id.name)
    .bind(&id.version)
    .bind(&id.digest)
    .fetch_one(&mut *connection)
    .await?;
    if others > 0 {
        return Ok(false);
    }
    keep_bytes(connection, &id.digest, &component.bytes).await?;
    keep(connection, id, by, now).await?;
    Ok(true)
}

/// The versions of the policy `name`, newest first.
pub(super) async fn list(
    connection: &mut Connection,
    name: &str,
) -> Result<Vec<VersionRecord>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT v.name, v.version, v.digest, v.kept_by, v.kept_at,
                MIN(m.generation) AS first, MAX(m.generation) AS last
         FROM policy_versions AS v
         LEFT JOIN generation_modules AS m ON m.name = v.name AND m.digest = v.digest
         WHERE v.name = $1
         GROUP BY v.name, v.version, v.digest, v.kept_by, v.kept_at
         ORDER BY v.kept_at DESC, v.digest LIMIT $2",
    )
    .bind(name)
    .bind(SHOWN)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::lift).collect()
}

/// The bytes of one of them.
pub(super) async fn bytes(
    connection: &mut Connection,
    name: &str,
    digest: &str,
) -> Result<Option<Vec<u8>>, Fault> {
    Ok(sqlx::query_scalar(
        "SELECT c.bytes FROM policy_versions AS v
         JOIN components AS c ON c.digest = v.digest
         WHERE v.name = $1 AND v.digest = $2",
    )
    .bind(name)
    .bind(digest)
    .fetch_optional(connection)
    .await?)
}

impl Row {
    fn lift(self) -> Result<VersionRecord, Fault> {
        let generations = match (self.first, self.last) {
            (Some(first), Some(last)) => Some((numbered(first)?, numbered(last)?)),
            _ => None,
        };
        Ok(VersionRecord {
            id: ModuleId {
                name: self.name,
                version: self.version,
                digest: self.digest,
            },
            at: Timestamp::from_micros(self.kept_at),
            by: self.kept_by,
            generations,
        })
    }
}

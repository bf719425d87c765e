//! The audit log: appended to, read, walked.

use countersign_core::audit::{ChainError, Entry, Event, EventKind, Head, Verifier};
use countersign_core::ledger::Page;
use countersign_core::time::Timestamp;
use sqlx::Executor as _;

use super::super::{ANNOUNCEMENT, ANNOUNCEMENT_OF_TOKENS};
use super::Connection;
use super::columns::{from_json, limit, to_json};
use crate::fault::Fault;

/// How many entries a walk holds at once.
const STRIDE: i64 = 1_000;

/// A row of the table.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    seq: i64,
    at: i64,
    kind: String,
    actor: String,
    detail: String,
    previous: String,
    hash: String,
}

#[derive(sqlx::FromRow)]
struct HeadRow {
    seq: i64,
    hash: String,
}

/// Appends an entry. The head's row is taken first, and whoever holds it knows that nobody else appends.
pub(super) async fn append(
    connection: &mut Connection,
    at: Timestamp,
    kind: EventKind,
    actor: &str,
    detail: serde_json::Value,
) -> Result<(), Fault> {
    let head: HeadRow = sqlx::query_as("UPDATE audit_head SET seq = seq + 1 RETURNING seq, hash")
        .fetch_one(&mut *connection)
        .await?;
    let event = Event {
        kind,
        actor: actor.to_owned(),
        detail,
    };
    let entry = Entry::link(head.seq, at, &event, &head.hash);
    let approval = kind
        .leaves_approval()
        .and_then(|_| entry.detail["approval"].as_str());
    sqlx::query(
        "INSERT INTO audit (seq, at, kind, actor, detail, previous, hash, approval)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(entry.seq)
    .bind(entry.at.as_micros())
    .bind(&entry.kind)
    .bind(&entry.actor)
    .bind(to_json(&entry.detail))
    .bind(&entry.previous)
    .bind(&entry.hash)
    .bind(approval)
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE audit_head SET hash = $1 WHERE seq = $2")
        .bind(&entry.hash)
        .bind(entry.seq)
        .execute(&mut *connection)
        .await?;
    // Here, because whatever others wait for has its entry.
    let announcement = match kind {
        kind if kind.ends_tokens() => ANNOUNCEMENT_OF_TOKENS,
        kind if kind.is_awaited() => ANNOUNCEMENT,
        _ => None,
    };
    if let Some(announcement) = announcement {
        connection.execute(announcement).await?;
    }
    Ok(())
}

/// The entries after the number in the page, oldest first. A cursor that is no number was never given
/// out and leads nowhere.
pub(super) async fn list(connection: &mut Connection, page: &Page) -> Result<Vec<Entry>, Fault> {
    let after = page
        .after
        .as_deref()
        .map_or(0, |after| after.parse().unwrap_or(i64::MAX));
    rows(connection, after, limit(page))
        .await?
        .into_iter()
        .map(entry)
        .collect()
}

/// Where the chain ends, and the hash of the entry at `since`.
pub(super) async fn head(connection: &mut Connection, since: i64) -> Result<Head, Fault> {
    let HeadRow { seq, hash } = last(connection).await?;
    let then = sqlx::query_scalar("SELECT hash FROM audit WHERE seq = $1")
        .bind(since)
        .fetch_optional(connection)
        .await?;
    Ok(Head { seq, hash, then })
}

async fn last(connection: &mut Connection) -> Result<HeadRow, Fault> {
    let head = sqlx::query_as("SELECT seq, hash FROM audit_head")
        .fetch_optional(connection)
        .await?;
    head.ok_or_else(|| Fault::Corrupt("the audit has no head".to_owned()))
}

/// Walks the chain to its head.
pub(super) async fn verify(connection: &mut Connection) -> Result<Result<i64, ChainError>, Fault> {
    let head = last(connection).await?;
    let mut verifier = Verifier::default();
    let mut after = i64::MIN;
    loop {
        let rows = rows(connection, after, STRIDE).await?;
        let Some(last) = rows.last() else { break };
        after = last.seq;
        for row in rows {
            let seq = row.seq;
            // What cannot even be read back is not what was written.
            let taken = match entry(row) {
                Ok(entry) => verifier.take(&entry),
                Err(_) => Err(ChainError::Changed(seq)),
            };
            if let Err(error) = taken {
                return Ok(Err(error));
            }
        }
    }
    Ok(verifier.end(head.seq, &head.hash))
}

async fn rows(connection: &mut Connection, after: i64, limit: i64) -> Result<Vec<Row>, Fault> {
    Ok(
        sqlx::query_as("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(after)
            .bind(limit)
            .fetch_all(connection)
            .await?,
    )
}

/// What a row says.
pub(super) fn entry(row: Row) -> Result<Entry, Fault> {
    Ok(Entry {
        seq: row.seq,
        at: Timestamp::from_micros(row.at),
        kind: row.kind,
        actor: row.actor,
        detail: from_json("audit.detail", &row.detail)?,
        previous: row.previous,
        hash: row.hash,
    })
}

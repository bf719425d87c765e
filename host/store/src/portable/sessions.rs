//! The host's own login: its links and its sessions.

use countersign_core::audit::EventKind;
use countersign_core::caller::{Issuer, Person};
use countersign_core::holdings::LiveSession;
use countersign_core::id::SessionId;
use countersign_core::session::{NewSession, OPERATOR, ProofHash};
use countersign_core::time::Timestamp;
use countersign_core::token::TokenHash;
use serde_json::json;

use super::columns::{parsed, parsed_option};
use super::{Connection, HOST, audit, people};
use crate::fault::Fault;

/// The most sessions that one list shows.
const LIST_LIMIT: i64 = 100;

/// What makes a session live at `$1`.
macro_rules! live {
    () => {
        "ended_at IS NULL AND expires_at > $1"
    };
}

/// Keeps a link in place of any other.
pub(super) async fn save_link(
    connection: &mut Connection,
    link: TokenHash,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query("DELETE FROM login_links")
        .execute(&mut *connection)
        .await?;
    sqlx::query("INSERT INTO login_links (hash, created_at, expires_at) VALUES ($1, $2, $3)")
        .bind(link.to_hex())
        .bind(now.as_micros())
        .bind(expires_at.as_micros())
        .execute(&mut *connection)
        .await?;
    let detail = json!({ "expires_at": expires_at });
    audit::append(connection, now, EventKind::LoginLinkMade, HOST, detail).await
}

/// Uses a link up and starts a session.
pub(super) async fn redeem_link(
    connection: &mut Connection,
    link: TokenHash,
    session: NewSession,
    now: Timestamp,
) -> Result<bool, Fault> {
    let used = sqlx::query("DELETE FROM login_links WHERE hash = $1 AND expires_at > $2")
        .bind(link.to_hex())
        .bind(now.as_micros())
        .execute(&mut *connection)
        .await?;
    if used.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO sessions (id, cookie_hash, proof_hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(session.id.to_string())
    .bind(session.cookie.to_hex())
    .bind(session.proof.to_hex())
    .bind(now.as_micros())
    .bind(session.expires_at.as_micros())
    .execute(&mut *connection)
    .await?;
    let operator = operator();
    people::note(connection, &operator, now).await?;
    let detail = json!({ "session": session.id, "expires_at": session.expires_at });
    let event = EventKind::SessionStarted;
    audit::append(connection, now, event, &operator.label(), detail).await?;
    Ok(true)
}

/// The live session with this cookie.
pub(super) async fn by_cookie(
    connection: &mut Connection,
    cookie: TokenHash,
    now: Timestamp,
) -> Result<Option<SessionId>, Fault> {
    let id: Option<String> = sqlx::query_scalar(concat!(
        "SELECT id FROM sessions WHERE cookie_hash = $2 AND ",
        live!()
    ))
    .bind(now.as_micros())
    .bind(cookie.to_hex())
    .fetch_optional(connection)
    .await?;
    parsed_option("sessions.id", id.as_deref(), SessionId::parse)
}

/// The hash of a live session's proof.
pub(super) async fn proof(
    connection: &mut Connection,
    id: SessionId,
    now: Timestamp,
) -> Result<Option<ProofHash>, Fault> {
    let hash: Option<String> = sqlx::query_scalar(concat!(
        "SELECT proof_hash FROM sessions WHERE id = $2 AND ",
        live!()
    ))
    .bind(now.as_micros())
    .bind(id.to_string())
    .fetch_optional(connection)
    .await?;
    // The column's text stays out of the message: a damaged hash is still most of a hash.
    hash.map(|hash| {
        ProofHash::from_hex(&hash)
            .ok_or_else(|| Fault::Corrupt("`sessions.proof_hash` is no hash".to_owned()))
    })
    .transpose()
}

/// Whether a session still lives.
pub(super) async fn is_live(
    connection: &mut Connection,
    id: SessionId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let live: i64 = sqlx::query_scalar(concat!(
        "SELECT COUNT(*) FROM sessions WHERE id = $2 AND ",
        live!()
    ))
    .bind(now.as_micros())
    .bind(id.to_string())
    .fetch_one(connection)
    .await?;
    Ok(live > 0)
}

/// Ends a session. One that ended before stays as it was.
pub(super) async fn end(
    connection: &mut Connection,
    id: SessionId,
    now: Timestamp,
) -> Result<(), Fault> {
    let ended = sqlx::query(concat!(
        "UPDATE sessions SET ended_at = $1 WHERE id = $2 AND ",
        live!()
    ))
    .bind(now.as_micros())
    .bind(id.to_string())
    .execute(&mut *connection)
    .await?;
    if ended.rows_affected() == 0 {
        return Ok(());
    }
    let detail = json!({ "session": id });
    audit::append(
        connection,
        now,
        EventKind::SessionEnded,
        &operator().label(),
        detail,
    )
    .await
}

/// Those that live, for whoever has one of them.
pub(super) async fn list(
    connection: &mut Connection,
    reader: SessionId,
    now: Timestamp,
) -> Result<Vec<LiveSession>, Fault> {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(concat!(
        "SELECT id, created_at, expires_at FROM sessions
         WHERE EXISTS (SELECT 1 FROM sessions WHERE id = $2 AND ",
        live!(),
        ") AND ",
        live!(),
        " ORDER BY created_at DESC, id DESC LIMIT $3"
    ))
    .bind(now.as_micros())
    .bind(reader.to_string())
    .bind(LIST_LIMIT)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(id, started_at, expires_at)| {
            Ok(LiveSession {
                id: parsed("sessions.id", &id, SessionId::parse)?,
                started_at: Timestamp::from_micros(started_at),
                expires_at: Timestamp::from_micros(expires_at),
            })
        })
        .collect()
}

/// Ends a session for whoever has a live one; false where either is none.
pub(super) async fn end_by(
    connection: &mut Connection,
    ended: SessionId,
    by: SessionId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let done = sqlx::query(concat!(
        "UPDATE sessions SET ended_at = $1
         WHERE id = $2 AND EXISTS (SELECT 1 FROM sessions WHERE id = $3 AND ",
        live!(),
        ") AND ",
        live!()
    ))
    .bind(now.as_micros())
    .bind(ended.to_string())
    .bind(by.to_string())
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let detail = json!({ "session": ended, "by_session": by });
    let event = EventKind::SessionEnded;
    audit::append(connection, now, event, &operator().label(), detail).await?;
    Ok(true)
}

fn operator() -> Person {
    Person {
        issuer: Issuer::Operator,
        user: OPERATOR.to_owned(),
    }
}

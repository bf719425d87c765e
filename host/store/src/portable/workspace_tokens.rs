//! The tokens of workspaces.

use countersign_core::caller::{Caller, Identity};
use countersign_core::id::{ApprovalId, TokenId, WorkspaceId};
use countersign_core::time::Timestamp;
use countersign_core::token::TokenHash;
use countersign_core::workspace::{Slice, TOKEN_LIMIT, WorkspaceToken};

use super::columns::{count, instant, live, parsed, uses_since};
use super::{Connection, tokens, usage};
use crate::fault::Fault;

/// The most that one list shows.
const LIST_LIMIT: u32 = 200;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: String,
    prefix: String,
    workspace: String,
    created_by: String,
    lineage: String,
    created_at: i64,
    last_used_at: Option<i64>,
    /// Only a list counts them.
    #[sqlx(default)]
    uses_24h: i64,
    expires_at: Option<i64>,
    draining_until: Option<i64>,
}

/// A token to be minted.
pub(super) struct Minting<'a> {
    pub(super) id: TokenId,
    pub(super) hash: TokenHash,
    pub(super) prefix: &'a str,
    pub(super) workspace: WorkspaceId,
    pub(super) expires_at: Option<Timestamp>,
    /// The approval under which it is minted.
    pub(super) approval: Option<ApprovalId>,
}

/// Mints a token for a workspace that stands, unless too many of its tokens are live.
pub(super) async fn mint(
    connection: &mut Connection,
    minter: &Caller,
    minting: &Minting<'_>,
    now: Timestamp,
) -> Result<Option<WorkspaceToken>, Fault> {
    let minter_key = minter_key(connection, minter).await?;
    let row: Option<Row> = sqlx::query_as(concat!(
        "INSERT INTO workspace_tokens
             (created_at, id, hash, prefix, workspace, expires_at, created_by, minter_key, lineage,
              approval)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $11
         WHERE EXISTS (SELECT 1 FROM workspaces WHERE id = $5 AND status <> 'removed')
           AND $10 > (SELECT COUNT(*) FROM workspace_tokens WHERE workspace = $5 AND ",
        live!(),
        ") RETURNING *"
    ))
    .bind(now.as_micros())
    .bind(minting.id.to_string())
    .bind(minting.hash.to_hex())
    .bind(minting.prefix)
    .bind(minting.workspace.to_string())
    .bind(minting.expires_at.map(Timestamp::as_micros))
    .bind(minter.actor())
    .bind(minter_key)
    .bind(lineage(minter, minting.id))
    .bind(TOKEN_LIMIT)
    .bind(minting.approval.map(|id| id.to_string()))
    .fetch_optional(connection)
    .await?;
    row.map(token).transpose()
}

/// Who stands behind a new token. One that replaces another has that one's minter, or nobody could tell
/// any more, after a rotation, whose it is.
async fn minter_key(connection: &mut Connection, minter: &Caller) -> Result<String, Fault> {
    let Identity::WorkspaceToken { id, .. } = &minter.identity else {
        return Ok(minter.credential_key());
    };
    let key = minted_by(connection, *id).await?;
    Ok(key.unwrap_or_else(|| minter.credential_key()))
}

/// The root of a new token's lineage, as of an organisation token: what a program mints stays in the
/// program's, what a person or the provisioner mints is a program of its own.
fn lineage(minter: &Caller, minted: TokenId) -> String {
    match &minter.identity {
        Identity::Session { .. } | Identity::Provisioner { .. } | Identity::PolicyFolder => {
            credential_key(minted)
        }
        Identity::OrgToken { .. }
        | Identity::WorkspaceToken { .. }
        | Identity::AdminToken { .. } => minter.lineage(),
    }
}

/// [`Caller::credential_key`] of whoever presents the token with this id.
pub(super) fn credential_key(id: TokenId) -> String {
    format!("workspace-token:{id}")
}

async fn minted_by(connection: &mut Connection, id: TokenId) -> Result<Option<String>, Fault> {
    Ok(
        sqlx::query_scalar("SELECT minter_key FROM workspace_tokens WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(connection)
            .await?,
    )
}

/// Whether the credential `key` minted the token `id`, or minted the organisation token that did, and so
/// on.
pub(super) async fn was_minted_by(
    connection: &mut Connection,
    id: TokenId,
    key: &str,
) -> Result<bool, Fault> {
    let Some(minter) = minted_by(connection, id).await? else {
        return Ok(false);
    };
    if minter == key {
        return Ok(true);
    }
    match minter.strip_prefix("org-token:").and_then(TokenId::parse) {
        Some(minter) => tokens::descends_from(connection, minter, key).await,
        None => Ok(false),
    }
}

/// Revokes a live token of the workspace; false where it is none.
pub(super) async fn revoke(
    connection: &mut Connection,
    workspace: WorkspaceId,
    id: TokenId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let revoked = sqlx::query(concat!(
        "UPDATE workspace_tokens SET revoked_at = $1 WHERE id = $2 AND workspace = $3 AND ",
        live!()
    ))
    .bind(now.as_micros())
    .bind(id.to_string())
    .bind(workspace.to_string())
    .execute(connection)
    .await?;
    Ok(revoked.rows_affected() > 0)
}

/// Revokes all live tokens of the workspace: their ids.
pub(super) async fn revoke_all(
    connection: &mut Connection,
    workspace: WorkspaceId,
    now: Timestamp,
) -> Result<Vec<String>, Fault> {
    let mut revoked: Vec<String> = sqlx::query_scalar(concat!(
        "UPDATE workspace_tokens SET revoked_at = $1 WHERE workspace = $2 AND ",
        live!(),
        " RETURNING id"
    ))
    .bind(now.as_micros())
    .bind(workspace.to_string())
    .fetch_all(connection)
    .await?;
    revoked.sort_unstable();
    Ok(revoked)
}

/// The live token with this hash.
pub(super) async fn by_hash(
    connection: &mut Connection,
    hash: TokenHash,
    now: Timestamp,
) -> Result<Option<WorkspaceToken>, Fault> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "SELECT * FROM workspace_tokens WHERE hash = $2 AND ",
        live!()
    ))
    .bind(now.as_micros())
    .bind(hash.to_hex())
    .fetch_optional(connection)
    .await?;
    row.map(token).transpose()
}

/// The token with this id, if it is one of the workspace's that live.
pub(super) async fn live(
    connection: &mut Connection,
    workspace: WorkspaceId,
    id: TokenId,
    now: Timestamp,
) -> Result<Option<WorkspaceToken>, Fault> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "SELECT * FROM workspace_tokens WHERE id = $2 AND workspace = $3 AND ",
        live!()
    ))
    .bind(now.as_micros())
    .bind(id.to_string())
    .bind(workspace.to_string())
    .fetch_optional(connection)
    .await?;
    row.map(token).transpose()
}

/// How many of the workspace's tokens are live.
pub(super) async fn count_live(
    connection: &mut Connection,
    workspace: WorkspaceId,
    now: Timestamp,
) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar(concat!(
        "SELECT COUNT(*) FROM workspace_tokens WHERE workspace = $2 AND ",
        live!()
    ))
    .bind(now.as_micros())
    .bind(workspace.to_string())
    .fetch_one(connection)
    .await?)
}

/// The workspace's live tokens, newest first.
pub(super) async fn list(
    connection: &mut Connection,
    workspace: WorkspaceId,
    slice: Slice,
    now: Timestamp,
) -> Result<Vec<WorkspaceToken>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "SELECT workspace_tokens.*, ",
        uses_since!("workspace_tokens", "$5"),
        " FROM workspace_tokens WHERE workspace = $2 AND ",
        live!(),
        " ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"
    ))
    .bind(now.as_micros())
    .bind(workspace.to_string())
    .bind(i64::from(slice.limit.min(LIST_LIMIT)))
    .bind(i64::from(slice.offset))
    .bind(now.minus(usage::A_DAY).as_micros())
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(token).collect()
}

pub(super) fn token(row: Row) -> Result<WorkspaceToken, Fault> {
    Ok(WorkspaceToken {
        id: parsed("workspace_tokens.id", &row.id, TokenId::parse)?,
        prefix: row.prefix,
        workspace: parsed(
            "workspace_tokens.workspace",
            &row.workspace,
            WorkspaceId::parse,
        )?,
        created_by: row.created_by,
        lineage: row.lineage,
        created_at: Timestamp::from_micros(row.created_at),
        last_used_at: instant(row.last_used_at),
        uses_24h: count(row.uses_24h),
        expires_at: instant(row.expires_at),
        draining_until: instant(row.draining_until),
    })
}

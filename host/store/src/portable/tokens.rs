//! Organisation tokens.

use std::time::Duration;

use countersign_core::address;
use countersign_core::caller::{Caller, Identity};
use countersign_core::id::{ApprovalId, TokenId, WorkspaceId};
use countersign_core::ledger::OrgToken;
use countersign_core::policy::Role;
use countersign_core::time::Timestamp;
use countersign_core::token::TokenHash;

use super::columns::{count, instant, live, parsed, parsed_option, uses_since};
use super::{Connection, usage, workspace_tokens};
use crate::fault::Fault;

/// The most tokens that one list shows.
const LIST_LIMIT: i64 = 500;

/// Within how long mints from one address count together.
const MINTS_COUNT_FOR: Duration = Duration::from_secs(3_600);

/// A token and whoever minted it, and so on up to the root. Needs `$2`: the token's id.
macro_rules! with_ancestors {
    () => {
        "WITH RECURSIVE chain (id, minted_by_token, created_by_key) AS (
             SELECT id, minted_by_token, created_by_key FROM org_tokens WHERE id = $2
             UNION
             SELECT minter.id, minter.minted_by_token, minter.created_by_key
             FROM org_tokens AS minter JOIN chain ON minter.id = chain.minted_by_token
         )"
    };
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: String,
    prefix: String,
    name: Option<String>,
    role: String,
    workspace: Option<String>,
    created_by: String,
    created_by_user: Option<String>,
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
    pub(super) name: Option<&'a str>,
    pub(super) role: Role,
    pub(super) workspace: Option<WorkspaceId>,
    pub(super) expires_at: Option<Timestamp>,
    /// At most so many live tokens, this one counted; 0: any number.
    pub(super) live_limit: u32,
    /// At most so many minted from the minter's address in an hour, this one counted; 0: any number.
    pub(super) mint_limit: u32,
    /// The approval under which it is minted.
    pub(super) approval: Option<ApprovalId>,
}

/// Mints a token, unless too many are live or were minted from there (what takes the place of a lost one is
/// the same mint), or the workspace to which it would
/// be bound does not stand.
pub(super) async fn mint(
    connection: &mut Connection,
    minter: &Caller,
    minting: &Minting<'_>,
    now: Timestamp,
) -> Result<Option<OrgToken>, Fault> {
    let minted_by_token = match &minter.identity {
        Identity::OrgToken { id, .. } => Some(id.to_string()),
        Identity::Session { .. }
        | Identity::WorkspaceToken { .. }
        | Identity::AdminToken { .. }
        | Identity::Provisioner { .. }
        | Identity::PolicyFolder => None,
    };
    let row: Option<Row> = sqlx::query_as(concat!(
        "INSERT INTO org_tokens
             (created_at, id, hash, prefix, name, role, workspace, expires_at,
              created_by, created_by_user, created_by_key, minted_by_token, lineage, minted_from,
              approval)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $15,
                $18
         WHERE ($14 = 0 OR $14 > (SELECT COUNT(*) FROM org_tokens WHERE ",
        live!(),
        "))
           AND (CAST($7 AS TEXT) IS NULL
                OR EXISTS (SELECT 1 FROM workspaces WHERE id = $7 AND status <> 'removed'))
           AND ($16 = 0
                OR $16 > (SELECT COUNT(DISTINCT COALESCE(minted.approval, minted.id))
                          FROM org_tokens AS minted
                          WHERE minted.minted_from = $15 AND minted.created_at > $17
                            AND (CAST($18 AS TEXT) IS NULL OR minted.approval IS NULL
                                 OR minted.approval <> $18)))
         RETURNING *"
    ))
    .bind(now.as_micros())
    .bind(minting.id.to_string())
    .bind(minting.hash.to_hex())
    .bind(minting.prefix)
    .bind(minting.name)
    .bind(minting.role.as_str())
    .bind(minting.workspace.map(|id| id.to_string()))
    .bind(minting.expires_at.map(Timestamp::as_micros))
    .bind(minter.actor())
    .bind(minter.person().map(|person| person.user.as_str()))
    .bind(minter.credential_key())
    .bind(minted_by_token)
    .bind(lineage(minter, minting.id))
    .bind(i64::from(minting.live_limit))
    .bind(address::party(&minter.address))
    .bind(i64::from(minting.mint_limit))
    .bind(now.minus(MINTS_COUNT_FOR).as_micros())
    .bind(minting.approval.map(|id| id.to_string()))
    .fetch_optional(connection)
    .await?;
    row.map(token).transpose()
}

/// When `minter` can mint again where it is, if it cannot now: when the oldest of as many mints as there
/// may be does not count any more.
pub(super) async fn mints_again_at(
    connection: &mut Connection,
    minter: &Caller,
    limit: u32,
    now: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    if limit == 0 {
        return Ok(None);
    }
    let oldest: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(created_at) FROM org_tokens WHERE minted_from = $1 AND created_at > $2
         GROUP BY COALESCE(approval, id)
         ORDER BY MAX(created_at) DESC LIMIT 1 OFFSET $3",
    )
    .bind(address::party(&minter.address))
    .bind(now.minus(MINTS_COUNT_FOR).as_micros())
    .bind(i64::from(limit) - 1)
    .fetch_optional(connection)
    .await?;
    Ok(oldest.map(|at| Timestamp::from_micros(at).plus(MINTS_COUNT_FOR)))
}

/// The root of a new token's lineage. What a program mints stays in the program's, or it would escape
/// its limits and cool-downs by minting; what a person mints is a program of its own. So is what the
/// provisioner mints: it equips all the agents there are, who would share one lineage, and with it their
/// limits and the right to revoke each other's tokens.
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
    format!("org-token:{id}")
}

/// Revokes all live tokens that are bound to the workspace: their ids.
pub(super) async fn revoke_bound(
    connection: &mut Connection,
    workspace: WorkspaceId,
    now: Timestamp,
) -> Result<Vec<String>, Fault> {
    let mut revoked: Vec<String> = sqlx::query_scalar(concat!(
        "UPDATE org_tokens SET revoked_at = $1 WHERE workspace = $2 AND ",
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
) -> Result<Option<OrgToken>, Fault> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "SELECT * FROM org_tokens WHERE hash = $2 AND ",
        live!()
    ))
    .bind(now.as_micros())
    .bind(hash.to_hex())
    .fetch_optional(connection)
    .await?;
    row.map(token).transpose()
}

/// The token with this id, if it is live.
pub(super) async fn live(
    connection: &mut Connection,
    id: TokenId,
    now: Timestamp,
) -> Result<Option<OrgToken>, Fault> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "SELECT * FROM org_tokens WHERE id = $2 AND ",
        live!()
    ))
    .bind(now.as_micros())
    .bind(id.to_string())
    .fetch_optional(connection)
    .await?;
    row.map(token).transpose()
}

/// The token with this id, live or not.
pub(super) async fn load(
    connection: &mut Connection,
    id: TokenId,
) -> Result<Option<OrgToken>, Fault> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM org_tokens WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(token).transpose()
}

/// How many tokens are live.
pub(super) async fn count_live(connection: &mut Connection, now: Timestamp) -> Result<i64, Fault> {
    Ok(
        sqlx::query_scalar(concat!("SELECT COUNT(*) FROM org_tokens WHERE ", live!()))
            .bind(now.as_micros())
            .fetch_one(connection)
            .await?,
    )
}

/// Live tokens, newest first.
pub(super) async fn list(
    connection: &mut Connection,
    now: Timestamp,
) -> Result<Vec<OrgToken>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "SELECT org_tokens.*, ",
        uses_since!("org_tokens", "$3"),
        " FROM org_tokens WHERE ",
        live!(),
        " ORDER BY created_at DESC, id DESC LIMIT $2"
    ))
    .bind(now.as_micros())
    .bind(LIST_LIMIT)
    .bind(now.minus(usage::A_DAY).as_micros())
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(token).collect()
}

/// Whether the credential `key` is the token `id`, or minted it, or minted one that did, and so on.
pub(super) async fn descends_from(
    connection: &mut Connection,
    id: TokenId,
    key: &str,
) -> Result<bool, Fault> {
    if credential_key(id) == key {
        return Ok(true);
    }
    let minted: i64 = sqlx::query_scalar(concat!(
        with_ancestors!(),
        " SELECT COUNT(*) FROM chain WHERE created_by_key = $1"
    ))
    .bind(key)
    .bind(id.to_string())
    .fetch_one(connection)
    .await?;
    Ok(minted > 0)
}

/// [`descends_from`] for a credential that may be a token or something else, which nobody minted.
pub(super) async fn was_minted_by(
    connection: &mut Connection,
    credential: &str,
    key: &str,
) -> Result<bool, Fault> {
    match credential
        .split_once(':')
        .map(|(kind, id)| (kind, TokenId::parse(id)))
    {
        Some(("org-token", Some(id))) => descends_from(connection, id, key).await,
        Some(("workspace-token", Some(id))) => {
            workspace_tokens::was_minted_by(connection, id, key).await
        }
        _ => Ok(false),
    }
}

pub(super) fn token(row: Row) -> Result<OrgToken, Fault> {
    Ok(OrgToken {
        id: parsed("org_tokens.id", &row.id, TokenId::parse)?,
        prefix: row.prefix,
        name: row.name,
        role: parsed("org_tokens.role", &row.role, Role::parse)?,
        workspace: parsed_option(
            "org_tokens.workspace",
            row.workspace.as_deref(),
            WorkspaceId::parse,
        )?,
        created_by: row.created_by,
        created_by_user: row.created_by_user,
        lineage: row.lineage,
        created_at: Timestamp::from_micros(row.created_at),
        last_used_at: instant(row.last_used_at),
        uses_24h: count(row.uses_24h),
        expires_at: instant(row.expires_at),
        draining_until: instant(row.draining_until),
    })
}

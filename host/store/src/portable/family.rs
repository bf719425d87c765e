//! An organisation token with those that minted it, and what it minted.

use countersign_core::approval::Approval;
use countersign_core::holdings::{Family, Kin, MAX_KIN};
use countersign_core::id::TokenId;
use countersign_core::time::Timestamp;

use super::columns::{live, uses_since};
use super::revocation::{self, with_tree};
use super::{Connection, approvals, tokens, usage, workspace_tokens};
use crate::fault::Fault;

#[derive(sqlx::FromRow)]
struct KinRow {
    #[sqlx(flatten)]
    token: tokens::Row,
    is_live: i64,
}

/// The token's columns, how often it was used since `$3`, and whether it lives at `$1`.
macro_rules! kin {
    () => {
        concat!(
            "SELECT org_tokens.*, ",
            uses_since!("org_tokens", "$3"),
            ", CAST(CASE WHEN ",
            live!(),
            " THEN 1 ELSE 0 END AS BIGINT) AS is_live FROM org_tokens "
        )
    };
}

/// Reads them; nothing where there never was such a token.
pub(super) async fn read(
    connection: &mut Connection,
    id: TokenId,
    now: Timestamp,
) -> Result<Option<Family>, Fault> {
    let own: Option<KinRow> = sqlx::query_as(concat!(kin!(), "WHERE id = $2"))
        .bind(now.as_micros())
        .bind(id.to_string())
        .bind(now.minus(usage::A_DAY).as_micros())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(own) = own else {
        return Ok(None);
    };
    Ok(Some(Family {
        token: kin(own)?,
        approval: approval(connection, id).await?,
        minters: minters(connection, id, now).await?,
        minted: minted(connection, id, now).await?,
        of_workspaces: of_workspaces(connection, id, now).await?,
        descent: revocation::descent(connection, id, now).await?,
    }))
}

async fn approval(connection: &mut Connection, id: TokenId) -> Result<Option<Approval>, Fault> {
    let row: Option<approvals::Row> = sqlx::query_as(concat!(
        approvals::select!(),
        "WHERE id = (SELECT approval FROM org_tokens WHERE org_tokens.id = $1)"
    ))
    .bind(id.to_string())
    .fetch_optional(&mut *connection)
    .await?;
    approvals::found(connection, row).await
}

/// A token's minter was there before it, so the order of their ids is that of the lineage.
async fn minters(
    connection: &mut Connection,
    id: TokenId,
    now: Timestamp,
) -> Result<Vec<Kin>, Fault> {
    let sql = concat!(
        "WITH RECURSIVE chain (id, minter) AS (
             SELECT id, minted_by_token FROM org_tokens WHERE id = $2
             UNION
             SELECT above.id, above.minted_by_token
             FROM org_tokens AS above JOIN chain ON above.id = chain.minter
         ) ",
        kin!(),
        "WHERE id IN (SELECT id FROM chain) AND id <> $2 ORDER BY created_at DESC, id DESC LIMIT $4"
    );
    related(connection, sql, id, now).await
}

async fn minted(
    connection: &mut Connection,
    id: TokenId,
    now: Timestamp,
) -> Result<Vec<Kin>, Fault> {
    let sql = concat!(
        with_tree!("$2"),
        " ",
        kin!(),
        "WHERE id IN (SELECT id FROM tree) AND id <> $2
         ORDER BY is_live DESC, created_at, id LIMIT $4"
    );
    let mut minted = related(connection, sql, id, now).await?;
    minted.sort_by_key(|kin| (kin.token.created_at, kin.token.id));
    Ok(minted)
}

/// Those that `sql` finds for the token.
async fn related(
    connection: &mut Connection,
    sql: &'static str,
    id: TokenId,
    now: Timestamp,
) -> Result<Vec<Kin>, Fault> {
    let rows: Vec<KinRow> = sqlx::query_as(sql)
        .bind(now.as_micros())
        .bind(id.to_string())
        .bind(now.minus(usage::A_DAY).as_micros())
        .bind(MAX_KIN)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(kin).collect()
}

async fn of_workspaces(
    connection: &mut Connection,
    id: TokenId,
    now: Timestamp,
) -> Result<Vec<countersign_core::workspace::WorkspaceToken>, Fault> {
    let rows: Vec<workspace_tokens::Row> = sqlx::query_as(concat!(
        with_tree!("$2"),
        " SELECT workspace_tokens.*, ",
        uses_since!("workspace_tokens", "$3"),
        " FROM workspace_tokens
          WHERE minter_key IN (SELECT 'org-token:' || id FROM tree) AND ",
        live!(),
        " ORDER BY created_at, id LIMIT $4"
    ))
    .bind(now.as_micros())
    .bind(id.to_string())
    .bind(now.minus(usage::A_DAY).as_micros())
    .bind(MAX_KIN)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(workspace_tokens::token).collect()
}

fn kin(row: KinRow) -> Result<Kin, Fault> {
    Ok(Kin {
        token: tokens::token(row.token)?,
        is_live: row.is_live > 0,
    })
}

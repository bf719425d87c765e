//! All that falls with a workspace, before it does.

use countersign_core::holdings::Falling;
use countersign_core::id::WorkspaceId;
use countersign_core::time::Timestamp;
use countersign_core::workspace::{FallDigest, digest_of};

use super::Connection;
use super::columns::live;
use super::workspaces::{Row, with_fallen, workspace};
use crate::fault::Fault;

/// What is not a workspace and falls with one: what it is, and which, in which state.
#[derive(sqlx::FromRow)]
struct Thing {
    kind: String,
    id: String,
    version: String,
}

/// Reads it; nothing where the workspace does not stand.
pub(super) async fn read(
    connection: &mut Connection,
    id: WorkspaceId,
    now: Timestamp,
) -> Result<Option<Falling>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        with_fallen!("$1"),
        " SELECT * FROM workspaces WHERE id IN (SELECT id FROM fallen) ORDER BY created_at, id"
    ))
    .bind(id.to_string())
    .fetch_all(&mut *connection)
    .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let things = things(connection, id, now).await?;
    let mut workspaces = rows
        .into_iter()
        .map(workspace)
        .collect::<Result<Vec<_>, _>>()?;
    workspaces.sort_by_key(|workspace| workspace.id != id);
    let ids: Vec<String> = workspaces.iter().map(|one| one.id.to_string()).collect();
    let trees = ids.iter().zip(&workspaces);
    // No two kinds of things have an id in common: a secret's has a slash.
    let digest = FallDigest::of(
        trees
            .map(|(id, workspace)| (id.as_str(), workspace.version.as_str()))
            .chain(
                things
                    .iter()
                    .map(|thing| (thing.id.as_str(), thing.version.as_str())),
            ),
    );
    let count = |kind: &str| things.iter().filter(|thing| thing.kind == kind).count() as u64;
    Ok(Some(Falling {
        workspaces,
        tokens: count("token"),
        bound_tokens: count("bound"),
        secrets: count("secret"),
        digest,
    }))
}

async fn things(
    connection: &mut Connection,
    id: WorkspaceId,
    now: Timestamp,
) -> Result<Vec<Thing>, Fault> {
    Ok(sqlx::query_as(concat!(
        with_fallen!("$2"),
        " SELECT 'token' AS kind, id, 'live' AS version FROM workspace_tokens
          WHERE workspace IN (SELECT id FROM fallen) AND ",
        live!(),
        " UNION ALL
          SELECT 'bound' AS kind, id, 'live' AS version FROM org_tokens
          WHERE workspace IN (SELECT id FROM fallen) AND ",
        live!(),
        " UNION ALL
          SELECT 'secret' AS kind, scope || '/' || key AS id, written_by AS version FROM secrets
          WHERE scope IN (SELECT id FROM fallen)"
    ))
    .bind(now.as_micros())
    .bind(id.to_string())
    .fetch_all(connection)
    .await?)
}

/// What an approval of a removal is bound to.
pub(super) struct Whole {
    /// Workspaces below the one that is meant.
    pub(super) below: i64,
    keys: usize,
    secrets: usize,
    digest: String,
}

impl std::fmt::Display for Whole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} below it, {} keys and {} secrets: {}",
            self.below, self.keys, self.secrets, self.digest
        )
    }
}

/// All that falls, as an approval holds it. What has ended by itself is in it until it is revoked, so that time
/// alone makes no approval stale; and a workspace's key that a later one replaced is the same key, so that whoever
/// merely rotates it does not either. A new name does: it is not what a person read.
pub(super) async fn whole(connection: &mut Connection, id: WorkspaceId) -> Result<Whole, Fault> {
    let things: Vec<Thing> = sqlx::query_as(concat!(
        with_fallen!("$1"),
        " SELECT 'workspace' AS kind, id, version FROM workspaces
          WHERE id IN (SELECT id FROM fallen)
          UNION ALL
          SELECT 'key' AS kind, 'key of ' || workspace AS id, minter_key AS version
          FROM workspace_tokens
          WHERE workspace IN (SELECT id FROM fallen) AND revoked_at IS NULL
          UNION ALL
          SELECT 'key' AS kind, 'bound ' || id AS id, workspace AS version FROM org_tokens
          WHERE workspace IN (SELECT id FROM fallen) AND revoked_at IS NULL
          UNION ALL
          SELECT 'secret' AS kind, scope || '/' || key AS id, written_by AS version FROM secrets
          WHERE scope IN (SELECT id FROM fallen)"
    ))
    .bind(id.to_string())
    .fetch_all(connection)
    .await?;
    let count = |kind: &str| things.iter().filter(|thing| thing.kind == kind).count();
    let with_it = i64::try_from(count("workspace")).unwrap_or(i64::MAX) - 1;
    Ok(Whole {
        below: with_it.max(0),
        keys: count("key"),
        secrets: count("secret"),
        digest: digest_of(
            things
                .iter()
                .map(|thing| (thing.id.as_str(), thing.version.as_str())),
        ),
    })
}

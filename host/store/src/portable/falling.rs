//! All that falls with a workspace, before it does.

use std::collections::HashMap;

use countersign_core::holdings::{Falling, MAX_NAMED, Named, NamedSecret, NamedToken};
use countersign_core::id::{TokenId, WorkspaceId};
use countersign_core::secret::SecretKey;
use countersign_core::time::Timestamp;
use countersign_core::workspace::{FallDigest, Workspace, digest_of};

use super::Connection;
use super::columns::{live, parsed};
use super::workspaces::{Row, with_fallen, workspace};
use crate::fault::Fault;

const TOKEN: &str = "token";
const BOUND: &str = "bound";
const SECRET: &str = "secret";

/// What is not a workspace and falls with one: what it is, and which, in which state.
#[derive(sqlx::FromRow)]
struct Thing {
    kind: String,
    id: String,
    version: String,
}

/// The same, as people know it.
#[derive(sqlx::FromRow)]
struct Part {
    #[sqlx(flatten)]
    thing: Thing,
    workspace: String,
    /// How a token begins; a secret's key.
    label: String,
    /// What an organisation token is called.
    name: Option<String>,
}

/// All that falls: the workspaces, the one that is meant first, and what hangs on them, in their order.
struct Gathered {
    workspaces: Vec<Workspace>,
    parts: Vec<Part>,
}

/// Reads it; nothing where the workspace does not stand.
pub(super) async fn read(
    connection: &mut Connection,
    id: WorkspaceId,
    now: Timestamp,
) -> Result<Option<Falling>, Fault> {
    let Some(gathered) = gather(connection, id, now).await? else {
        return Ok(None);
    };
    Ok(Some(Falling {
        tokens: gathered.count(TOKEN),
        bound_tokens: gathered.count(BOUND),
        secrets: gathered.count(SECRET),
        named: gathered.named()?,
        digest: gathered.digest(),
        workspaces: gathered.workspaces,
    }))
}

/// Names exactly what falls; nothing where the workspace does not stand.
pub(super) async fn digest(
    connection: &mut Connection,
    id: WorkspaceId,
    now: Timestamp,
) -> Result<Option<FallDigest>, Fault> {
    let gathered = gather(connection, id, now).await?;
    Ok(gathered.map(|gathered| gathered.digest()))
}

async fn gather(
    connection: &mut Connection,
    id: WorkspaceId,
    now: Timestamp,
) -> Result<Option<Gathered>, Fault> {
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
    let mut parts = parts(connection, id, now).await?;
    let mut workspaces = rows
        .into_iter()
        .map(workspace)
        .collect::<Result<Vec<_>, _>>()?;
    workspaces.sort_by_key(|workspace| workspace.id != id);
    let places: HashMap<String, usize> = workspaces
        .iter()
        .enumerate()
        .map(|(place, workspace)| (workspace.id.to_string(), place))
        .collect();
    // Ids of later tokens sort later, and a secret's ends with its key.
    parts.sort_by_cached_key(|part| {
        let place = places.get(&part.workspace).copied();
        (place, part.thing.id.clone())
    });
    Ok(Some(Gathered { workspaces, parts }))
}

async fn parts(
    connection: &mut Connection,
    id: WorkspaceId,
    now: Timestamp,
) -> Result<Vec<Part>, Fault> {
    Ok(sqlx::query_as(concat!(
        with_fallen!("$2"),
        " SELECT 'token' AS kind, id, 'live' AS version,
                 workspace, prefix AS label, CAST(NULL AS TEXT) AS name
          FROM workspace_tokens
          WHERE workspace IN (SELECT id FROM fallen) AND ",
        live!(),
        " UNION ALL
          SELECT 'bound' AS kind, id, 'live' AS version, workspace, prefix AS label, name
          FROM org_tokens
          WHERE workspace IN (SELECT id FROM fallen) AND ",
        live!(),
        " UNION ALL
          SELECT 'secret' AS kind, scope || '/' || key AS id, written_by AS version,
                 scope AS workspace, key AS label, CAST(NULL AS TEXT) AS name
          FROM secrets
          WHERE scope IN (SELECT id FROM fallen)"
    ))
    .bind(now.as_micros())
    .bind(id.to_string())
    .fetch_all(connection)
    .await?)
}

impl Gathered {
    fn of(&self, kind: &str) -> impl Iterator<Item = &Part> {
        self.parts
            .iter()
            .filter(move |part| part.thing.kind == kind)
    }

    fn count(&self, kind: &str) -> u64 {
        self.of(kind).count() as u64
    }

    fn digest(&self) -> FallDigest {
        let ids: Vec<String> = self
            .workspaces
            .iter()
            .map(|one| one.id.to_string())
            .collect();
        let trees = ids.iter().zip(&self.workspaces);
        // No two kinds of things have an id in common: a secret's has a slash.
        FallDigest::of(
            trees
                .map(|(id, workspace)| (id.as_str(), workspace.version.as_str()))
                .chain(
                    self.parts
                        .iter()
                        .map(|part| (part.thing.id.as_str(), part.thing.version.as_str())),
                ),
        )
    }

    fn named(&self) -> Result<Named, Fault> {
        Ok(Named {
            tokens: self.first(TOKEN, token)?,
            bound_tokens: self.first(BOUND, token)?,
            secrets: self.first(SECRET, secret)?,
        })
    }

    /// The first of a kind, as `name` makes each of its row.
    fn first<T>(
        &self,
        kind: &str,
        name: impl Fn(&Part) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        self.of(kind).take(MAX_NAMED).map(name).collect()
    }
}

fn token(part: &Part) -> Result<NamedToken, Fault> {
    Ok(NamedToken {
        id: parsed("tokens.id", &part.thing.id, TokenId::parse)?,
        prefix: part.label.clone(),
        name: part.name.clone(),
        workspace: parsed("tokens.workspace", &part.workspace, WorkspaceId::parse)?,
    })
}

fn secret(part: &Part) -> Result<NamedSecret, Fault> {
    Ok(NamedSecret {
        key: parsed("secrets.key", &part.label, SecretKey::parse)?,
        workspace: parsed("secrets.scope", &part.workspace, WorkspaceId::parse)?,
    })
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

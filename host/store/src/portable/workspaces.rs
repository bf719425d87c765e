//! Workspaces: created, changed, read. Removal is in `removal`.

use countersign_core::audit::EventKind;
use countersign_core::id::{DecisionId, WorkspaceId};
use countersign_core::time::Timestamp;
use countersign_core::workspace::{ANCHOR_NAME, LIVE_LIMIT, MAX_DEPTH, Status, Workspace};
use serde_json::json;

use super::columns::{parsed, parsed_option};
use super::{Connection, HOST, audit};
use crate::fault::Fault;

/// What stands. Everything that is done with a workspace asks for it.
macro_rules! stands {
    () => {
        "status <> 'removed'"
    };
}
pub(super) use stands;

/// A workspace, whose parameter is given, and all below it, as `fallen (id)`. A set has no second copy of
/// anything, so this ends whatever the table holds.
macro_rules! with_fallen {
    ($id:literal) => {
        concat!(
            "WITH RECURSIVE fallen (id) AS (
                 SELECT id FROM workspaces WHERE id = ",
            $id,
            " AND status <> 'removed'
                 UNION
                 SELECT child.id FROM workspaces AS child JOIN fallen ON child.parent_id = fallen.id
                 WHERE child.status <> 'removed'
             )"
        )
    };
}
pub(super) use with_fallen;

/// The workspace `$4` and all above it, as `above (id, parent_id)`.
macro_rules! above {
    () => {
        "above (id, parent_id) AS (
             SELECT id, parent_id FROM workspaces WHERE id = $4 AND status <> 'removed'
             UNION
             SELECT parent.id, parent.parent_id
             FROM workspaces AS parent JOIN above ON parent.id = above.parent_id
         )"
    };
}

/// The workspace `$2` and all below it, as `below (id, depth)`, to one step more than `$7`.
macro_rules! below {
    () => {
        "below (id, depth) AS (
             SELECT id, CAST(1 AS BIGINT) FROM workspaces WHERE id = $2
             UNION
             SELECT child.id, below.depth + 1
             FROM workspaces AS child JOIN below ON child.parent_id = below.id
             WHERE child.status <> 'removed' AND below.depth <= $7
         )"
    };
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: String,
    name: String,
    parent_id: Option<String>,
    status: String,
    version: String,
    created_by: String,
    created_at: i64,
    updated_at: i64,
}

/// A workspace to be created.
pub(super) struct New<'a> {
    pub(super) id: WorkspaceId,
    pub(super) name: &'a str,
    pub(super) parent: Option<WorkspaceId>,
}

/// What is to change of a workspace: what is not there stays.
pub(super) struct Changes<'a> {
    pub(super) id: WorkspaceId,
    pub(super) name: Option<&'a str>,
    pub(super) parent: Option<Option<WorkspaceId>>,
}

/// Who writes it, under which decision.
pub(super) struct Author<'a> {
    pub(super) decision: DecisionId,
    pub(super) by: &'a str,
    pub(super) at: Timestamp,
}

/// Makes the anchor a workspace, where it is none; false where it is one that was removed.
pub(super) async fn keep_anchor(
    connection: &mut Connection,
    anchor: WorkspaceId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let inserted = sqlx::query(
        "INSERT INTO workspaces (created_at, id, name, status, version, created_by, updated_at)
         VALUES ($1, $2, $3, 'provisioning', $2, $4, $1)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(now.as_micros())
    .bind(anchor.to_string())
    .bind(ANCHOR_NAME)
    .bind(HOST)
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() > 0 {
        let detail =
            json!({ "workspace": anchor, "name": ANCHOR_NAME, "cause": "approval anchor" });
        let event = EventKind::WorkspaceCreated;
        audit::append(connection, now, event, HOST, detail).await?;
        return Ok(true);
    }
    Ok(load(connection, anchor).await?.is_some())
}

/// Creates a workspace, below one that stands where one is named, unless the tree gets too deep or too
/// large.
pub(super) async fn create(
    connection: &mut Connection,
    new: &New<'_>,
    author: &Author<'_>,
) -> Result<Option<Workspace>, Fault> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "WITH RECURSIVE ",
        above!(),
        " INSERT INTO workspaces
             (created_at, id, name, parent_id, status, version, created_by, updated_at)
         SELECT $1, $2, $3, $4, 'provisioning', $5, $6, $1
         WHERE (CAST($4 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM above))
           AND (SELECT COUNT(*) FROM above) < $7
           AND (SELECT COUNT(*) FROM workspaces WHERE ",
        stands!(),
        ") < $8
         RETURNING *"
    ))
    .bind(author.at.as_micros())
    .bind(new.id.to_string())
    .bind(new.name)
    .bind(new.parent.map(|id| id.to_string()))
    .bind(author.decision.to_string())
    .bind(author.by)
    .bind(MAX_DEPTH)
    .bind(LIVE_LIMIT)
    .fetch_optional(connection)
    .await?;
    row.map(workspace).transpose()
}

/// Changes a workspace that stands: its name where one is given, its place where one is given, which must
/// stand, not be below itself, and not be too deep for what is below it.
pub(super) async fn update(
    connection: &mut Connection,
    changes: &Changes<'_>,
    author: &Author<'_>,
) -> Result<Option<Workspace>, Fault> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "WITH RECURSIVE ",
        above!(),
        ", ",
        below!(),
        " UPDATE workspaces
         SET name = COALESCE($3, name),
             parent_id = CASE WHEN $5 = 1 THEN $4 ELSE parent_id END,
             version = $6,
             updated_at = $1
         WHERE id = $2 AND ",
        stands!(),
        " AND ($5 = 0
                OR ((CAST($4 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM above))
                    AND NOT EXISTS (SELECT 1 FROM above WHERE above.id = $2)
                    AND (SELECT COUNT(*) FROM above) + (SELECT MAX(depth) FROM below) <= $7))
         RETURNING *"
    ))
    .bind(author.at.as_micros())
    .bind(changes.id.to_string())
    .bind(changes.name)
    .bind(changes.parent.flatten().map(|id| id.to_string()))
    .bind(i64::from(changes.parent.is_some()))
    .bind(author.decision.to_string())
    .bind(MAX_DEPTH)
    .fetch_optional(connection)
    .await?;
    row.map(workspace).transpose()
}

/// The workspace with this id, while it stands.
pub(super) async fn load(
    connection: &mut Connection,
    id: WorkspaceId,
) -> Result<Option<Workspace>, Fault> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "SELECT * FROM workspaces WHERE id = $1 AND ",
        stands!()
    ))
    .bind(id.to_string())
    .fetch_optional(connection)
    .await?;
    row.map(workspace).transpose()
}

/// Those that stand, oldest first.
pub(super) async fn list(connection: &mut Connection) -> Result<Vec<Workspace>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "SELECT * FROM workspaces WHERE ",
        stands!(),
        " ORDER BY created_at, id LIMIT $1"
    ))
    .bind(LIVE_LIMIT)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(workspace).collect()
}

/// Those directly below one, oldest first.
pub(super) async fn children(
    connection: &mut Connection,
    id: WorkspaceId,
) -> Result<Vec<Workspace>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "SELECT * FROM workspaces WHERE parent_id = $1 AND ",
        stands!(),
        " ORDER BY created_at, id"
    ))
    .bind(id.to_string())
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(workspace).collect()
}

/// Whether `other` is the workspace or one of those below it.
pub(super) async fn takes_along(
    connection: &mut Connection,
    id: WorkspaceId,
    other: WorkspaceId,
) -> Result<bool, Fault> {
    let found: i64 = sqlx::query_scalar(concat!(
        with_fallen!("$1"),
        " SELECT COUNT(*) FROM fallen WHERE id = $2"
    ))
    .bind(id.to_string())
    .bind(other.to_string())
    .fetch_one(connection)
    .await?;
    Ok(found > 0)
}

/// How deep a workspace is: 1 for a root, 0 for one that does not stand.
pub(super) async fn depth(connection: &mut Connection, id: WorkspaceId) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar(
        "WITH RECURSIVE above (id, parent_id) AS (
             SELECT id, parent_id FROM workspaces WHERE id = $1 AND status <> 'removed'
             UNION
             SELECT parent.id, parent.parent_id
             FROM workspaces AS parent JOIN above ON parent.id = above.parent_id
         ) SELECT COUNT(*) FROM above",
    )
    .bind(id.to_string())
    .fetch_one(connection)
    .await?)
}

/// How many levels a workspace and all below it take.
pub(super) async fn height(connection: &mut Connection, id: WorkspaceId) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar(
        "WITH RECURSIVE below (id, depth) AS (
             SELECT id, CAST(1 AS BIGINT) FROM workspaces WHERE id = $1
             UNION
             SELECT child.id, below.depth + 1
             FROM workspaces AS child JOIN below ON child.parent_id = below.id
             WHERE child.status <> 'removed' AND below.depth <= $2
         ) SELECT COALESCE(MAX(depth), 0) FROM below",
    )
    .bind(id.to_string())
    .bind(MAX_DEPTH)
    .fetch_one(connection)
    .await?)
}

/// How many workspaces stand.
pub(super) async fn count(connection: &mut Connection) -> Result<i64, Fault> {
    Ok(
        sqlx::query_scalar(concat!("SELECT COUNT(*) FROM workspaces WHERE ", stands!()))
            .fetch_one(connection)
            .await?,
    )
}

pub(super) fn workspace(row: Row) -> Result<Workspace, Fault> {
    Ok(Workspace {
        id: parsed("workspaces.id", &row.id, WorkspaceId::parse)?,
        name: row.name,
        parent: parsed_option(
            "workspaces.parent_id",
            row.parent_id.as_deref(),
            WorkspaceId::parse,
        )?,
        status: parsed("workspaces.status", &row.status, Status::parse)?,
        version: row.version,
        created_by: row.created_by,
        created_at: Timestamp::from_micros(row.created_at),
        updated_at: Timestamp::from_micros(row.updated_at),
    })
}

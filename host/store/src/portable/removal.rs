//! Removal: a workspace and all below it, with everything that hangs on them.

use countersign_core::action::workspaces_of;
use countersign_core::audit::EventKind;
use countersign_core::id::{ApprovalId, DecisionId, WorkspaceId};
use countersign_core::ledger::Submission;
use countersign_core::workspace::{FallDigest, Workspace};
use serde_json::{Value, json};

use super::columns::{from_json, parsed};
use super::endings::Ending;
use super::workspaces::{Row, stands, with_fallen, workspace};
use super::{Connection, audit, endings, falling, secrets, tokens, workspace_tokens};
use crate::fault::Fault;

/// What is to be removed, and by which request.
pub(super) struct Removing<'a> {
    pub(super) submission: &'a Submission<'a>,
    pub(super) decision: DecisionId,
    /// The workspace that is meant.
    pub(super) workspace: WorkspaceId,
    /// Whether those below it may fall with it.
    pub(super) confirm: bool,
    /// What was shown of what falls, where that is said.
    pub(super) shown: Option<&'a FallDigest>,
}

/// An approval that is open, as far as its end needs it.
#[derive(sqlx::FromRow)]
struct OpenRow {
    id: String,
    workspace: String,
    payload: String,
}

/// Removes the workspace and all below it: their tokens and the organisation tokens bound to them are
/// revoked, their secrets deleted, and requests and grants that are filed under or about them ended. The
/// removed, the one that was meant first; none where it does not stand, where the anchor would fall, where
/// others would fall that may not, or other things than were shown.
pub(super) async fn remove(
    connection: &mut Connection,
    removing: &Removing<'_>,
) -> Result<Vec<Workspace>, Fault> {
    let (submission, workspace) = (removing.submission, removing.workspace);
    if let Some(shown) = removing.shown
        && !is_all_that_falls(connection, submission, workspace, shown).await?
    {
        return Ok(Vec::new());
    }
    let mut removed = mark(connection, removing).await?;
    // Those below follow in the order in which they were created.
    let meant = removing.workspace;
    removed.sort_by_key(|workspace| (workspace.id != meant, workspace.created_at, workspace.id));
    for workspace in &removed {
        let detail = strip(connection, removing, workspace).await?;
        record(connection, removing, EventKind::WorkspaceRemoved, detail).await?;
    }
    end_approvals(connection, removing, &removed).await?;
    Ok(removed)
}

async fn mark(
    connection: &mut Connection,
    removing: &Removing<'_>,
) -> Result<Vec<Workspace>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        with_fallen!("$2"),
        " UPDATE workspaces SET status = 'removed', removed_at = $1
         WHERE id IN (SELECT id FROM fallen) AND ",
        stands!(),
        " AND NOT EXISTS (SELECT 1 FROM fallen WHERE fallen.id = CAST($3 AS TEXT))
           AND ($4 = 1 OR (SELECT COUNT(*) FROM fallen) = 1)
         RETURNING *"
    ))
    .bind(removing.submission.decision.at.as_micros())
    .bind(removing.workspace.to_string())
    .bind(removing.submission.caller.anchor.map(|id| id.to_string()))
    .bind(i64::from(removing.confirm))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(workspace).collect()
}

/// Whether what falls is what was shown. Nobody else writes meanwhile, so it still is when it falls.
pub(super) async fn is_all_that_falls(
    connection: &mut Connection,
    submission: &Submission<'_>,
    workspace: WorkspaceId,
    shown: &FallDigest,
) -> Result<bool, Fault> {
    let found = falling::digest(connection, workspace, submission.decision.at).await?;
    Ok(found.is_some_and(|found| found == *shown))
}

/// Takes everything off a workspace that hangs on it, and says what it was.
async fn strip(
    connection: &mut Connection,
    removing: &Removing<'_>,
    workspace: &Workspace,
) -> Result<Value, Fault> {
    let now = removing.submission.decision.at;
    let own = workspace_tokens::revoke_all(connection, workspace.id, now).await?;
    let bound = tokens::revoke_bound(connection, workspace.id, now).await?;
    let secrets = secrets::delete_all(connection, workspace.id).await?;
    let mut detail = json!({
        "workspace": workspace.id,
        "name": workspace.name,
        "parent": workspace.parent,
        "tokens_revoked": own,
        "organisation_tokens_revoked": bound,
        "secrets_deleted": secrets,
    });
    if workspace.id != removing.workspace {
        detail["fell_with"] = json!(removing.workspace);
    }
    Ok(detail)
}

/// Nobody is left to be asked for something that cannot be done any more, and no grant is left over.
async fn end_approvals(
    connection: &mut Connection,
    removing: &Removing<'_>,
    removed: &[Workspace],
) -> Result<(), Fault> {
    let open: Vec<OpenRow> = sqlx::query_as(
        "SELECT id, workspace, payload FROM approvals
         WHERE state IN ('pending', 'approved') ORDER BY id",
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in open {
        let filed_under = parsed("approvals.workspace", &row.workspace, WorkspaceId::parse)?;
        let payload: Value = from_json("approvals.payload", &row.payload)?;
        let gone = workspaces_of(&payload)
            .chain([filed_under])
            .find(|id| removed.iter().any(|workspace| workspace.id == *id));
        if let Some(gone) = gone {
            let id = parsed("approvals.id", &row.id, ApprovalId::parse)?;
            let (caller, at) = (removing.submission.caller, removing.submission.decision.at);
            let about = json!({ "workspace": gone, "decision": removing.decision });
            let ending = Ending::by(caller, at, "the workspace was removed", about);
            endings::end(connection, id, &ending).await?;
        }
    }
    Ok(())
}

async fn record(
    connection: &mut Connection,
    removing: &Removing<'_>,
    event: EventKind,
    mut detail: Value,
) -> Result<(), Fault> {
    detail["decision"] = json!(removing.decision);
    let submission = removing.submission;
    let actor = submission.caller.actor();
    audit::append(connection, submission.decision.at, event, &actor, detail).await
}

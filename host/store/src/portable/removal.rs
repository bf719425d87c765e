//! Removal: a workspace and all below it, with everything that hangs on them.

use countersign_core::action::workspaces_of;
use countersign_core::approval::{Approval, State};
use countersign_core::audit::EventKind;
use countersign_core::id::{ApprovalId, DecisionId, WorkspaceId};
use countersign_core::ledger::Submission;
use countersign_core::workspace::Workspace;
use serde_json::{Value, json};

use super::columns::{from_json, parsed};
use super::workspaces::{Row, stands, with_fallen, workspace};
use super::{Connection, approvals, audit, secrets, sweep, tokens, workspace_tokens};
use crate::fault::Fault;

/// An approval that is open, as far as its end needs it.
#[derive(sqlx::FromRow)]
struct OpenRow {
    id: String,
    workspace: String,
    payload: String,
}

/// Removes the workspace and all below it: their tokens and the organisation tokens bound to them are
/// revoked, their secrets deleted, and requests and grants that are filed under or about them ended. The
/// removed, the one that was meant first; none where it does not stand, where the anchor would fall, or
/// where others would fall that may not.
pub(super) async fn remove(
    connection: &mut Connection,
    submission: &Submission<'_>,
    id: WorkspaceId,
    confirm: bool,
    decision: DecisionId,
) -> Result<Vec<Workspace>, Fault> {
    let mut removed = mark(connection, submission, id, confirm).await?;
    // Those below follow in the order in which they were created.
    removed.sort_by_key(|workspace| (workspace.id != id, workspace.created_at, workspace.id));
    for workspace in &removed {
        let detail = strip(connection, submission, workspace).await?;
        let detail = with_place(detail, workspace, id, decision);
        audit::append(
            connection,
            submission.decision.at,
            EventKind::WorkspaceRemoved,
            &submission.caller.actor(),
            detail,
        )
        .await?;
    }
    end_approvals(connection, submission, &removed, decision).await?;
    Ok(removed)
}

async fn mark(
    connection: &mut Connection,
    submission: &Submission<'_>,
    id: WorkspaceId,
    confirm: bool,
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
    .bind(submission.decision.at.as_micros())
    .bind(id.to_string())
    .bind(submission.caller.anchor.map(|anchor| anchor.to_string()))
    .bind(i64::from(confirm))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(workspace).collect()
}

/// Takes everything off a workspace that hangs on it, and says what it was.
async fn strip(
    connection: &mut Connection,
    submission: &Submission<'_>,
    workspace: &Workspace,
) -> Result<Value, Fault> {
    let now = submission.decision.at;
    let own = workspace_tokens::revoke_all(connection, workspace.id, now).await?;
    let bound = tokens::revoke_bound(connection, workspace.id, now).await?;
    let secrets = secrets::delete_all(connection, workspace.id).await?;
    Ok(json!({
        "tokens_revoked": own,
        "organisation_tokens_revoked": bound,
        "secrets_deleted": secrets,
    }))
}

fn with_place(
    mut detail: Value,
    workspace: &Workspace,
    meant: WorkspaceId,
    decision: DecisionId,
) -> Value {
    detail["workspace"] = json!(workspace.id);
    detail["name"] = json!(workspace.name);
    detail["parent"] = json!(workspace.parent);
    detail["decision"] = json!(decision);
    if workspace.id != meant {
        detail["fell_with"] = json!(meant);
    }
    detail
}

/// Nobody is left to be asked for something that cannot be done any more, and no grant is left over.
async fn end_approvals(
    connection: &mut Connection,
    submission: &Submission<'_>,
    removed: &[Workspace],
    decision: DecisionId,
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
            end(connection, submission, id, gone, decision).await?;
        }
    }
    Ok(())
}

async fn end(
    connection: &mut Connection,
    submission: &Submission<'_>,
    id: ApprovalId,
    gone: WorkspaceId,
    decision: DecisionId,
) -> Result<(), Fault> {
    let now = submission.decision.at;
    let Some(approval) = approvals::load(connection, id).await? else {
        return Ok(());
    };
    let kind = match ended(connection, &approval, submission).await? {
        Some(kind) => kind,
        // Its time was over already, and nobody had recorded it.
        None => return sweep::expire(connection, &approval, now).await,
    };
    let detail = json!({
        "approval": id,
        "decision": decision,
        "cause": "the workspace was removed",
        "workspace": gone,
    });
    audit::append(connection, now, kind, &submission.caller.actor(), detail).await
}

async fn ended(
    connection: &mut Connection,
    approval: &Approval,
    submission: &Submission<'_>,
) -> Result<Option<EventKind>, Fault> {
    Ok(match approval.state {
        State::Pending => approvals::withdraw(connection, approval.id, submission.decision.at)
            .await?
            .then_some(EventKind::ApprovalWithdrawn),
        State::Approved => approvals::lapse(connection, approval.id)
            .await?
            .then_some(EventKind::ApprovalLapsed),
        _ => None,
    })
}

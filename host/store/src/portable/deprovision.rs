//! Deprovisioning: everything is revoked and removed, and the record of it stays.

use std::collections::BTreeMap;

use countersign_core::audit::EventKind;
use countersign_core::holdings::Holdings;
use countersign_core::id::{DecisionId, WorkspaceId};
use countersign_core::ledger::{Deprovisioned, Submission};
use countersign_core::time::Timestamp;
use countersign_core::workspace::{Workspace, digest_of};
use serde_json::{Value, json};

use super::columns::live;
use super::endings::Ending;
use super::workspaces::{Row, stands, workspace};
use super::{Connection, audit, endings};
use crate::fault::Fault;

/// What was taken off the workspaces, by the workspace's id.
type Taken = BTreeMap<String, Vec<String>>;

/// Revokes every token, removes every workspace but the approval anchor, deletes every secret, and ends all
/// that waits or was granted. Sessions stay: somebody must be able to read what happened.
pub(super) async fn deprovision(
    connection: &mut Connection,
    decision: DecisionId,
    submission: &Submission<'_>,
) -> Result<Deprovisioned, Fault> {
    let (at, anchor) = (submission.decision.at, submission.caller.anchor);
    let removed = remove_workspaces(connection, anchor, at).await?;
    let org_tokens = revoke_org_tokens(connection, at).await?;
    let mut tokens = revoke_workspace_tokens(connection, at).await?;
    let mut secrets = delete_secrets(connection).await?;
    let fallen = Deprovisioned {
        workspaces: removed.len(),
        tokens: org_tokens.len() + tokens.values().map(Vec::len).sum::<usize>(),
        secrets: secrets.values().map(Vec::len).sum(),
    };
    let recorder = Recorder {
        actor: submission.caller.actor(),
        decision,
        at,
    };
    for workspace in &removed {
        let id = workspace.id.to_string();
        let detail = json!({
            "workspace": workspace.id,
            "name": workspace.name,
            "parent": workspace.parent,
            "tokens_revoked": tokens.remove(&id).unwrap_or_default(),
            "secrets_deleted": secrets.remove(&id).unwrap_or_default(),
        });
        let event = EventKind::WorkspaceRemoved;
        recorder.record(connection, event, detail).await?;
    }
    for token in org_tokens {
        let event = EventKind::OrgTokenRevoked;
        let detail = json!({ "token": token });
        recorder.record(connection, event, detail).await?;
    }
    // What is left was on no workspace that fell: the anchor's, and the global secrets.
    for (workspace, token) in each(tokens) {
        let event = EventKind::WorkspaceTokenRevoked;
        let detail = json!({ "workspace": workspace, "token": token });
        recorder.record(connection, event, detail).await?;
    }
    for (scope, key) in each(secrets) {
        let event = EventKind::SecretDeleted;
        let detail = json!({ "secret": format!("{scope}/{key}") });
        recorder.record(connection, event, detail).await?;
    }
    if let Some(anchor) = anchor {
        free_anchor(connection, anchor, &recorder).await?;
    }
    let about = json!({ "decision": decision });
    let ending = Ending::by(submission.caller, at, "everything was removed", about);
    endings::end_all(connection, &ending).await?;
    let detail = json!({
        "workspaces": fallen.workspaces,
        "tokens": fallen.tokens,
        "secrets": fallen.secrets,
    });
    let event = EventKind::Deprovisioned;
    recorder.record(connection, event, detail).await?;
    Ok(fallen)
}

/// Who writes the entries.
struct Recorder {
    actor: String,
    decision: DecisionId,
    at: Timestamp,
}

impl Recorder {
    async fn record(
        &self,
        connection: &mut Connection,
        event: EventKind,
        mut detail: Value,
    ) -> Result<(), Fault> {
        detail["decision"] = json!(self.decision);
        audit::append(connection, self.at, event, &self.actor, detail).await
    }
}

fn each(taken: Taken) -> impl Iterator<Item = (String, String)> {
    taken
        .into_iter()
        .flat_map(|(id, all)| all.into_iter().map(move |one| (id.clone(), one)))
}

fn by_workspace(mut rows: Vec<(String, String)>) -> Taken {
    rows.sort_unstable();
    let mut taken = Taken::new();
    for (workspace, one) in rows {
        taken.entry(workspace).or_default().push(one);
    }
    taken
}

async fn remove_workspaces(
    connection: &mut Connection,
    anchor: Option<WorkspaceId>,
    now: Timestamp,
) -> Result<Vec<Workspace>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "UPDATE workspaces SET status = 'removed', removed_at = $1
         WHERE (CAST($2 AS TEXT) IS NULL OR id <> $2) AND ",
        stands!(),
        " RETURNING *"
    ))
    .bind(now.as_micros())
    .bind(anchor.map(|id| id.to_string()))
    .fetch_all(connection)
    .await?;
    let mut removed: Vec<Workspace> = rows.into_iter().map(workspace).collect::<Result<_, _>>()?;
    removed.sort_by_key(|workspace| (workspace.created_at, workspace.id));
    Ok(removed)
}

async fn revoke_org_tokens(
    connection: &mut Connection,
    now: Timestamp,
) -> Result<Vec<String>, Fault> {
    let mut revoked: Vec<String> = sqlx::query_scalar(concat!(
        "UPDATE org_tokens SET revoked_at = $1 WHERE ",
        live!(),
        " RETURNING id"
    ))
    .bind(now.as_micros())
    .fetch_all(connection)
    .await?;
    revoked.sort_unstable();
    Ok(revoked)
}

async fn revoke_workspace_tokens(
    connection: &mut Connection,
    now: Timestamp,
) -> Result<Taken, Fault> {
    let revoked = sqlx::query_as(concat!(
        "UPDATE workspace_tokens SET revoked_at = $1 WHERE ",
        live!(),
        " RETURNING workspace, id"
    ))
    .bind(now.as_micros())
    .fetch_all(connection)
    .await?;
    Ok(by_workspace(revoked))
}

async fn delete_secrets(connection: &mut Connection) -> Result<Taken, Fault> {
    let deleted = sqlx::query_as("DELETE FROM secrets RETURNING scope, key")
        .fetch_all(connection)
        .await?;
    Ok(by_workspace(deleted))
}

/// What stands is below nothing that fell.
async fn free_anchor(
    connection: &mut Connection,
    anchor: WorkspaceId,
    recorder: &Recorder,
) -> Result<(), Fault> {
    let freed = sqlx::query(concat!(
        "UPDATE workspaces SET parent_id = NULL, version = $2, updated_at = $1
         WHERE id = $3 AND parent_id IS NOT NULL AND ",
        stands!()
    ))
    .bind(recorder.at.as_micros())
    .bind(recorder.decision.to_string())
    .bind(anchor.to_string())
    .execute(&mut *connection)
    .await?;
    if freed.rows_affected() == 0 {
        return Ok(());
    }
    let event = EventKind::WorkspaceUpdated;
    let detail = json!({ "workspace": anchor, "parent": null });
    recorder.record(connection, event, detail).await
}

/// All that there is, of which nothing but one workspace may stay.
pub(super) async fn all(connection: &mut Connection, now: Timestamp) -> Result<Holdings, Fault> {
    let (workspaces, tokens) = count(connection, None, now).await?;
    let secrets: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM secrets")
        .fetch_one(connection)
        .await?;
    Ok(Holdings {
        workspaces: workspaces.unsigned_abs(),
        tokens: tokens.unsigned_abs(),
        secrets: secrets.unsigned_abs(),
    })
}

/// How many workspaces and how many live tokens fall.
pub(super) async fn count(
    connection: &mut Connection,
    anchor: Option<WorkspaceId>,
    now: Timestamp,
) -> Result<(i64, i64), Fault> {
    Ok(sqlx::query_as(concat!(
        "SELECT (SELECT COUNT(*) FROM workspaces
                 WHERE (CAST($2 AS TEXT) IS NULL OR id <> $2) AND ",
        stands!(),
        "),
                (SELECT COUNT(*) FROM org_tokens WHERE ",
        live!(),
        ") + (SELECT COUNT(*) FROM workspace_tokens WHERE ",
        live!(),
        ")"
    ))
    .bind(now.as_micros())
    .bind(anchor.map(|id| id.to_string()))
    .fetch_one(connection)
    .await?)
}

/// One text for all that falls, in the state in which it is. What has ended by itself is in it until it is
/// revoked, so that time alone makes no approval stale; and a workspace's key that a later one replaced is the same
/// key, so that whoever merely rotates it does not either.
pub(super) async fn all_that_falls(connection: &mut Connection) -> Result<String, Fault> {
    let fallen: Vec<(String, String)> = sqlx::query_as(concat!(
        "SELECT id, version FROM workspaces WHERE ",
        stands!(),
        " UNION ALL SELECT id, 'organisation' FROM org_tokens WHERE revoked_at IS NULL
          UNION ALL SELECT 'key of ' || workspace, minter_key FROM workspace_tokens
          WHERE revoked_at IS NULL
          UNION ALL SELECT scope || '/' || key, written_by FROM secrets"
    ))
    .fetch_all(connection)
    .await?;
    Ok(digest_of(
        fallen
            .iter()
            .map(|(id, version)| (id.as_str(), version.as_str())),
    ))
}

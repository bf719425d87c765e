//! What time does to approvals, recorded.

use countersign_core::approval::{Approval, End};
use countersign_core::audit::EventKind;
use countersign_core::id::ApprovalId;
use countersign_core::time::Timestamp;
use serde_json::json;

use super::columns::{live, parsed};
use super::endings::{self, Ending};
use super::{Connection, HOST, approvals, audit, usage};
use crate::fault::Fault;

/// How many approvals one sweep takes, so that it never holds up the requests of people. What is left
/// is over as well, recorded or not, and the next sweep takes it.
const SWEEP_LIMIT: i64 = 200;

/// Requests and grants in `$state` of tokens that have expired or drained. (What is behind the colon of a
/// requester is the token's id.) Whoever revokes a token ends them at once.
macro_rules! orphans {
    ($state:literal) => {
        concat!(
            "SELECT id FROM approvals WHERE state = '",
            $state,
            "' AND ((requester_credential LIKE 'org-token:%' AND NOT EXISTS (
                        SELECT 1 FROM org_tokens
                        WHERE org_tokens.id = substr(requester_credential, 11) AND ",
            live!(),
            "))
                 OR (requester_credential LIKE 'workspace-token:%' AND NOT EXISTS (
                        SELECT 1 FROM workspace_tokens
                        WHERE workspace_tokens.id = substr(requester_credential, 17) AND ",
            live!(),
            ")))
             ORDER BY id LIMIT $2"
        )
    };
}

/// Those that wait, and those that were granted: each has its index.
const ORPHANS: [&str; 2] = [orphans!("pending"), orphans!("approved")];

/// Pending approvals expire, and grants lapse, whose time is over.
pub(super) async fn sweep(
    connection: &mut Connection,
    now: Timestamp,
) -> Result<Vec<ApprovalId>, Fault> {
    let mut swept = Vec::new();
    let overdue = overdue(
        connection,
        "SELECT id FROM approvals WHERE state = 'pending' AND expires_at <= $1
         ORDER BY expires_at LIMIT $2",
        now,
    );
    for id in overdue.await? {
        if approvals::expire(connection, id, now).await? {
            record(connection, EventKind::ApprovalExpired, id, now).await?;
            swept.push(id);
        }
    }
    let overdue = self::overdue(
        connection,
        "SELECT id FROM approvals WHERE state = 'approved' AND grant_expires_at <= $1
         ORDER BY grant_expires_at LIMIT $2",
        now,
    );
    for id in overdue.await? {
        if approvals::lapse(connection, id, &End::by_time(now)).await? {
            record(connection, EventKind::ApprovalLapsed, id, now).await?;
            swept.push(id);
        }
    }
    for orphans in ORPHANS {
        for id in self::overdue(connection, orphans, now).await? {
            let ending = Ending::by_host(now, "the token that asked has ended", json!({}));
            if endings::end(connection, id, &ending).await? {
                swept.push(id);
            }
        }
    }
    usage::forget(connection, now).await?;
    Ok(swept)
}

/// Expires one pending approval whose time is over, because another takes its place.
pub(super) async fn expire(
    connection: &mut Connection,
    approval: &Approval,
    now: Timestamp,
) -> Result<(), Fault> {
    if approvals::expire(connection, approval.id, now).await? {
        record(connection, EventKind::ApprovalExpired, approval.id, now).await?;
    }
    Ok(())
}

async fn overdue(
    connection: &mut Connection,
    select: &'static str,
    now: Timestamp,
) -> Result<Vec<ApprovalId>, Fault> {
    let ids: Vec<String> = sqlx::query_scalar(select)
        .bind(now.as_micros())
        .bind(SWEEP_LIMIT)
        .fetch_all(connection)
        .await?;
    ids.iter()
        .map(|id| parsed("approvals.id", id, ApprovalId::parse))
        .collect()
}

async fn record(
    connection: &mut Connection,
    kind: EventKind,
    id: ApprovalId,
    now: Timestamp,
) -> Result<(), Fault> {
    let detail = json!({ "approval": id, "cause": "time" });
    audit::append(connection, now, kind, HOST, detail).await
}

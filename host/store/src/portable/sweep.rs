//! What time does to approvals, recorded.

use countersign_core::approval::Approval;
use countersign_core::audit::EventKind;
use countersign_core::id::ApprovalId;
use countersign_core::time::Timestamp;
use serde_json::json;

use super::columns::parsed;
use super::{Connection, HOST, approvals, audit};
use crate::fault::Fault;

/// How many approvals one sweep takes, so that it never holds up the requests of people. What is left
/// is over as well, recorded or not, and the next sweep takes it.
const SWEEP_LIMIT: i64 = 200;

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
        if approvals::lapse(connection, id).await? {
            record(connection, EventKind::ApprovalLapsed, id, now).await?;
            swept.push(id);
        }
    }
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

//! What happened to approvals, told from the audit.
//!
//! The chain has no gaps and its entries are committed in order, whichever host wrote them. So an entry's
//! number is all that somebody needs to remember to miss nothing and to hear nothing twice.

use countersign_core::audit::EventKind;
use countersign_core::id::{ApprovalId, WorkspaceId};
use countersign_core::ledger::{ApprovalEvent, ApprovalEvents, Whose};
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::columns::parsed;
use super::{Connection, PAGE_LIMIT};
use crate::fault::Fault;

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: i64,
    kind: String,
    approval: String,
    workspace: String,
    verb: String,
    reason: String,
}

/// What happened after the entry `after`, `limit` at most; where that is none, nothing, from now on.
pub(super) async fn list(
    connection: &mut Connection,
    whose: &Whose,
    after: Option<i64>,
    limit: u32,
) -> Result<ApprovalEvents, Fault> {
    let head: i64 = sqlx::query_scalar("SELECT seq FROM audit_head")
        .fetch_one(&mut *connection)
        .await?;
    // A number from beyond the end is of a ledger that was restored from a backup: there is nothing
    // to tell of what is not there any more.
    let after = after.unwrap_or(head).min(head);
    let limit = i64::from(limit.min(PAGE_LIMIT));
    let requester = match whose {
        Whose::All => None,
        Whose::Requester(credential) => Some(credential),
    };
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT audit.seq, audit.at, audit.kind, audit.approval, approvals.workspace,
                approvals.verb, approvals.reason
         FROM audit JOIN approvals ON approvals.id = audit.approval
         WHERE audit.approval IS NOT NULL AND audit.seq > $1 AND audit.seq <= $2
           AND ($3 IS NULL OR approvals.requester_credential = $3)
         ORDER BY audit.seq LIMIT $4",
    )
    .bind(after)
    .bind(head)
    .bind(requester)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let is_all = i64::try_from(rows.len()).is_ok_and(|count| count < limit);
    let up_to = match rows.last() {
        Some(last) if !is_all => last.seq,
        _ => head,
    };
    let events = rows.into_iter().map(event).collect::<Result<_, _>>()?;
    Ok(ApprovalEvents { events, up_to })
}

fn event(row: Row) -> Result<ApprovalEvent, Fault> {
    Ok(ApprovalEvent {
        seq: row.seq,
        at: Timestamp::from_micros(row.at),
        kind: parsed("audit.kind", &row.kind, EventKind::parse)?,
        approval: parsed("audit.approval", &row.approval, ApprovalId::parse)?,
        workspace: parsed("approvals.workspace", &row.workspace, WorkspaceId::parse)?,
        verb: parsed("approvals.verb", &row.verb, Verb::parse)?,
        reason: row.reason,
    })
}

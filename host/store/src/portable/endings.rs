//! Approvals that end before their time, because something that they need has ended.

use countersign_core::approval::State;
use countersign_core::audit::EventKind;
use countersign_core::id::ApprovalId;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use serde_json::{Value, json};

use super::columns::parsed;
use super::{Connection, approvals, audit, sweep};
use crate::fault::Fault;

/// Why, when and by whom.
pub(super) struct Ending<'a> {
    pub(super) at: Timestamp,
    /// An audit label.
    pub(super) actor: &'a str,
    pub(super) cause: &'a str,
    /// Further members of the audit entry.
    pub(super) about: Value,
}

/// Ends an approval that waits or was granted: nobody is left to be asked for what cannot be done any more,
/// and no grant is left over. False where it had ended.
pub(super) async fn end(
    connection: &mut Connection,
    id: ApprovalId,
    ending: &Ending<'_>,
) -> Result<bool, Fault> {
    let Some(approval) = approvals::load(connection, id).await? else {
        return Ok(false);
    };
    let ended = match approval.state {
        State::Pending => approvals::withdraw(connection, id, ending.at)
            .await?
            .then_some(EventKind::ApprovalWithdrawn),
        _ => approvals::lapse(connection, id)
            .await?
            .then_some(EventKind::ApprovalLapsed),
    };
    let Some(event) = ended else {
        // Its time was over already, and nobody had recorded it.
        sweep::expire(connection, &approval, ending.at).await?;
        return Ok(false);
    };
    let mut detail = ending.about.clone();
    detail["approval"] = json!(id);
    detail["cause"] = json!(ending.cause);
    audit::append(connection, ending.at, event, ending.actor, detail).await?;
    Ok(true)
}

/// Ends what the credential `requester` has asked for: which of it.
pub(super) async fn end_of(
    connection: &mut Connection,
    requester: &str,
    ending: &Ending<'_>,
) -> Result<Vec<ApprovalId>, Fault> {
    let open: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM approvals WHERE state = 'pending' AND requester_credential = $1
         UNION ALL
         SELECT id FROM approvals WHERE state = 'approved' AND requester_credential = $1
         ORDER BY id",
    )
    .bind(requester)
    .fetch_all(&mut *connection)
    .await?;
    end_each(connection, &open, ending).await
}

/// Ends all that waits or was granted.
pub(super) async fn end_all(
    connection: &mut Connection,
    ending: &Ending<'_>,
) -> Result<Vec<ApprovalId>, Fault> {
    let open: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM approvals WHERE state IN ('pending', 'approved') ORDER BY id",
    )
    .fetch_all(&mut *connection)
    .await?;
    end_each(connection, &open, ending).await
}

/// Ends what waits or was granted to make policies live.
pub(super) async fn end_activations(
    connection: &mut Connection,
    ending: &Ending<'_>,
) -> Result<(), Fault> {
    let open: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM approvals WHERE state IN ('pending', 'approved') AND verb = $1 ORDER BY id",
    )
    .bind(Verb::PolicyActivate.as_str())
    .fetch_all(&mut *connection)
    .await?;
    end_each(connection, &open, ending).await.map(drop)
}

async fn end_each(
    connection: &mut Connection,
    open: &[String],
    ending: &Ending<'_>,
) -> Result<Vec<ApprovalId>, Fault> {
    let mut ended = Vec::new();
    for id in open {
        let id = parsed("approvals.id", id, ApprovalId::parse)?;
        if end(connection, id, ending).await? {
            ended.push(id);
        }
    }
    Ok(ended)
}

//! Approvals that end before their time, because something that they need has ended.

use countersign_core::approval::{End, State};
use countersign_core::audit::EventKind;
use countersign_core::caller::Caller;
use countersign_core::id::ApprovalId;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use serde_json::{Value, json};

use super::columns::parsed;
use super::{Connection, HOST, approvals, audit, sweep};
use crate::fault::Fault;

/// The cause of what ends with the token that asked for it.
pub(super) const TOKEN_REVOKED: &str = "the token that asked was revoked";

/// Why, when and by whom.
pub(super) struct Ending {
    pub(super) end: End,
    /// Further members of the audit entry.
    pub(super) about: Value,
}

impl Ending {
    /// By what `caller` does.
    pub(super) fn by(caller: &Caller, at: Timestamp, cause: &str, about: Value) -> Self {
        Self {
            end: End::by(caller, at, cause),
            about,
        }
    }

    /// By the host itself, which sees to it.
    pub(super) fn by_host(at: Timestamp, cause: &str, about: Value) -> Self {
        let end = End {
            by: Some(HOST.to_owned()),
            ..End::by_nobody(at, cause)
        };
        Self { end, about }
    }
}

/// Ends an approval that waits or was granted: nobody is left to be asked for what cannot be done any more,
/// and no grant is left over. False where it had ended.
pub(super) async fn end(
    connection: &mut Connection,
    id: ApprovalId,
    ending: &Ending,
) -> Result<bool, Fault> {
    let Some(approval) = approvals::load(connection, id).await? else {
        return Ok(false);
    };
    let end = &ending.end;
    let ended = match approval.state {
        State::Pending => approvals::withdraw(connection, id, end)
            .await?
            .then_some(EventKind::ApprovalWithdrawn),
        _ => approvals::lapse(connection, id, end)
            .await?
            .then_some(EventKind::ApprovalLapsed),
    };
    let Some(event) = ended else {
        // Its time was over already, and nobody had recorded it.
        sweep::expire(connection, &approval, end.at).await?;
        return Ok(false);
    };
    let mut detail = ending.about.clone();
    detail["approval"] = json!(id);
    detail["cause"] = json!(end.because);
    let actor = end.by.as_deref().unwrap_or(HOST);
    audit::append(connection, end.at, event, actor, detail).await?;
    Ok(true)
}

/// Ends what the credential `requester` has asked for: which of it.
pub(super) async fn end_of(
    connection: &mut Connection,
    requester: &str,
    ending: &Ending,
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
    ending: &Ending,
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
    ending: &Ending,
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
    ending: &Ending,
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

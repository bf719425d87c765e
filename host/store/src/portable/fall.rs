//! What would fall by a request that waits, and whether that is still what it is bound to.

use countersign_core::approval::{Approval, End, MOVED};
use countersign_core::holdings::Fall;
use countersign_core::id::{TokenId, WorkspaceId};
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use serde_json::{Value, json};

use super::columns::parsed;
use super::endings::{self, Ending};
use super::{Connection, approvals, deprovision, facts, falling, family};
use crate::fault::Fault;

/// What a request makes fall.
#[derive(Clone, Copy)]
pub(super) enum Falls {
    Workspace(WorkspaceId),
    /// The token, and where that is asked all that it minted.
    Token(TokenId, bool),
    Everything,
}

impl Falls {
    /// By `approval`, if anything does.
    fn by(approval: &Approval) -> Result<Option<Self>, Fault> {
        let id = &approval.resource_id;
        let argument = |name: &str| approval.payload["arguments"].get(name);
        Ok(Some(match approval.verb {
            Verb::DeleteWorkspace => {
                Self::Workspace(parsed("approvals.resource_id", id, WorkspaceId::parse)?)
            }
            Verb::OrgTokenRevoke => Self::Token(
                parsed("approvals.resource_id", id, TokenId::parse)?,
                argument("descendants").and_then(Value::as_bool) == Some(true),
            ),
            Verb::Deprovision => Self::Everything,
            _ => return Ok(None),
        }))
    }
}

/// Reads it, as far as it is what `approval` is bound to.
pub(super) async fn read(
    connection: &mut Connection,
    approval: &Approval,
    now: Timestamp,
) -> Result<Option<Fall>, Fault> {
    let Some(falls) = Falls::by(approval)? else {
        return Ok(None);
    };
    if facts::bound_to(connection, falls, now).await? != approval.precondition {
        return Ok(Some(Fall::Moved));
    }
    let fall = match falls {
        Falls::Workspace(id) => falling::read(connection, id, now)
            .await?
            .map(Fall::Workspace),
        Falls::Token(id, descendants) => {
            let family = family::read(connection, id, now).await?;
            family.map(|family| Fall::Token {
                family: Box::new(family),
                descendants,
            })
        }
        Falls::Everything => Some(Fall::Everything(deprovision::all(connection, now).await?)),
    };
    Ok(Some(fall.unwrap_or(Fall::Moved)))
}

/// Ends `approval`, which waits, where something else would fall by now than it is bound to: nobody can agree to
/// it any more, and who asked can ask anew. The approval as it ended; none where nothing has moved.
pub(super) async fn end_moved(
    connection: &mut Connection,
    approval: &Approval,
    now: Timestamp,
) -> Result<Option<Approval>, Fault> {
    let Some(falls) = Falls::by(approval)? else {
        return Ok(None);
    };
    let found = facts::bound_to(connection, falls, now).await?;
    if !end_unless_for(connection, approval, &found, now).await? {
        return Ok(None);
    }
    approvals::load(connection, approval.id).await
}

/// Ends `approval`, which waits, unless it is for what was `found`: nothing could be done by it. Whether it did.
pub(super) async fn end_unless_for(
    connection: &mut Connection,
    approval: &Approval,
    found: &str,
    now: Timestamp,
) -> Result<bool, Fault> {
    if approval.precondition == found {
        return Ok(false);
    }
    let ending = Ending {
        end: End::by_nobody(now, MOVED),
        about: json!({ "approved": approval.precondition, "found": found }),
    };
    endings::end(connection, approval.id, &ending).await?;
    Ok(true)
}

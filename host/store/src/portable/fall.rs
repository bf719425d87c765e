//! What would fall by a request that waits, and whether what it is about is still what it is bound to.

use countersign_core::approval::{Approval, End, MOVED};
use countersign_core::holdings::Fall;
use countersign_core::time::Timestamp;
use serde_json::json;

use super::bound::Bound;
use super::endings::{self, Ending};
use super::{Connection, approvals, deprovision, facts, falling, family};
use crate::fault::Fault;

/// Reads it, as far as it is what `approval` is bound to.
pub(super) async fn read(
    connection: &mut Connection,
    approval: &Approval,
    now: Timestamp,
) -> Result<Option<Fall>, Fault> {
    let Some(bound) = Bound::of(approval)? else {
        return Ok(None);
    };
    if facts::bound_to(connection, &bound, now).await? != approval.precondition {
        return Ok(Some(Fall::Moved));
    }
    let fall = match bound {
        Bound::Removal(id) => falling::read(connection, id, now)
            .await?
            .map(Fall::Workspace),
        Bound::Token(id, descendants) => {
            let family = family::read(connection, id, now).await?;
            family.map(|family| Fall::Token {
                family: Box::new(family),
                descendants,
            })
        }
        Bound::Everything => Some(Fall::Everything(deprovision::all(connection, now).await?)),
        _ => return Ok(None),
    };
    Ok(Some(fall.unwrap_or(Fall::Moved)))
}

/// Ends `approval`, which waits, where what it is about has moved: nobody can agree to it any more, and who asked
/// can ask anew. The approval as it ended; none where nothing has moved.
pub(super) async fn end_moved(
    connection: &mut Connection,
    approval: &Approval,
    now: Timestamp,
) -> Result<Option<Approval>, Fault> {
    let Some(bound) = Bound::of(approval)? else {
        return Ok(None);
    };
    let found = facts::bound_to(connection, &bound, now).await?;
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

//! Answers that got lost: the token that nobody ever saw, which another one replaces.

use countersign_core::approval::Approval;
use countersign_core::id::{ApprovalId, TokenId};
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::{Connection, tokens, workspace_tokens};
use crate::fault::Fault;

/// The token that was minted under `grant`, which is used, if it can be replaced at `now`: within the
/// grant's life, while it lives, and while nobody has presented it.
pub(super) async fn find(
    connection: &mut Connection,
    grant: &Approval,
    now: Timestamp,
) -> Result<Option<TokenId>, Fault> {
    if grant.grant_expires_at.is_none_or(|end| end <= now) {
        return Ok(None);
    }
    match grant.verb {
        Verb::OrgTokenMint => tokens::unclaimed(connection, grant.id, now).await,
        Verb::WorkspaceTokenMint => workspace_tokens::unclaimed(connection, grant.id, now).await,
        _ => Ok(None),
    }
}

/// Revokes that token, so that another can take its place; false where it was presented or revoked since.
pub(super) async fn retire(
    connection: &mut Connection,
    (verb, approval): (Verb, ApprovalId),
    token: TokenId,
    now: Timestamp,
) -> Result<bool, Fault> {
    match verb {
        Verb::OrgTokenMint => tokens::retire(connection, approval, token, now).await,
        Verb::WorkspaceTokenMint => {
            workspace_tokens::retire(connection, approval, token, now).await
        }
        _ => Ok(false),
    }
}

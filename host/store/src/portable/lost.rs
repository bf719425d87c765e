//! Answers that got lost: the token that nobody ever saw, which another one replaces.

use countersign_core::approval::Approval;
use countersign_core::id::{ApprovalId, TokenId};
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::Connection;
use super::columns::{live, parsed};
use crate::fault::Fault;

/// What a token is that was minted under an approval and that nobody has presented. One that drains is not:
/// it was revoked, and what took its place would not be.
macro_rules! unclaimed {
    () => {
        concat!(
            "last_used_at IS NULL AND draining_until IS NULL AND ",
            live!()
        )
    };
}

/// The statements about the tokens of one table.
struct Statements {
    find: &'static str,
    retire: &'static str,
}

macro_rules! statements {
    ($table:literal) => {
        Statements {
            find: concat!(
                "SELECT id FROM ",
                $table,
                " WHERE approval = $2 AND ",
                unclaimed!()
            ),
            retire: concat!(
                "UPDATE ",
                $table,
                " SET revoked_at = $1 WHERE approval = $2 AND id = $3 AND ",
                unclaimed!()
            ),
        }
    };
}

/// Those for what `verb` mints, if it mints anything.
fn statements(verb: Verb) -> Option<Statements> {
    match verb {
        Verb::OrgTokenMint => Some(statements!("org_tokens")),
        Verb::WorkspaceTokenMint => Some(statements!("workspace_tokens")),
        _ => None,
    }
}

/// The token that was minted under `grant`, which is used, if it can be replaced at `now`: within the
/// grant's life, while it lives, and while nobody has presented it.
pub(super) async fn find(
    connection: &mut Connection,
    grant: &Approval,
    now: Timestamp,
) -> Result<Option<TokenId>, Fault> {
    let is_over = grant.grant_expires_at.is_none_or(|end| end <= now);
    let Some(Statements { find, .. }) = statements(grant.verb).filter(|_| !is_over) else {
        return Ok(None);
    };
    let id: Option<String> = sqlx::query_scalar(find)
        .bind(now.as_micros())
        .bind(grant.id.to_string())
        .fetch_optional(connection)
        .await?;
    id.map(|id| parsed("the id of a token", &id, TokenId::parse))
        .transpose()
}

/// Revokes that token, so that another can take its place; false where it was presented or revoked since.
pub(super) async fn retire(
    connection: &mut Connection,
    (verb, approval): (Verb, ApprovalId),
    token: TokenId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let Some(Statements { retire, .. }) = statements(verb) else {
        return Ok(false);
    };
    let retired = sqlx::query(retire)
        .bind(now.as_micros())
        .bind(approval.to_string())
        .bind(token.to_string())
        .execute(connection)
        .await?;
    Ok(retired.rows_affected() > 0)
}

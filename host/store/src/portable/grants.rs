//! Grants: whether the caller has one for this very request.

use std::time::Duration;

use countersign_core::approval::{Approval, State};
use countersign_core::id::{ApprovalId, TokenId};
use countersign_core::ledger::{Deed, Refusal, Submission};
use countersign_core::policy::Quorum;
use countersign_core::time::Timestamp;

use super::{Connection, approvals, lost, votes};
use crate::fault::Fault;

/// What the caller has in hand for a gated request.
pub(super) enum Found {
    /// An approval that can be used, if its precondition holds.
    Grant(Approval),
    /// An approval that was used to mint this token, of which nobody has heard since: another one can take
    /// its place, if the precondition holds.
    Lost(Approval, TokenId),
    /// An approval that would do, if the policies did not ask for more people by now.
    Outgrown(Approval),
    /// The approval that it named, which waits for people.
    Pending(Approval),
    /// The approval that it named, which leads nowhere, or nothing that it may name.
    Refused(Option<ApprovalId>, Refusal),
    /// Nothing: it has to ask.
    Nothing,
}

/// Finds the caller's grant: the one that it names, or the newest for the same request. `quorums` are
/// those of the judgement of this moment: a grant whose votes do not meet them is none any more.
pub(super) async fn find(
    connection: &mut Connection,
    submission: &Submission<'_>,
    quorums: &[Quorum],
) -> Result<Found, Fault> {
    let found = match submission.want.named() {
        Some(id) => named(connection, submission, id).await?,
        None => newest(connection, submission)
            .await?
            .map_or(Found::Nothing, Found::Grant),
    };
    Ok(match found {
        Found::Grant(grant) if !votes::meet(connection, &grant, quorums).await? => {
            Found::Outgrown(grant)
        }
        Found::Lost(grant, _) if !votes::meet(connection, &grant, quorums).await? => {
            Found::Refused(Some(grant.id), Refusal::GrantUsed)
        }
        found => found,
    })
}

/// The caller's grant for what the policies allow by now. The deed uses it up, or it could be done once
/// more when they gate again. A mint that names its grant again is a lost answer's, whatever they say by
/// now: what nobody has heard of must not live on beside another.
pub(super) async fn left_over(
    connection: &mut Connection,
    submission: &Submission<'_>,
) -> Result<Found, Fault> {
    if submission.intent.verb().is_read() {
        return Ok(Found::Nothing);
    }
    if let Some(id) = submission.want.named() {
        let named = named(connection, submission, id).await?;
        let is_mint = matches!(
            submission.deed,
            Deed::MintOrgToken { .. } | Deed::MintWorkspaceToken { .. }
        );
        match named {
            Found::Grant(_) | Found::Lost(..) => return Ok(named),
            Found::Refused(_, Refusal::GrantUsed) if is_mint => return Ok(named),
            _ => {}
        }
    }
    let newest = newest(connection, submission).await?;
    Ok(newest.map_or(Found::Nothing, Found::Grant))
}

async fn named(
    connection: &mut Connection,
    submission: &Submission<'_>,
    id: ApprovalId,
) -> Result<Found, Fault> {
    let named = approvals::load(connection, id).await?;
    let Some(approval) = named.filter(|approval| is_for(approval, submission)) else {
        return Ok(Found::Refused(None, Refusal::ApprovalMismatch));
    };
    let refusal = match approval.state_at(submission.decision.at) {
        State::Approved => return Ok(Found::Grant(approval)),
        State::Pending => return Ok(Found::Pending(approval)),
        State::Denied => denial(&approval, submission.lives.cool_down),
        State::Expired => Refusal::ApprovalExpired,
        State::Withdrawn => Refusal::ApprovalWithdrawn,
        State::Revoked => Refusal::ApprovalRevoked {
            reason: approval.revoke_reason.clone(),
        },
        State::Lapsed => Refusal::GrantExpired,
        State::Used => match lost::find(connection, &approval, submission.decision.at).await? {
            Some(token) => return Ok(Found::Lost(approval, token)),
            None => Refusal::GrantUsed,
        },
    };
    Ok(Found::Refused(Some(approval.id), refusal))
}

/// Whether the approval is the caller's, and for the same verb, resource and digest.
fn is_for(approval: &Approval, submission: &Submission<'_>) -> bool {
    let intent = submission.intent;
    approval.requester.credential == submission.caller.credential_key()
        && approval.verb == intent.verb()
        && approval.resource_kind == intent.resource_kind
        && approval.resource_id == intent.resource_id
        && approval.digest == intent.digest
}

async fn newest(
    connection: &mut Connection,
    submission: &Submission<'_>,
) -> Result<Option<Approval>, Fault> {
    let intent = submission.intent;
    let row: Option<approvals::Row> = sqlx::query_as(concat!(
        approvals::select!(),
        "WHERE state = 'approved' AND grant_expires_at > $1
           AND requester_credential = $2 AND verb = $3
           AND resource_kind = $4 AND resource_id = $5 AND digest = $6
         ORDER BY id DESC LIMIT 1"
    ))
    .bind(submission.decision.at.as_micros())
    .bind(submission.caller.credential_key())
    .bind(intent.verb().as_str())
    .bind(intent.resource_kind)
    .bind(&intent.resource_id)
    .bind(intent.digest.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    approvals::found(connection, row).await
}

/// The refusal that a denied approval means.
pub(super) fn denial(approval: &Approval, cool_down: Duration) -> Refusal {
    let decided_at: Timestamp = approval.decided_at.unwrap_or(approval.created_at);
    Refusal::ApprovalDenied {
        reason: approval.denial_reason().map(str::to_owned),
        again_at: decided_at.plus(cool_down),
    }
}

//! Grants: whether the caller has one for this very request.

use countersign_core::approval::{self, Approval, COOL_DOWN, State};
use countersign_core::id::ApprovalId;
use countersign_core::ledger::{Refusal, Submission};
use countersign_core::policy::Quorum;
use countersign_core::time::Timestamp;

use super::{Connection, approvals};
use crate::fault::Fault;

/// What the caller has in hand for a gated request.
pub(super) enum Found {
    /// An approval that can be used, if its precondition holds.
    Grant(Approval),
    /// The approval that it named, which waits for people.
    Pending(Approval),
    /// The approval that it named, which leads nowhere, or nothing that it may name.
    Refused(Option<ApprovalId>, Refusal),
    /// Nothing: it has to ask.
    Nothing,
}

/// Finds the caller's grant: the one that it names, or the newest for the same request. `quorums` are
/// those of the judgement of this moment. A grant whose votes do not meet them was given on other terms
/// and is none for this request.
pub(super) async fn find(
    connection: &mut Connection,
    submission: &Submission<'_>,
    quorums: &[Quorum],
) -> Result<Found, Fault> {
    let found = match submission.named {
        Some(id) => named(connection, submission, id).await?,
        None => newest(connection, submission)
            .await?
            .map_or(Found::Nothing, Found::Grant),
    };
    Ok(match found {
        Found::Grant(grant) if !approval::are_met(quorums, &grant.votes) => Found::Nothing,
        found => found,
    })
}

/// The caller's grant for what the policies allow by now. The deed uses it up, or it could be done once
/// more when they gate again.
pub(super) async fn left_over(
    connection: &mut Connection,
    submission: &Submission<'_>,
) -> Result<Option<Approval>, Fault> {
    if submission.intent.verb().is_read() {
        return Ok(None);
    }
    if let Some(id) = submission.named
        && let Found::Grant(grant) = named(connection, submission, id).await?
    {
        return Ok(Some(grant));
    }
    newest(connection, submission).await
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
        State::Denied => denial(&approval),
        State::Expired => Refusal::ApprovalExpired,
        State::Withdrawn | State::Revoked => Refusal::ApprovalWithdrawn,
        State::Lapsed => Refusal::GrantExpired,
        State::Used => Refusal::GrantUsed,
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
pub(super) fn denial(approval: &Approval) -> Refusal {
    let decided_at: Timestamp = approval.decided_at.unwrap_or(approval.created_at);
    Refusal::ApprovalDenied {
        reason: approval.denial_reason().map(str::to_owned),
        again_at: decided_at.plus(COOL_DOWN),
    }
}

//! Approvals that somebody ends: the requester takes its request back, a person revokes a grant.

use countersign_core::approval::{Approval, End, State};
use countersign_core::audit::EventKind;
use countersign_core::id::ApprovalId;
use countersign_core::ledger::{Ended, Revocation, Withdrawal};
use countersign_core::operators::Standing;
use serde_json::json;

use super::approvals::ends;
use super::{Connection, approvals, audit, credentials, people};
use crate::fault::Fault;

/// Takes a pending request back for its requester.
pub(super) async fn withdraw(
    connection: &mut Connection,
    withdrawal: &Withdrawal<'_>,
) -> Result<Ended, Fault> {
    let (caller, now) = (withdrawal.caller, withdrawal.at);
    if !credentials::is_alive(connection, caller, now).await? {
        return Ok(Ended::CredentialGone);
    }
    let found = approvals::load(connection, withdrawal.approval).await?;
    let is_there =
        |approval: &Approval| withdrawal.workspace.is_none_or(|w| w == approval.workspace);
    let Some(mut approval) = found.filter(is_there) else {
        return Ok(Ended::NotThere);
    };
    // Before its state: that is nobody else's business.
    let requester = caller.credential_key();
    if approval.requester.credential != requester {
        return Ok(Ended::NotRequester);
    }
    let end = End::by(caller, now, "the requester took it back");
    if !take_back(connection, (approval.id, &requester), &end).await? {
        return Ok(Ended::Is(approval.state_at(now), Box::new(approval)));
    }
    let detail = json!({ "approval": approval.id, "cause": end.because });
    approval.state = State::Withdrawn;
    approval.end = Some(end);
    let event = EventKind::ApprovalWithdrawn;
    audit::append(connection, now, event, &caller.actor(), detail).await?;
    Ok(Ended::Done(Box::new(approval)))
}

/// Takes an unused grant back for a person.
pub(super) async fn revoke(
    connection: &mut Connection,
    revocation: &Revocation<'_>,
) -> Result<Ended, Fault> {
    let (caller, now) = (revocation.caller, revocation.at);
    if !credentials::is_alive(connection, caller, now).await? {
        return Ok(Ended::CredentialGone);
    }
    let Some(mut approval) = approvals::load(connection, revocation.approval).await? else {
        return Ok(Ended::NotThere);
    };
    if approval.verb.changes_policies() && revocation.standing == Standing::None {
        return Ok(Ended::IsNoOperator);
    }
    let end = End::by(caller, now, "a person took it back");
    if !cancel(connection, (approval.id, revocation.reason), &end).await? {
        return Ok(Ended::Is(approval.state_at(now), Box::new(approval)));
    }
    approval.end = Some(end);
    approval.state = State::Revoked;
    approval.revoke_reason = revocation.reason.map(str::to_owned);
    let detail = json!({
        "approval": approval.id,
        "verb": approval.verb,
        "resource": { "kind": approval.resource_kind, "id": approval.resource_id },
        "issuer": caller.person().map(|person| person.issuer),
        "user": caller.person().map(|person| &person.user),
        "reason": revocation.reason,
    });
    if let Some(person) = caller.person() {
        people::note(connection, person, now).await?;
    }
    let event = EventKind::ApprovalRevoked;
    audit::append(connection, now, event, &caller.actor(), detail).await?;
    Ok(Ended::Done(Box::new(approval)))
}

/// Pending → withdrawn, for the requester alone. False where it was not pending any more, or not theirs.
pub(super) async fn take_back(
    connection: &mut Connection,
    (id, requester): (ApprovalId, &str),
    end: &End,
) -> Result<bool, Fault> {
    let withdrawn = sqlx::query(concat!(
        "UPDATE approvals SET state = 'withdrawn', ",
        ends!("$1"),
        " WHERE id = $2 AND state = 'pending' AND expires_at > $1 AND requester_credential = $6"
    ))
    .bind(end.at.as_micros())
    .bind(id.to_string())
    .bind(&end.by)
    .bind(&end.user)
    .bind(&end.because)
    .bind(requester)
    .execute(connection)
    .await?;
    Ok(withdrawn.rows_affected() > 0)
}

/// Approved → revoked. False where there was no grant any more that could be used.
pub(super) async fn cancel(
    connection: &mut Connection,
    (id, reason): (ApprovalId, Option<&str>),
    end: &End,
) -> Result<bool, Fault> {
    let revoked = sqlx::query(concat!(
        "UPDATE approvals SET state = 'revoked', revoke_reason = $6, ",
        ends!("$1"),
        " WHERE id = $2 AND state = 'approved' AND grant_expires_at > $1"
    ))
    .bind(end.at.as_micros())
    .bind(id.to_string())
    .bind(&end.by)
    .bind(&end.user)
    .bind(&end.because)
    .bind(reason)
    .execute(connection)
    .await?;
    Ok(revoked.rows_affected() > 0)
}

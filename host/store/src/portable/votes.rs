//! Votes: counted one by one, until they decide.

use countersign_core::approval::{self, Approval, Choice, State, Vote};
use countersign_core::audit::EventKind;
use countersign_core::ledger::{Ballot, Voted};
use countersign_core::operators::Standing;
use countersign_core::policy::Quorum;
use serde_json::json;

use super::columns::to_json;
use super::{Connection, approvals, audit, fall, people, sessions, tokens};
use crate::fault::Fault;

/// Counts one vote. A person's first vote on an approval is their vote, but that a denial takes the place
/// of their own approval: whoever sees the mistake while others have yet to vote can stop it.
pub(super) async fn count(connection: &mut Connection, ballot: &Ballot) -> Result<Voted, Fault> {
    if let Some(session) = ballot.session
        && !sessions::is_live(connection, session, ballot.at).await?
    {
        return Ok(Voted::CredentialGone);
    }
    let Some(mut approval) = approvals::load(connection, ballot.approval).await? else {
        return Ok(Voted::NotPending(None));
    };
    if let Some(objection) = objection(connection, ballot, &approval).await? {
        return Ok(objection);
    }
    if ballot.choice == Choice::Approve
        && let Some(moved) = fall::end_moved(connection, &approval, ballot.at).await?
    {
        return Ok(Voted::Stale(Box::new(moved)));
    }
    if !insert(connection, ballot).await? {
        return Ok(Voted::Counted(Box::new(approval)));
    }
    approval.votes.retain(|vote| vote.person != ballot.person);
    approval.votes.push(Vote {
        person: ballot.person.clone(),
        groups: ballot.groups.clone(),
        choice: ballot.choice,
        reason: ballot.reason.clone(),
        at: ballot.at,
    });
    let kind = match ballot.choice {
        Choice::Deny => {
            if !approvals::deny(connection, approval.id, ballot.at).await? {
                return Ok(Voted::NotPending(None));
            }
            approval.state = State::Denied;
            approval.decided_at = Some(ballot.at);
            EventKind::ApprovalDenied
        }
        Choice::Approve if meet(connection, &approval, &approval.terms.quorums).await? => {
            let end = ballot
                .at
                .plus(ballot.grant.bounded(approval.terms.grant_ttl));
            if !approvals::approve(connection, approval.id, end, ballot.at).await? {
                return Ok(Voted::NotPending(None));
            }
            approval.state = State::Approved;
            approval.decided_at = Some(ballot.at);
            approval.grant_expires_at = Some(end);
            EventKind::ApprovalApproved
        }
        Choice::Approve => EventKind::ApprovalVoted,
    };
    let detail = json!({
        "approval": approval.id,
        "verb": approval.verb,
        "resource": { "kind": approval.resource_kind, "id": approval.resource_id },
        "digest": approval.digest,
        "issuer": ballot.person.issuer,
        "user": ballot.person.user,
        "reason": ballot.reason,
    });
    people::note(connection, &ballot.person, ballot.at).await?;
    audit::append(connection, ballot.at, kind, &ballot.person.label(), detail).await?;
    Ok(Voted::Counted(Box::new(approval)))
}

/// Why this vote does not count, if it does not.
async fn objection(
    connection: &mut Connection,
    ballot: &Ballot,
    approval: &Approval,
) -> Result<Option<Voted>, Fault> {
    let elsewhere = ballot
        .workspace
        .is_some_and(|workspace| workspace != approval.workspace);
    if elsewhere {
        return Ok(Some(Voted::NotPending(None)));
    }
    if approval.state_at(ballot.at) != State::Pending {
        return Ok(Some(Voted::NotPending(Some(Box::new(approval.clone())))));
    }
    let person = format!("person:{}", ballot.person.key());
    let is_of_policies = approval.verb.changes_policies();
    if is_of_policies && ballot.standing == Standing::None {
        return Ok(Some(Voted::IsNoOperator));
    }
    // What waits for an operator would wait for ever where the only one may not accept what they asked for.
    let is_nobody_else = is_of_policies && ballot.standing == Standing::Only;
    if approval.requester.credential == person && !is_nobody_else {
        return Ok(Some(Voted::IsRequester));
    }
    if approval::ask_several(&approval.terms.quorums)
        && tokens::was_minted_by(connection, &approval.requester.credential, &person).await?
    {
        return Ok(Some(Voted::IsMinter));
    }
    let other = ballot
        .digest
        .as_ref()
        .is_some_and(|digest| *digest != approval.digest);
    Ok(other.then(|| Voted::OtherDigest(Box::new(approval.clone()))))
}

/// Whether the votes on `approval` meet `quorums`, which may be others than those that it was filed under:
/// where more than one must decide by now, a minter's vote from when one was enough does not count. A vote
/// keeps the groups in which its person was when they cast it.
pub(super) async fn meet(
    connection: &mut Connection,
    approval: &Approval,
    quorums: &[Quorum],
) -> Result<bool, Fault> {
    if !approval::ask_several(quorums) {
        return Ok(approval::are_met(quorums, &approval.votes));
    }
    let requester = &approval.requester.credential;
    let mut count = Vec::with_capacity(approval.votes.len());
    for vote in &approval.votes {
        let person = format!("person:{}", vote.person.key());
        if !tokens::was_minted_by(connection, requester, &person).await? {
            count.push(vote.clone());
        }
    }
    Ok(approval::are_met(quorums, &count))
}

/// Keeps the vote; false where the person voted before, or the approval is not pending any more.
pub(super) async fn insert(connection: &mut Connection, ballot: &Ballot) -> Result<bool, Fault> {
    let inserted = sqlx::query(
        "INSERT INTO votes (at, approval, voter_issuer, voter_user, voter_groups, choice, reason)
         SELECT $1, $2, $3, $4, $5, $6, $7
         WHERE EXISTS (SELECT 1 FROM approvals
                       WHERE id = $2 AND state = 'pending' AND expires_at > $1)
         ON CONFLICT (approval, voter_issuer, voter_user) DO UPDATE
         SET at = excluded.at, voter_groups = excluded.voter_groups,
             choice = excluded.choice, reason = excluded.reason
         WHERE votes.choice = 'approved' AND excluded.choice = 'denied'",
    )
    .bind(ballot.at.as_micros())
    .bind(ballot.approval.to_string())
    .bind(ballot.person.issuer.as_str())
    .bind(&ballot.person.user)
    .bind(to_json(&ballot.groups))
    .bind(ballot.choice.as_str())
    .bind(&ballot.reason)
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

//! Requests to people: one approval is opened, or the one that is open is found.

use countersign_core::approval::{
    Approval, COOL_DOWN, PENDING_LIMIT, PENDING_TTL, Requester, State,
};
use countersign_core::audit::EventKind;
use countersign_core::id::{ApprovalId, WorkspaceId};
use countersign_core::ledger::{Refusal, Submission};
use countersign_core::policy::Terms;
use serde_json::json;

use super::facts::ABSENT;
use super::{Connection, approvals, audit, deeds, grants, sweep};
use crate::fault::Fault;

/// Files a gated request for which there is no grant: the pending approval, old or new; or why there
/// is none, with the approval that is the reason.
pub(super) async fn file(
    connection: &mut Connection,
    submission: &Submission<'_>,
    terms: &Terms,
    policy: &str,
) -> Result<Result<Approval, (Option<ApprovalId>, Refusal)>, Fault> {
    // People are not asked for what could not be done if they agreed.
    if deeds::needs_target(&submission.deed) && submission.facts.precondition == ABSENT {
        return Ok(Err((None, Refusal::TargetGone)));
    }
    if let Some(open) = same_request(connection, submission).await? {
        if open.state_at(submission.decision.at) == State::Pending {
            return Ok(Ok(open));
        }
        sweep::expire(connection, &open, submission.decision.at).await?;
    }
    if let Some(denied) = denied_lately(connection, submission).await? {
        return Ok(Err((Some(denied.id), grants::denial(&denied))));
    }
    if count_pending(connection, submission).await? >= PENDING_LIMIT {
        return Ok(Err((None, Refusal::TooManyPending)));
    }
    let Some(workspace) = submission.caller.filed_under() else {
        return Ok(Err((None, Refusal::NoAnchor)));
    };
    let approval = request(submission, workspace, terms, policy);
    approvals::insert(connection, &approval).await?;
    let detail = json!({
        "approval": approval.id,
        "decision": approval.decision,
        "workspace": approval.workspace,
        "verb": approval.verb,
        "resource": { "kind": approval.resource_kind, "id": approval.resource_id },
        "digest": approval.digest,
        "rule": terms.ground.rule,
        "policy": approval.policy,
        "expires_at": approval.expires_at,
    });
    audit::append(
        connection,
        approval.created_at,
        EventKind::ApprovalRequested,
        &approval.requester.actor,
        detail,
    )
    .await?;
    Ok(Ok(approval))
}

fn request(
    submission: &Submission<'_>,
    workspace: WorkspaceId,
    terms: &Terms,
    policy: &str,
) -> Approval {
    let Submission {
        caller,
        intent,
        decision,
        ..
    } = submission;
    Approval {
        id: submission.fresh,
        workspace,
        requester: Requester {
            credential: caller.credential_key(),
            actor: caller.actor(),
            lineage: caller.lineage(),
        },
        verb: intent.verb(),
        resource_kind: intent.resource_kind.to_owned(),
        resource_id: intent.resource_id.clone(),
        digest: intent.digest.clone(),
        payload: intent.payload.clone(),
        reason: format!("{}: {}", intent.action.summary(), terms.ground.reason),
        terms: terms.clone(),
        policy: policy.to_owned(),
        decision: decision.id,
        precondition: submission.facts.precondition.clone(),
        state: State::Pending,
        created_at: decision.at,
        expires_at: decision.at.plus(PENDING_TTL.bounded(terms.pending_ttl)),
        grant_expires_at: None,
        decided_at: None,
        votes: Vec::new(),
    }
}

/// The latest denial of the same verb on the same resource to the same lineage, within the cool-down.
async fn denied_lately(
    connection: &mut Connection,
    submission: &Submission<'_>,
) -> Result<Option<Approval>, Fault> {
    let intent = submission.intent;
    let id: Option<String> = sqlx::query_scalar(
        "SELECT id FROM approvals
         WHERE state = 'denied' AND decided_at > $1 AND requester_lineage = $2
           AND verb = $3 AND resource_kind = $4 AND resource_id = $5
         ORDER BY decided_at DESC LIMIT 1",
    )
    .bind(submission.decision.at.minus(COOL_DOWN).as_micros())
    .bind(submission.caller.lineage())
    .bind(intent.verb().as_str())
    .bind(intent.resource_kind)
    .bind(&intent.resource_id)
    .fetch_optional(&mut *connection)
    .await?;
    approvals::load_found(connection, id).await
}

/// The approval of the same request whose recorded state is pending.
async fn same_request(
    connection: &mut Connection,
    submission: &Submission<'_>,
) -> Result<Option<Approval>, Fault> {
    let intent = submission.intent;
    let id: Option<String> = sqlx::query_scalar(
        "SELECT id FROM approvals
         WHERE state = 'pending' AND requester_credential = $1 AND verb = $2
           AND resource_kind = $3 AND resource_id = $4 AND digest = $5",
    )
    .bind(submission.caller.credential_key())
    .bind(intent.verb().as_str())
    .bind(intent.resource_kind)
    .bind(&intent.resource_id)
    .bind(intent.digest.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    approvals::load_found(connection, id).await
}

async fn count_pending(
    connection: &mut Connection,
    submission: &Submission<'_>,
) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar(
        "SELECT COUNT(*) FROM approvals
         WHERE state = 'pending' AND expires_at > $1 AND requester_lineage = $2",
    )
    .bind(submission.decision.at.as_micros())
    .bind(submission.caller.lineage())
    .fetch_one(connection)
    .await?)
}

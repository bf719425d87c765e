//! Approvals: reading them, waiting for one, deciding one.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use countersign_core::action::{Action, ActionDigest, masked};
use countersign_core::approval::{Approval, Choice, people_needed};
use countersign_core::gate::{Say, VoteError};
use countersign_core::id::{ApprovalId, WorkspaceId};
use countersign_core::ledger::Voted;
use countersign_core::permit::Permit;
use countersign_core::text;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Answer, Call, Routes};
use crate::problem::{Problem, json_response};

/// The longest wait for a change.
const MAX_WAIT: u64 = 55;
/// A change that another host made is seen so soon, even if its announcement is not heard.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// The longest reason, in characters.
const MAX_REASON: usize = 500;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .verb(
            Method::GET,
            "/approvals/pending",
            Verb::ApprovalList,
            pending,
        )
        .verb(Method::GET, "/approvals/{id}", Verb::ApprovalList, one)
        .verb(
            Method::POST,
            "/approvals/{id}/decide",
            Verb::ApprovalDecide,
            decide,
        )
        .verb(
            Method::POST,
            "/workspaces/{workspace}/approvals/{id}/decide",
            Verb::ApprovalDecide,
            decide_in_workspace,
        )
}

async fn pending(call: Call) -> Answer {
    let page = call.page()?;
    let permit = call.permit(Action::ApprovalList).await?;
    let now = call.app.clock.now();
    let approvals = call
        .app
        .ledger
        .pending_approvals(&permit, &call.whose(), &page, now)
        .await?;
    let next = (approvals.len() == page.limit as usize)
        .then(|| approvals.last().map(|last| last.id.to_string()))
        .flatten();
    let shown: Vec<Value> = approvals
        .iter()
        .map(|approval| shown(approval, now))
        .collect();
    let mut response = json_response(StatusCode::OK, &Value::Array(shown));
    if let Some(next) = next.and_then(|next| next.parse().ok()) {
        response.headers_mut().insert("x-next-cursor", next);
    }
    Ok(response)
}

async fn one(call: Call) -> Answer {
    let id = call.path("id", ApprovalId::parse)?;
    let wait = match call.query.get("wait") {
        None => 0,
        Some(wait) => wait
            .parse()
            .ok()
            .filter(|wait| *wait <= MAX_WAIT)
            .ok_or_else(|| Problem::bad_field("wait", "is not a number of seconds from 0 to 55"))?,
    };
    let permit = call.permit(Action::ApprovalList).await?;
    let approval = wait_for_change(&call, &permit, id, Duration::from_secs(wait)).await?;
    let now = call.app.clock.now();
    Ok(json_response(StatusCode::OK, &shown(&approval, now)))
}

/// The approval, at once if `patience` is nothing, else when it has changed or patience has ended.
async fn wait_for_change(
    call: &Call,
    permit: &Permit,
    id: ApprovalId,
    patience: Duration,
) -> Result<Approval, Problem> {
    let end = Instant::now() + patience;
    let mut changes = call.app.changes.subscribe();
    let mut first = None;
    loop {
        changes.mark_unchanged();
        let approval = call
            .app
            .ledger
            .approval(permit, &call.whose(), id)
            .await?
            .ok_or_else(not_there)?;
        let seen = (
            approval.state_at(call.app.clock.now()),
            approval.votes.len(),
        );
        if *first.get_or_insert(seen) != seen || Instant::now() >= end {
            return Ok(approval);
        }
        let until = end.min(Instant::now() + LOOK_AGAIN);
        // Either a change, or time to look: what it was shows when the approval is read.
        let _ = tokio::time::timeout_at(until, changes.changed()).await;
    }
}

/// What can be said to decide. Whoever else the body names is not heard.
#[derive(Deserialize)]
struct DecideBody {
    decision: String,
    reason: Option<String>,
    digest: Option<String>,
}

async fn decide(call: Call) -> Answer {
    decide_one(call, None).await
}

async fn decide_in_workspace(call: Call) -> Answer {
    let workspace = call.path("workspace", WorkspaceId::parse)?;
    decide_one(call, Some(workspace)).await
}

async fn decide_one(call: Call, workspace: Option<WorkspaceId>) -> Answer {
    let id = call.path("id", ApprovalId::parse)?;
    // Before the body is looked at: what cannot decide learns nothing of how one would.
    if call.caller.person().is_none() {
        return Err(not_a_person());
    }
    let body: DecideBody = call.json()?;
    let choice = Choice::parse(&body.decision)
        .ok_or_else(|| Problem::bad_field("decision", "is not `approved` or `denied`"))?;
    let say = Say {
        approval: id,
        workspace,
        choice,
        reason: reason(body.reason)?,
        digest: body.digest.map(ActionDigest::from_text),
    };
    let approval = vote(&call, say).await?;
    let status = approval.state_at(call.app.clock.now());
    Ok(json_response(
        StatusCode::OK,
        &json!({ "status": status, "approval_id": id }),
    ))
}

/// A person's own words, fit to be shown; none where there are none.
pub fn reason(reason: Option<String>) -> Result<Option<String>, Problem> {
    reason
        .filter(|reason| !reason.trim().is_empty())
        .map(|reason| {
            text::displayable(&reason, MAX_REASON).map_err(|why| Problem::bad_field("reason", why))
        })
        .transpose()
}

/// Counts a vote, in a task that outlives the connection.
pub async fn vote(call: &Call, say: Say) -> Result<Approval, Problem> {
    let gate = call.app.gate.clone();
    let caller = call.caller.clone();
    let voted = call
        .app
        .finish(async move { gate.vote(&caller, say).await })
        .await
        .ok_or_else(Problem::internal)?;
    call.app.changed();
    let forbidden = |code, error: &str| Problem::new(StatusCode::FORBIDDEN, code, error);
    match voted {
        Ok(Voted::Counted(approval)) => Ok(*approval),
        Ok(Voted::NotPending) => Err(not_there_to_decide()),
        Ok(Voted::IsRequester) => Err(forbidden(
            "requester_cannot_approve",
            "you asked for this yourself: another person must decide",
        )),
        Ok(Voted::IsMinter) => Err(forbidden(
            "minter_cannot_approve",
            "you minted a token that this request comes from, and more than one person must decide: others must",
        )),
        Ok(Voted::OtherDigest) => Err(Problem::new(
            StatusCode::CONFLICT,
            "digest_mismatch",
            "what you were shown is not what is pending: read the approval again",
        )),
        Ok(Voted::CredentialGone) => Err(Problem::unauthenticated(
            "the session was ended or has expired",
        )),
        Err(VoteError::NotAPerson) => Err(not_a_person()),
        Err(VoteError::Ledger(error)) => Err(error.into()),
    }
}

pub fn not_a_person() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "approver_must_be_human",
        "only a person with a verified session decides: sign in at /console",
    )
}

pub fn not_there() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is no such approval, or it is not yours",
    )
}

fn not_there_to_decide() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not_pending",
        "approval not found or already decided",
    )
}

/// An approval as callers and people see it: secrets masked.
pub fn shown(approval: &Approval, now: Timestamp) -> Value {
    let votes: Vec<Value> = approval
        .votes
        .iter()
        .map(|vote| {
            json!({
                "by": vote.person.label(),
                "user": vote.person.user,
                "issuer": vote.person.issuer,
                "decision": vote.choice,
                "reason": vote.reason,
                "at": vote.at,
            })
        })
        .collect();
    json!({
        "id": approval.id,
        "workspace_id": approval.workspace,
        "workspace_name": approval.workspace_name.as_deref().unwrap_or_default(),
        "action": approval.verb,
        "reason": approval.reason,
        "status": approval.state_at(now),
        "created_at": approval.created_at,
        "expires_at": approval.expires_at,
        "grant_expires_at": approval.grant_expires_at,
        "decided_at": approval.decided_at,
        "requester": approval.requester.actor,
        "resource": { "kind": approval.resource_kind, "id": approval.resource_id },
        "payload": masked(&approval.payload, &approval.id.to_string()),
        "digest": approval.digest,
        "rule": approval.terms.ground.rule,
        "policy": approval.policy,
        "decision_id": approval.decision,
        "people_needed": people_needed(&approval.terms.quorums),
        "quorums": approval.terms.quorums,
        "votes": votes,
    })
}

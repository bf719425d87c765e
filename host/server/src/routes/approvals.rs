//! Approvals: reading them, waiting for one, deciding one.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use countersign_core::action::{Action, ActionDigest, masked};
use countersign_core::approval::{Approval, Choice, State, people_needed};
use countersign_core::gate::{Say, VoteError};
use countersign_core::id::{ApprovalId, WorkspaceId};
use countersign_core::ledger::{Page, Voted};
use countersign_core::permit::Permit;
use countersign_core::text;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;

use super::{Answer, Call, Cursor, Routes, workspaces};
use crate::problem::{Problem, json_response};
use crate::streams::MOST_WAITS;

/// A change that another host made is seen so soon, even if its announcement is not heard.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// The longest reason, in characters.
pub(super) const MAX_REASON: usize = 500;

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
            Method::GET,
            "/workspaces/{workspace}/approvals",
            Verb::ApprovalList,
            of_workspace,
        )
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
    let page = call.page(Cursor::Id)?;
    let permit = call.permit(Action::ApprovalList).await?;
    let now = call.app.clock.now();
    let approvals = call
        .app
        .ledger
        .pending_approvals(&permit, &call.whose(), &page, now)
        .await?;
    Ok(part(&approvals, &page, now))
}

/// The approvals that are filed under a workspace, whatever became of them, newest first.
async fn of_workspace(call: Call) -> Answer {
    let workspace = call.path("workspace", WorkspaceId::parse)?;
    let page = call.page(Cursor::Id)?;
    let permit = call.permit(Action::ApprovalList).await?;
    let approvals = call
        .app
        .ledger
        .approvals_of(&permit, &call.whose(), workspace, &page)
        .await?;
    // Whoever is bound to another learns nothing of this one, not even whether it is there.
    let confined = call.caller.confined_to();
    let approvals = approvals
        .filter(|_| confined.is_none_or(|own| own == workspace))
        .ok_or_else(workspaces::not_there)?;
    Ok(part(&approvals, &page, call.app.clock.now()))
}

/// A part of a list, with where the next one begins, if there may be one.
fn part(approvals: &[Approval], page: &Page, now: Timestamp) -> Response<Body> {
    let next = approvals.last().map(|last| last.id.to_string());
    let next = next.filter(|_| approvals.len() == page.limit as usize);
    let shown: Vec<Value> = approvals
        .iter()
        .map(|approval| shown(approval, now))
        .collect();
    let mut response = json_response(StatusCode::OK, &Value::Array(shown));
    if let Some(next) = next.and_then(|next| next.parse().ok()) {
        response.headers_mut().insert("x-next-cursor", next);
    }
    response
}

async fn one(call: Call) -> Answer {
    let id = call.path("id", ApprovalId::parse)?;
    let wait = call.wait(0)?;
    let approval = match wait.is_zero() {
        true => {
            let permit = call.permit(Action::ApprovalList).await?;
            read(&call, &permit, id).await?
        }
        false => wait_for_change(&call, id, wait).await?,
    };
    let now = call.app.clock.now();
    Ok(json_response(StatusCode::OK, &shown(&approval, now)))
}

fn too_many_waits() -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_waits",
        format!(
            "{MOST_WAITS} requests of this credential wait already: end one first, or follow GET /events"
        ),
    )
    .with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
}

async fn read(call: &Call, permit: &Permit, id: ApprovalId) -> Result<Approval, Problem> {
    let approval = call.app.ledger.approval(permit, &call.whose(), id).await?;
    approval.ok_or_else(not_there)
}

/// The approval: when it has changed, when patience has ended, or at once where it waits for nobody. Who
/// asks again and again would otherwise sleep through a decision that fell between two questions.
async fn wait_for_change(
    call: &Call,
    id: ApprovalId,
    patience: Duration,
) -> Result<Approval, Problem> {
    let standing = call.standing().await?;
    let waits = &call.app.waits;
    let place = waits.take(&call.caller.credential_key(), standing);
    let place = place.ok_or_else(too_many_waits)?;
    let lost = place.lost();
    let permit = call.permit(Action::ApprovalList).await?;
    let end = Instant::now() + patience;
    let mut changes = call.app.changes.subscribe();
    let mut first = None;
    loop {
        changes.mark_unchanged();
        let approval = read(call, &permit, id).await?;
        // After it was read: what happened after the credential's death, nobody is told.
        if !call.lives().await? {
            return Err(call.gone());
        }
        let seen = (
            approval.state_at(call.app.clock.now()),
            approval.votes.len(),
        );
        let is_decided = seen.0 != State::Pending;
        let is_over = Instant::now() >= end || lost.is_cancelled();
        if is_decided || *first.get_or_insert(seen) != seen || is_over {
            return Ok(approval);
        }
        let look = Instant::now() + next_look(&approval, call.app.clock.now());
        // Either a change, or time to look: what it was shows when the approval is read.
        tokio::select! {
            _ = timeout_at(end.min(look), changes.changed()) => {}
            () = lost.cancelled() => {}
        }
    }
}

/// How long nothing needs to be looked at: until time ends the state that the approval is in, at most.
fn next_look(approval: &Approval, now: Timestamp) -> Duration {
    let left = approval
        .ends_at()
        .map(|end| end.as_micros().saturating_sub(now.as_micros()));
    let left = left.and_then(|left| u64::try_from(left).ok());
    left.map_or(LOOK_AGAIN, |left| {
        LOOK_AGAIN.min(Duration::from_micros(left))
    })
}

/// What can be said to decide. Whoever else the body names is not heard.
#[derive(Deserialize, ToSchema)]
pub(super) struct DecideBody {
    /// `approved` or `denied`.
    decision: String,
    /// Why, for whoever asked.
    reason: Option<String>,
    /// The digest of what was looked at; another one that is pending is not decided.
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
    let approval = counted(&call, voted(&call, say).await?)?;
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
pub async fn voted(call: &Call, say: Say) -> Result<Voted, Problem> {
    let gate = call.app.gate.clone();
    let caller = call.caller.clone();
    let voted = call
        .app
        .finish(async move { gate.vote(&caller, say).await })
        .await
        .ok_or_else(Problem::internal)?;
    call.app.changed();
    voted.map_err(|error| match error {
        VoteError::NotAPerson => not_a_person(),
        VoteError::Ledger(error) => error.into(),
    })
}

/// The approval as a vote left it, or why the vote does not count.
pub fn counted(call: &Call, voted: Voted) -> Result<Approval, Problem> {
    let forbidden = |code, error: &str| Problem::new(StatusCode::FORBIDDEN, code, error);
    match voted {
        Voted::Counted(approval) => Ok(*approval),
        Voted::NotPending(_) => Err(not_there_to_decide()),
        Voted::IsRequester => Err(forbidden(
            "requester_cannot_approve",
            "you asked for this yourself: another person must decide",
        )),
        Voted::IsNoOperator => Err(no_operator()),
        Voted::IsMinter => Err(forbidden(
            "minter_cannot_approve",
            "you minted a token that this request comes from, and more than one person must decide: others must",
        )),
        Voted::OtherDigest(_) => Err(Problem::new(
            StatusCode::CONFLICT,
            "digest_mismatch",
            "what you were shown is not what is pending: read the approval again",
        )),
        Voted::Stale(_) => Err(Problem::new(
            StatusCode::CONFLICT,
            "approval_stale",
            "something else would fall by now than was asked for: the request has ended, and its caller can ask anew",
        )),
        Voted::CredentialGone => Err(call.gone()),
    }
}

pub fn no_operator() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "approver_must_be_operator",
        "which policies there are is decided by operators: COUNTERSIGN_OPERATORS names them, and where it is not set, whoever signs in by the host's own link is one",
    )
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
    let end = approval.end_at(now);
    json!({
        "id": approval.id,
        "workspace_id": approval.workspace,
        "workspace_name": approval.workspace_name.as_deref().unwrap_or_default(),
        "action": approval.verb,
        "reason": approval.reason,
        "claim": (!approval.claim.is_empty()).then(|| json!({
            "reason": approval.claim.reason,
            "task_id": approval.claim.task,
        })),
        "status": approval.state_at(now),
        "created_at": approval.created_at,
        "expires_at": approval.expires_at,
        "grant_expires_at": approval.grant_expires_at,
        "decided_at": approval.decided_at,
        "revoke_reason": approval.revoke_reason,
        "ended_at": end.as_ref().map(|end| end.at),
        "ended_by": end.as_ref().and_then(|end| end.by.as_deref()),
        "ended_by_user": end.as_ref().and_then(|end| end.user.as_deref()),
        "ended_because": end.as_ref().map(|end| &end.because),
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

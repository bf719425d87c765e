//! The end of an approval by somebody's will: its requester withdraws it, a person revokes the grant.

use axum::http::{Method, StatusCode};
use countersign_core::approval::{Approval, State};
use countersign_core::gate::VoteError;
use countersign_core::id::{ApprovalId, WorkspaceId};
use countersign_core::ledger::Ended;
use countersign_core::verb::Verb;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::approvals::{no_operator, not_a_person, not_there, reason};
use super::{Answer, Call, Routes};
use crate::problem::{Problem, json_response};

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .verb(
            Method::POST,
            "/approvals/{id}/withdraw",
            Verb::ApprovalDecide,
            withdraw,
        )
        .verb(
            Method::POST,
            "/workspaces/{workspace}/approvals/{id}/withdraw",
            Verb::ApprovalDecide,
            withdraw_in_workspace,
        )
        .verb(
            Method::POST,
            "/approvals/{id}/revoke",
            Verb::ApprovalDecide,
            revoke,
        )
}

async fn withdraw(call: Call) -> Answer {
    withdraw_one(call, None).await
}

async fn withdraw_in_workspace(call: Call) -> Answer {
    let workspace = call.path("workspace", WorkspaceId::parse)?;
    withdraw_one(call, Some(workspace)).await
}

async fn withdraw_one(call: Call, workspace: Option<WorkspaceId>) -> Answer {
    let id = call.path("id", ApprovalId::parse)?;
    let withdrawn = withdraw_request(&call, id, workspace).await?;
    Ok(answered(&ended(&call, withdrawn, "not_pending")?))
}

/// Takes the caller's own request back, in a task that outlives the connection.
pub async fn withdraw_request(
    call: &Call,
    id: ApprovalId,
    workspace: Option<WorkspaceId>,
) -> Result<Ended, Problem> {
    let (gate, caller) = (call.app.gate.clone(), call.caller.clone());
    let withdrawn = call
        .app
        .finish(async move { gate.withdraw(&caller, id, workspace).await })
        .await;
    Ok(withdrawn.ok_or_else(Problem::internal)??)
}

/// Why a grant is taken back, if anything is said.
#[derive(Deserialize, ToSchema)]
pub(super) struct RevokeBody {
    reason: Option<String>,
}

async fn revoke(call: Call) -> Answer {
    let id = call.path("id", ApprovalId::parse)?;
    // Before the body is looked at: what cannot revoke learns nothing of how one would.
    if call.caller.person().is_none() {
        return Err(not_a_person());
    }
    let body: RevokeBody = call.json()?;
    let revoked = revoke_grant(&call, id, reason(body.reason)?).await?;
    Ok(answered(&ended(&call, revoked, "not_approved")?))
}

/// Takes a grant back, in a task that outlives the connection.
pub async fn revoke_grant(
    call: &Call,
    id: ApprovalId,
    reason: Option<String>,
) -> Result<Ended, Problem> {
    let (gate, caller) = (call.app.gate.clone(), call.caller.clone());
    call.app
        .finish(async move { gate.revoke(&caller, id, reason.as_deref()).await })
        .await
        .ok_or_else(Problem::internal)?
        .map_err(|error| match error {
            VoteError::NotAPerson => not_a_person(),
            VoteError::Ledger(error) => error.into(),
        })
}

/// What was ended; `code` is that of the problem that it is in a state which this does not end.
pub fn ended(call: &Call, ended: Ended, code: &str) -> Result<Approval, Problem> {
    match ended {
        Ended::Done(approval) => {
            call.app.changed();
            Ok(*approval)
        }
        Ended::NotThere => Err(not_there()),
        Ended::IsNoOperator => Err(no_operator()),
        Ended::NotRequester => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "not_the_requester",
            "only whoever asked takes a request back, with the credential that asked: people deny it instead",
        )),
        Ended::Is(state, _) => Err(in_another_state(state, code)),
        Ended::CredentialGone => Err(call.gone()),
    }
}

fn in_another_state(state: State, code: &str) -> Problem {
    let error = match state {
        State::Pending => "it is pending, and there is no grant yet: deny it instead",
        State::Approved => {
            "it is approved already: leave the grant unused, or have a person revoke it"
        }
        State::Denied => "it is denied already: there is nothing left to take back",
        State::Expired => "it has expired: there is nothing left to take back",
        State::Withdrawn => "it is withdrawn already",
        State::Used => "it was used: what it was for is done",
        State::Lapsed => "the grant has ended unused: there is nothing left to take back",
        State::Revoked => "it is revoked already",
    };
    Problem::new(StatusCode::CONFLICT, code, error).with("status", state.as_str())
}

fn answered(approval: &Approval) -> axum::http::Response<axum::body::Body> {
    json_response(
        StatusCode::OK,
        &json!({ "status": approval.state, "approval_id": approval.id }),
    )
}

//! The tokens of one workspace.

use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::gate::Passed;
use countersign_core::id::TokenId;
use countersign_core::verb::Verb;
use countersign_core::workspace::{Slice, WorkspaceToken};
use serde_json::{Value, json};

use super::org_tokens::set;
use super::{Answer, Call, Cursor, Routes, usage, workspaces};
use crate::problem::{Problem, json_response};

pub(super) fn add(routes: Routes) -> Routes {
    let all = "/workspaces/{workspace}/tokens";
    routes
        .verb(Method::GET, all, Verb::WorkspaceRead, list)
        .verb(Method::POST, all, Verb::WorkspaceTokenMint, mint)
        .verb(
            Method::DELETE,
            "/workspaces/{workspace}/tokens/{token}",
            Verb::WorkspaceTokenRevoke,
            revoke,
        )
        .verb(
            Method::GET,
            "/workspaces/{workspace}/tokens/{token}/usage",
            Verb::WorkspaceRead,
            usage,
        )
}

async fn list(call: Call) -> Answer {
    let workspace = workspaces::id(&call)?;
    let offset = match call.query.get("offset") {
        None => 0,
        Some(offset) => offset
            .parse()
            .map_err(|_| Problem::bad_field("offset", "is not a number from 0 on"))?,
    };
    let slice = Slice {
        limit: call.page(Cursor::Id)?.limit,
        offset,
    };
    let permit = call.permit(Action::WorkspaceRead { workspace }).await?;
    let now = call.app.clock.now();
    let tokens = call
        .app
        .ledger
        .workspace_tokens(&permit, workspace, slice, now)
        .await?;
    let tokens: Vec<Value> = tokens.into_iter().map(listed).collect();
    let count = tokens.len();
    Ok(json_response(
        StatusCode::OK,
        &json!({ "tokens": tokens, "count": count }),
    ))
}

fn listed(token: WorkspaceToken) -> Value {
    let mut listed = json!({
        "id": token.id,
        "prefix": token.prefix,
        "created_by": token.created_by,
        "created_at": token.created_at,
        "last_used_at": token.last_used_at,
        "uses_24h": token.uses_24h,
    });
    set(&mut listed, "expires_at", token.expires_at);
    set(&mut listed, "draining_until", token.draining_until);
    listed
}

async fn usage(call: Call) -> Answer {
    let workspace = workspaces::id(&call)?;
    let token = call.path("token", TokenId::parse)?;
    let hours = usage::hours(&call)?;
    let permit = call.permit(Action::WorkspaceRead { workspace }).await?;
    usage::answer(&call, &permit, token, hours).await
}

/// What a caller wants minted. The body says nothing that this host knows of, and may be anything that it
/// can read.
pub(super) fn minting(call: &Call) -> Result<Action, Problem> {
    let workspace = workspaces::id(call)?;
    call.json::<serde_json::Map<String, Value>>()?;
    Ok(Action::WorkspaceTokenMint {
        workspace,
        expires_at: call.caller.mints_until(),
    })
}

async fn mint(call: Call) -> Answer {
    let passed = call.submit(minting(&call)?).await?;
    let Passed::WorkspaceTokenMinted(token, plain) = passed else {
        return Err(Problem::internal());
    };
    let mut body = json!({
        "id": token.id,
        "prefix": token.prefix,
        "auth_token": plain.reveal(),
        "workspace_id": token.workspace,
        "message": "copy this token now; it will not be shown again",
    });
    set(&mut body, "expires_at", token.expires_at);
    Ok(json_response(StatusCode::CREATED, &body))
}

/// What a caller wants revoked.
pub(super) fn revoking(call: &Call) -> Result<Action, Problem> {
    let workspace = workspaces::id(call)?;
    let token = call.path("token", TokenId::parse)?;
    Ok(Action::WorkspaceTokenRevoke { workspace, token })
}

async fn revoke(call: Call) -> Answer {
    let token = call.path("token", TokenId::parse)?;
    call.submit(revoking(&call)?).await?;
    Ok(json_response(
        StatusCode::OK,
        &json!({ "status": "revoked", "id": token }),
    ))
}

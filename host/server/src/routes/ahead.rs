//! Asking ahead: people are asked for what a caller will want to do, and nothing is done.
//!
//! The body names the verb, and its `context` holds what the verb's own route takes in path, query and
//! body. Both routes parse by the same functions, so that the request itself, when it comes, has the digest
//! that was approved.

use std::collections::HashMap;

use axum::http::{HeaderValue, StatusCode, header};
use countersign_core::action::Action;
use countersign_core::approval::{Approval, Claim, State};
use countersign_core::id::WorkspaceId;
use countersign_core::ledger::Ahead;
use countersign_core::secret::SecretScope;
use countersign_core::text;
use countersign_core::verb::Verb;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Answer, Call, Routes, approvals, body, deprovision, org_tokens, secrets, workspace_tokens,
    workspaces,
};
use crate::problem::{Problem, json_response};

/// The longest name of a task, in characters.
pub(super) const MAX_TASK: usize = 200;

pub(super) fn add(routes: Routes) -> Routes {
    routes.ahead("/workspaces/{workspace}/approvals", verb_in, ask)
}

/// What is said beside the context.
#[derive(Deserialize, ToSchema)]
pub(super) struct AskBody {
    /// The verb.
    action: String,
    /// Why, in the caller's own words.
    reason: Option<String>,
    /// What of, in the caller's own words.
    task_id: Option<String>,
}

/// What routes take in path and query, and a context as its members.
#[derive(Deserialize, ToSchema)]
pub(super) struct Elsewhere {
    workspace_id: Option<String>,
    token_id: Option<String>,
    key: Option<String>,
    /// `global`: a secret of the organisation.
    scope: Option<String>,
    confirm: Option<bool>,
    drain_seconds: Option<u64>,
    descendants: Option<bool>,
}

/// The verb that is asked for, where it is one that people can be asked for.
fn verb_in(bytes: &[u8]) -> Result<Verb, Problem> {
    let asked: AskBody = body::parse(bytes)?;
    let verb = Verb::parse(&asked.action)
        .ok_or_else(|| Problem::bad_field("action", "is not a verb that this host knows"))?;
    if verb.is_judged_by_core_alone() {
        return Err(Problem::bad_field(
            "action",
            "is a verb that no approval opens: the host judges it by itself",
        ));
    }
    Ok(verb)
}

async fn ask(mut call: Call) -> Answer {
    let workspace = call.path.get("workspace").map(String::as_str);
    let workspace = workspace
        .and_then(WorkspaceId::parse)
        .ok_or_else(|| Problem::bad_field("workspace", "in the path is not a UUID"))?;
    let asked: AskBody = body::parse(&call.body)?;
    let claim = Claim {
        reason: approvals::reason(asked.reason)?,
        task: asked
            .task_id
            .filter(|task| !task.trim().is_empty())
            .map(|task| {
                text::displayable(&task, MAX_TASK).map_err(|why| Problem::bad_field("task_id", why))
            })
            .transpose()?,
    };
    let action = action(&mut call)?;
    let approval = call.ask(action, Ahead { workspace, claim }).await?;
    Ok(answered(&call, &approval))
}

fn answered(call: &Call, approval: &Approval) -> axum::http::Response<axum::body::Body> {
    let state = approval.state_at(call.app.clock.now());
    // What is approved already waits for nobody but the caller.
    let status = match state {
        State::Approved => StatusCode::OK,
        _ => StatusCode::CREATED,
    };
    let poll = format!("/approvals/{}", approval.id);
    let mut response = json_response(
        status,
        &json!({
            "approval_id": approval.id,
            "status": state,
            "action": approval.verb,
            "reason": approval.reason,
            "expires_at": approval.ends_at(),
            "poll": poll,
            "approve_url": format!("{}/console/approvals/{}", call.app.base_url, approval.id),
        }),
    );
    let location = HeaderValue::from_str(&poll).expect("INVARIANT: a path of ASCII");
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// The action that the context describes, by the parser of the verb's own route.
fn action(call: &mut Call) -> Result<Action, Problem> {
    let (path, query) = match call.verb {
        // All that these routes take is in their bodies.
        Verb::OrgTokenMint | Verb::WorkspaceCreate | Verb::Deprovision => {
            (HashMap::new(), HashMap::new())
        }
        _ => call.json::<Elsewhere>()?.pieces(),
    };
    let scope = path.get("scope").cloned();
    call.path = path;
    call.query = query;
    let call = &*call;
    match call.verb {
        Verb::OrgTokenMint => org_tokens::minting(call),
        Verb::OrgTokenRevoke => org_tokens::revoking(call),
        Verb::OrgTokenList => Ok(Action::OrgTokenList),
        Verb::SecretWrite => secrets::writing(call, scope_of(call, scope)?),
        Verb::SecretDelete => {
            let key = call.path_text("key");
            secrets::deleting(scope_of(call, scope)?, key)
        }
        Verb::SecretList => Ok(Action::SecretList {
            scope: scope_of(call, scope)?,
        }),
        Verb::SecretRead => Ok(Action::SecretRead {
            workspace: workspaces::id(call)?,
        }),
        Verb::WorkspaceCreate => workspaces::creating(call),
        Verb::WorkspaceUpdate => workspaces::updating(call),
        Verb::WorkspaceRead => Ok(Action::WorkspaceRead {
            workspace: workspaces::id(call)?,
        }),
        Verb::WorkspaceList => Ok(Action::WorkspaceList),
        Verb::DeleteWorkspace => workspaces::removing(call),
        Verb::WorkspaceTokenMint => workspace_tokens::minting(call),
        Verb::WorkspaceTokenRevoke => workspace_tokens::revoking(call),
        Verb::AuditRead => Ok(Action::AuditRead),
        Verb::DecisionRead => Ok(Action::DecisionRead),
        Verb::Deprovision => deprovision::meaning(call),
        Verb::ApprovalList
        | Verb::ApprovalDecide
        | Verb::PolicyRead
        | Verb::PolicyPush
        | Verb::PolicyActivate
        | Verb::PolicyRollback => Err(Problem::bad_field(
            "action",
            "is a verb that cannot be asked ahead",
        )),
    }
}

/// A secret is of the organisation or of one workspace, and a context says which: what is left out would
/// otherwise widen the request to every workspace.
fn scope_of(call: &Call, scope: Option<String>) -> Result<SecretScope, Problem> {
    let is_named = call.path.contains_key("workspace");
    match scope.as_deref() {
        Some("global") if is_named => Err(Problem::bad_field(
            "context.scope",
            "is `global`, and `context.workspace_id` names a workspace beside it",
        )),
        Some("global") => Ok(SecretScope::Global),
        None if !is_named => Err(Problem::bad_field(
            "context.workspace_id",
            "is missing, and `context.scope` is not `global`",
        )),
        None | Some("workspace") => Ok(SecretScope::Workspace(workspaces::id(call)?)),
        Some(_) => Err(Problem::bad_field(
            "context.scope",
            "is not `global` or `workspace`",
        )),
    }
}

impl Elsewhere {
    /// The pieces of path and query that the members stand for.
    fn pieces(self) -> (HashMap<String, String>, HashMap<String, String>) {
        let path = [
            ("workspace", self.workspace_id),
            ("id", self.token_id.clone()),
            ("token", self.token_id),
            ("key", self.key),
            ("scope", self.scope),
        ];
        let query = [
            ("confirm", self.confirm.map(|flag| flag.to_string())),
            ("drain_seconds", self.drain_seconds.map(|n| n.to_string())),
            ("descendants", self.descendants.map(|flag| flag.to_string())),
        ];
        (present(path), present(query))
    }
}

fn present<const N: usize>(pieces: [(&str, Option<String>); N]) -> HashMap<String, String> {
    pieces
        .into_iter()
        .filter_map(|(name, piece)| Some((name.to_owned(), piece?)))
        .collect()
}

/// The member of the context that stands for a piece of a path.
pub(super) fn member(piece: &str) -> &'static str {
    match piece {
        "workspace" => "context.workspace_id",
        "id" | "token" => "context.token_id",
        _ => "context",
    }
}

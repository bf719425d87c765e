//! Organisation tokens.

use std::collections::HashMap;

use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::gate::Passed;
use countersign_core::id::{TokenId, WorkspaceId};
use countersign_core::ledger::{Descendant, Done, OrgToken};
use countersign_core::policy::Role;
use countersign_core::text;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Answer, Call, Routes, usage};
use crate::problem::{Problem, json_response};

/// The longest name of a token, in characters.
pub(super) const MAX_NAME: usize = 100;
/// The longest that a token may drain, in seconds.
pub(super) const MAX_DRAIN: u32 = 3_600;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .verb(Method::GET, "/org/tokens", Verb::OrgTokenList, list)
        .verb(Method::POST, "/org/tokens", Verb::OrgTokenMint, mint)
        .verb(
            Method::DELETE,
            "/org/tokens/{id}",
            Verb::OrgTokenRevoke,
            revoke,
        )
        .verb(
            Method::GET,
            "/org/tokens/{id}/usage",
            Verb::OrgTokenList,
            usage,
        )
}

/// What can be said of a token that is to be minted.
#[derive(Deserialize, Default, ToSchema)]
pub struct MintBody {
    /// For people.
    pub name: Option<String>,
    /// `admin`, `editor` or `reader`.
    pub role: Option<String>,
    /// A workspace to bind it to.
    pub workspace_id: Option<String>,
    /// RFC 3339.
    pub expires_at: Option<String>,
}

impl MintBody {
    /// The action, with the defaults that this caller has.
    pub fn into_action(self, call: &Call) -> Result<Action, Problem> {
        let name = match self.name.filter(|name| !name.is_empty()) {
            None => None,
            Some(name) if name.trim().is_empty() => {
                return Err(Problem::bad_field(
                    "name",
                    "is blank: leave it out, or say who will use it",
                ));
            }
            Some(name) => Some(
                text::displayable(&name, MAX_NAME)
                    .map_err(|why| Problem::bad_field("name", why))?,
            ),
        };
        let role = match self.role.as_deref() {
            None => call.caller.role(),
            Some(role) => Role::parse(role)
                .filter(|role| *role != Role::None)
                .ok_or_else(|| Problem::bad_field("role", "is not admin, editor or reader"))?,
        };
        let workspace = self
            .workspace_id
            .map(|id| {
                WorkspaceId::parse(&id)
                    .ok_or_else(|| Problem::bad_field("workspace_id", "is not a UUID"))
            })
            .transpose()?;
        let now = call.app.clock.now();
        let expires_at = self
            .expires_at
            .map(|at| {
                Timestamp::parse(&at).filter(|at| *at > now).ok_or_else(|| {
                    Problem::bad_field("expires_at", "is not an RFC 3339 instant in the future")
                })
            })
            .transpose()?
            .or(call.caller.mints_until());
        Ok(Action::OrgTokenMint {
            name,
            role,
            workspace,
            expires_at,
        })
    }
}

/// What a caller wants minted.
pub(super) fn minting(call: &Call) -> Result<Action, Problem> {
    call.json::<MintBody>()?.into_action(call)
}

async fn mint(call: Call) -> Answer {
    let Passed::Minted(token, plain) = call.submit(minting(&call)?).await? else {
        return Err(Problem::internal());
    };
    let mut body = json!({
        "id": token.id,
        "prefix": token.prefix,
        "auth_token": plain.reveal(),
        "warning": "copy this token now; it will not be shown again",
        "role": token.role,
    });
    set(&mut body, "name", token.name);
    set(&mut body, "expires_at", token.expires_at);
    set(&mut body, "workspace_id", token.workspace);
    Ok(json_response(StatusCode::OK, &body))
}

async fn list(call: Call) -> Answer {
    let permit = call.permit(Action::OrgTokenList).await?;
    let now = call.app.clock.now();
    let tokens = call.app.ledger.org_tokens(&permit, now).await?;
    let tokens: Vec<Value> = tokens
        .into_iter()
        .map(|token| listed(token, &call.app.gate.org.to_string()))
        .collect();
    let count = tokens.len();
    Ok(json_response(
        StatusCode::OK,
        &json!({ "tokens": tokens, "count": count }),
    ))
}

fn listed(token: OrgToken, org: &str) -> Value {
    let mut listed = json!({
        "id": token.id,
        "prefix": token.prefix,
        "org_id": org,
        "created_by": token.created_by,
        "created_at": token.created_at,
        "role": token.role,
        "uses_24h": token.uses_24h,
    });
    set(&mut listed, "name", token.name);
    set(&mut listed, "created_by_user", token.created_by_user);
    set(&mut listed, "last_used_at", token.last_used_at);
    set(&mut listed, "expires_at", token.expires_at);
    set(&mut listed, "draining_until", token.draining_until);
    set(&mut listed, "workspace_id", token.workspace);
    listed
}

/// An absent value is an absent member.
pub(super) fn set(object: &mut Value, name: &str, value: Option<impl serde::Serialize>) {
    if let Some(value) = value {
        object[name] = json!(value);
    }
}

async fn usage(call: Call) -> Answer {
    let token = call.path("id", TokenId::parse)?;
    let hours = usage::hours(&call)?;
    let permit = call.permit(Action::OrgTokenList).await?;
    usage::answer(&call, &permit, token, hours).await
}

/// What a caller wants revoked.
pub(super) fn revoking(call: &Call) -> Result<Action, Problem> {
    revocation(call.path("id", TokenId::parse)?, &call.query)
}

async fn revoke(call: Call) -> Answer {
    let action = revoking(&call)?;
    let lists = matches!(action, Action::OrgTokenRevoke { descendants, .. } if descendants);
    let Passed::Done(Done::Revoked(revoked)) = call.submit(action).await? else {
        return Err(Problem::internal());
    };
    let mut body = json!({ "revoked": revoked.token });
    set(&mut body, "draining_until", revoked.draining_until);
    if lists {
        let fallen: Vec<Value> = revoked.descendants.iter().map(fallen).collect();
        body["descendants"] = fallen.into();
        body["approvals"] = json!(revoked.approvals);
    }
    Ok(json_response(StatusCode::OK, &body))
}

/// How a token is to be revoked, as a query or a form says.
pub fn revocation(token: TokenId, said: &HashMap<String, String>) -> Result<Action, Problem> {
    let drain_seconds = match said.get("drain_seconds") {
        None => 0,
        Some(seconds) => seconds
            .parse()
            .ok()
            .filter(|seconds| *seconds <= MAX_DRAIN)
            .ok_or_else(|| {
                Problem::bad_field("drain_seconds", "is not a whole number from 0 to 3600")
            })?,
    };
    let descendants = match said.get("descendants").map(String::as_str) {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            return Err(Problem::bad_field(
                "descendants",
                "is not `true` or `false`",
            ));
        }
    };
    Ok(Action::OrgTokenRevoke {
        token,
        drain_seconds,
        descendants,
        shown: None,
    })
}

fn fallen(descendant: &Descendant) -> Value {
    let kind = match descendant.workspace {
        Some(_) => "workspace",
        None => "organisation",
    };
    let mut fallen = json!({
        "id": descendant.token,
        "prefix": descendant.prefix,
        "kind": kind,
    });
    set(&mut fallen, "workspace_id", descendant.workspace);
    set(&mut fallen, "draining_until", descendant.draining_until);
    fallen
}

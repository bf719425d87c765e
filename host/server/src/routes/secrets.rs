//! Secrets, of the organisation and of one workspace: written, listed, deleted, and read back by a
//! workspace's own token alone.

use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::id::WorkspaceId;
use countersign_core::permit::Permit;
use countersign_core::secret::{
    self, PlainSecret, SealedSecret, SecretAddress, SecretKey, SecretScope,
};
use countersign_core::verb::Verb;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{Answer, Call, Routes, workspaces};
use crate::problem::{Problem, json_response};
use crate::report;

/// The longest value, in bytes.
pub(super) const MAX_VALUE: usize = 256 * 1024;

pub(super) fn add(routes: Routes) -> Routes {
    let global = ["/settings/secrets", "/admin/secrets"]
        .into_iter()
        .zip(["/settings/secrets/{key}", "/admin/secrets/{key}"])
        .fold(routes, |routes, (all, one)| {
            routes
                .verb(Method::GET, all, Verb::SecretList, list)
                .verb(Method::POST, all, Verb::SecretWrite, write)
                .verb(Method::PUT, all, Verb::SecretWrite, write)
                .verb(Method::DELETE, one, Verb::SecretDelete, delete)
        });
    let all = "/workspaces/{workspace}/secrets";
    let one = "/workspaces/{workspace}/secrets/{key}";
    let values = "/workspaces/{workspace}/secrets/values";
    global
        .verb(Method::GET, all, Verb::SecretList, list_of_workspace)
        .verb(Method::POST, all, Verb::SecretWrite, write_to_workspace)
        .verb(Method::PUT, all, Verb::SecretWrite, write_to_workspace)
        .verb(Method::DELETE, one, Verb::SecretDelete, delete_of_workspace)
        .verb(Method::GET, values, Verb::SecretRead, read_values)
        // A secret may be called that as well.
        .verb(
            Method::DELETE,
            values,
            Verb::SecretDelete,
            delete_of_workspace,
        )
}

#[derive(Deserialize, ToSchema)]
pub(super) struct WriteBody {
    /// What programs know it by.
    key: String,
    /// In bytes, as long as the bound.
    #[schema(value_type = String)]
    value: Secret,
}

/// A secret on its way in, which a failed parse must not print.
struct Secret(PlainSecret);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(|value| Self(PlainSecret::new(value)))
    }
}

async fn write(call: Call) -> Answer {
    write_to(&call, SecretScope::Global).await
}

async fn write_to_workspace(call: Call) -> Answer {
    let workspace = workspaces::id(&call)?;
    write_to(&call, SecretScope::Workspace(workspace)).await
}

/// What a caller wants written.
pub(super) fn writing(call: &Call, scope: SecretScope) -> Result<Action, Problem> {
    let body: WriteBody = call.json()?;
    let Secret(value) = body.value;
    written(address(scope, &body.key)?, value)
}

/// A secret to be written, as a body or a form says.
pub fn written(address: SecretAddress, value: PlainSecret) -> Result<Action, Problem> {
    if value.reveal().len() > MAX_VALUE {
        return Err(Problem::bad_field("value", "is longer than 256 KiB"));
    }
    Ok(Action::SecretWrite { address, value })
}

async fn write_to(call: &Call, scope: SecretScope) -> Answer {
    let action = writing(call, scope)?;
    let answer = about("saved", &action);
    call.submit(action).await?;
    Ok(json_response(StatusCode::OK, &answer))
}

async fn delete(call: Call) -> Answer {
    delete_from(&call, SecretScope::Global, call.path_text("key")).await
}

async fn delete_of_workspace(call: Call) -> Answer {
    let workspace = workspaces::id(&call)?;
    // The one route whose last piece is not a key's place is that of a secret with that very name.
    let key = match call.path_text("key") {
        "" => "values",
        key => key,
    };
    delete_from(&call, SecretScope::Workspace(workspace), key).await
}

/// What a caller wants deleted.
pub(super) fn deleting(scope: SecretScope, key: &str) -> Result<Action, Problem> {
    let address = address(scope, key)?;
    Ok(Action::SecretDelete { address })
}

async fn delete_from(call: &Call, scope: SecretScope, key: &str) -> Answer {
    let action = deleting(scope, key)?;
    let answer = about("deleted", &action);
    call.submit(action).await?;
    Ok(json_response(StatusCode::OK, &answer))
}

async fn list(call: Call) -> Answer {
    list_in(&call, SecretScope::Global).await
}

async fn list_of_workspace(call: Call) -> Answer {
    let workspace = workspaces::id(&call)?;
    list_in(&call, SecretScope::Workspace(workspace)).await
}

async fn list_in(call: &Call, scope: SecretScope) -> Answer {
    let permit = call.permit(Action::SecretList { scope }).await?;
    let secrets = call.app.ledger.secrets(&permit, scope).await?;
    let secrets: Vec<Value> = secrets
        .into_iter()
        .map(|secret| {
            json!({
                "key": secret.key.as_str(),
                "has_value": true,
                "scope": secret.scope.as_str(),
                "created_at": secret.created_at,
                "updated_at": secret.updated_at,
            })
        })
        .collect();
    Ok(json_response(StatusCode::OK, &Value::Array(secrets)))
}

/// All of them or none: with a part, a program would run half configured, and not know it.
async fn read_values(call: Call) -> Answer {
    let workspace = workspaces::id(&call)?;
    let permit = call.permit(Action::SecretRead { workspace }).await?;
    let (mut values, mut failed) = (Map::new(), Vec::new());
    for (address, sealed) in sealed(&call, &permit, workspace).await? {
        let key = address.key.as_str().to_owned();
        match secret::open(&call.app.gate.keys, &address, &sealed) {
            Ok(value) => {
                values.insert(key, value.reveal().into());
            }
            Err(error) => {
                tracing::error!(%error, "a stored secret is damaged");
                failed.push(key);
            }
        }
    }
    if failed.is_empty() {
        return Ok(json_response(StatusCode::OK, &Value::Object(values)));
    }
    Err(Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "secrets_unreadable",
        "some stored secrets do not open with this host's key, and so none is given out: write those in `failed_keys` anew, or restore the database and its key from one backup",
    )
    .with("failed_keys", failed))
}

/// What is sealed, and this host has the keys of, if there are any: another host may replace them at any
/// moment, and seal anew what was read.
async fn sealed(
    call: &Call,
    permit: &Permit,
    workspace: WorkspaceId,
) -> Result<Vec<(SecretAddress, SealedSecret)>, Problem> {
    let gate = &call.app.gate;
    let sealed = call.app.ledger.sealed_secrets(permit, workspace).await?;
    if sealed
        .iter()
        .all(|(_, sealed)| gate.keys.has(&sealed.key_id))
    {
        return Ok(sealed);
    }
    if let Err(error) = gate.refresh_keys().await {
        tracing::error!(error = %report(&error), "the ledger's keys cannot be taken over");
    }
    // By now it may be sealed with a later one still, but that would be two changes within a moment.
    Ok(call.app.ledger.sealed_secrets(permit, workspace).await?)
}

/// What was done with a secret. Only the organisation's own routes say the scope.
fn about(status: &str, action: &Action) -> Value {
    let (Action::SecretWrite { address, .. } | Action::SecretDelete { address }) = action else {
        return json!({ "status": status });
    };
    let mut answer = json!({ "status": status, "key": address.key.as_str() });
    if address.scope == SecretScope::Global {
        answer["scope"] = json!(address.scope.as_str());
    }
    answer
}

/// Where a secret is, or is to be.
pub fn address(scope: SecretScope, key: &str) -> Result<SecretAddress, Problem> {
    let key = SecretKey::parse(key).ok_or_else(|| {
        Problem::bad_field(
            "key",
            "is not a letter or underscore, then up to 127 letters, digits and underscores",
        )
    })?;
    Ok(SecretAddress { scope, key })
}

//! The organisation's secrets: written, listed, deleted, and never read back here.

use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::secret::{PlainSecret, SecretAddress, SecretKey, SecretScope};
use countersign_core::verb::Verb;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Call, Routes};
use crate::problem::{Problem, json_response};

/// The longest value, in bytes.
const MAX_VALUE: usize = 256 * 1024;

pub(super) fn add(routes: Routes) -> Routes {
    ["/settings/secrets", "/admin/secrets"]
        .into_iter()
        .zip(["/settings/secrets/{key}", "/admin/secrets/{key}"])
        .fold(routes, |routes, (all, one)| {
            routes
                .verb(Method::GET, all, Verb::SecretList, list)
                .verb(Method::POST, all, Verb::SecretWrite, write)
                .verb(Method::PUT, all, Verb::SecretWrite, write)
                .verb(Method::DELETE, one, Verb::SecretDelete, delete)
        })
}

#[derive(Deserialize)]
struct WriteBody {
    key: String,
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
    let body: WriteBody = call.json()?;
    let address = global(&body.key)?;
    let Secret(value) = body.value;
    if value.reveal().len() > MAX_VALUE {
        return Err(Problem::bad_field("value", "is longer than 256 KiB"));
    }
    let key = address.key.clone();
    call.submit(Action::SecretWrite { address, value }).await?;
    Ok(json_response(
        StatusCode::OK,
        &json!({ "status": "saved", "key": key.as_str(), "scope": "global" }),
    ))
}

async fn delete(call: Call) -> Answer {
    let address = global(call.path_text("key"))?;
    let key = address.key.clone();
    call.submit(Action::SecretDelete { address }).await?;
    Ok(json_response(
        StatusCode::OK,
        &json!({ "status": "deleted", "key": key.as_str(), "scope": "global" }),
    ))
}

async fn list(call: Call) -> Answer {
    let scope = SecretScope::Global;
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

fn global(key: &str) -> Result<SecretAddress, Problem> {
    let key = SecretKey::parse(key).ok_or_else(|| {
        Problem::bad_field(
            "key",
            "is not a letter or underscore, then up to 127 letters, digits and underscores",
        )
    })?;
    Ok(SecretAddress {
        scope: SecretScope::Global,
        key,
    })
}

//! Policies that stay as they are, and how people say so.

use axum::http::Method;
use countersign_core::verb::Verb;
use serde::Deserialize;
use utoipa::ToSchema;

use super::policies::{ModuleBody, change_policies, chosen};
use super::{Answer, Call, Routes};

pub(super) fn add(routes: Routes) -> Routes {
    let path = "/policies/{name}/pin";
    routes
        .verb(Method::PUT, path, Verb::PolicyActivate, pin)
        .verb(Method::DELETE, path, Verb::PolicyActivate, unpin)
}

/// A version of a policy that is to stay.
#[derive(Deserialize, ToSchema)]
pub(super) struct PinBody {
    /// Which of its versions, by digest; where none is named, the one that decides now.
    digest: Option<String>,
    /// Or by its own version.
    version: Option<String>,
}

async fn pin(call: Call) -> Answer {
    let name = call.path_text("name").to_owned();
    let ready = async {
        let body: PinBody = call.json()?;
        let is_named = body.digest.is_some() || body.version.is_some();
        let chosen = is_named
            .then(|| chosen(ModuleBody::version(name.clone(), body.digest, body.version)))
            .transpose()?;
        let (policies, ledger) = (&call.app.policies, &*call.app.ledger);
        let by = call.caller.actor();
        Ok(policies.pin(ledger, &name, (by, chosen)).await?)
    };
    change_policies(&call, ready).await
}

async fn unpin(call: Call) -> Answer {
    let name = call.path_text("name").to_owned();
    let ready = async {
        let (policies, ledger) = (&call.app.policies, &*call.app.ledger);
        Ok(policies.unpin(ledger, &name).await?)
    };
    change_policies(&call, ready).await
}

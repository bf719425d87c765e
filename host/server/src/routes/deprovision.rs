//! The end of an organisation here: everything is revoked and removed but the record.

use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::gate::Passed;
use countersign_core::id::OrgId;
use countersign_core::ledger::Done;
use countersign_core::verb::Verb;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Answer, Call, Routes};
use crate::problem::{Problem, json_response};

pub(super) fn add(routes: Routes) -> Routes {
    routes.verb(
        Method::POST,
        "/org/deprovision",
        Verb::Deprovision,
        deprovision,
    )
}

#[derive(Deserialize, ToSchema)]
pub(super) struct DeprovisionBody {
    /// The organisation's id or slug.
    confirm: String,
}

/// What a caller wants: this organisation's end, and no other's.
pub(super) fn meaning(call: &Call) -> Result<Action, Problem> {
    let DeprovisionBody { confirm } = call.json()?;
    if !is_meant(call, &confirm) {
        return Err(Problem::bad_field(
            "confirm",
            "is neither this organisation's id nor its slug: nothing was done",
        ));
    }
    Ok(Action::Deprovision)
}

async fn deprovision(call: Call) -> Answer {
    let Passed::Done(Done::Deprovisioned(fallen)) = call.submit(meaning(&call)?).await? else {
        return Err(Problem::internal());
    };
    Ok(json_response(
        StatusCode::OK,
        &json!({
            "status": "deprovisioned",
            "workspaces": fallen.workspaces,
            "tokens": fallen.tokens,
            "secrets": fallen.secrets,
        }),
    ))
}

/// Whoever does this by mistake for another organisation does it not at all.
fn is_meant(call: &Call, confirm: &str) -> bool {
    let is_slug = call.app.slug.as_deref() == Some(confirm);
    is_slug || OrgId::parse(confirm) == Some(call.app.gate.org)
}

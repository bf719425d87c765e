//! Which policies are live.

use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::verb::Verb;
use serde_json::json;

use super::{Answer, Call, Routes};
use crate::problem::json_response;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .verb(Method::GET, "/policies", Verb::PolicyRead, live)
        .verb(
            Method::GET,
            "/policies/generations",
            Verb::PolicyRead,
            generations,
        )
}

async fn live(call: Call) -> Answer {
    call.permit(Action::PolicyRead).await?;
    Ok(json_response(StatusCode::OK, &call.app.policies.shown()))
}

async fn generations(call: Call) -> Answer {
    let page = call.page()?;
    let permit = call.permit(Action::PolicyRead).await?;
    let generations = call.app.ledger.generations(&permit, &page).await?;
    let next = (generations.len() == page.limit as usize)
        .then(|| generations.last().map(|last| last.number.to_string()))
        .flatten();
    Ok(json_response(
        StatusCode::OK,
        &json!({ "generations": generations, "next_cursor": next }),
    ))
}

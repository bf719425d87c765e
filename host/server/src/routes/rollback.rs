//! Going back to an earlier generation: one way, for programs and for pages.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::generation::GenerationChange;
use countersign_core::verb::Verb;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

pub use super::policies::MadeLive;
use super::policies::make_live;
use super::{Answer, Call, Routes};
use crate::problem::{Problem, json_response};

pub(super) fn add(routes: Routes) -> Routes {
    let path = "/policies/rollback";
    routes.verb(Method::POST, path, Verb::PolicyRollback, roll_back)
}

#[derive(Deserialize, ToSchema)]
pub(super) struct RollbackBody {
    /// The one to go back to.
    generation: u64,
}

async fn roll_back(call: Call) -> Answer {
    let RollbackBody { generation } = call.json()?;
    let made = go_back(&call, generation, None).await?;
    Ok(json_response(StatusCode::OK, &json!(made)))
}

/// Makes `generation` live again. Where `follows` is given, only in the place of that one: what a person was
/// shown is what it changes.
pub async fn go_back(
    call: &Call,
    generation: u64,
    follows: Option<u64>,
) -> Result<MadeLive, Problem> {
    let change: Option<GenerationChange> = match call.is_let() {
        true => {
            let policies = &call.app.policies;
            Some(policies.again(&*call.app.ledger, generation).await?)
        }
        false => None,
    };
    if let (Some(change), Some(follows)) = (&change, follows)
        && change.follows != follows
    {
        let error = format!(
            "generation {} is live by now, and no longer generation {follows}: nothing has changed; look at what going back changes now, and decide again",
            change.follows
        );
        return Err(Problem::new(StatusCode::CONFLICT, "policies_moved", error));
    }
    let change = change.map(Arc::new);
    make_live(call, Action::PolicyRollback { generation, change }).await
}

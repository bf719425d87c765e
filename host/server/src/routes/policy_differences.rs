//! What the policies in shadow of a generation would have changed.

use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::shadow::{Differing, Gist, KindOfDifference, Which};
use countersign_core::verb::Verb;
use serde_json::{Value, json};

use super::{Answer, Call, Cursor, Routes};
use crate::policies::ChoiceError;
use crate::problem::{Problem, json_response};

pub(super) fn add(routes: Routes) -> Routes {
    let path = "/policies/generations/{number}/differences";
    routes.verb(Method::GET, path, Verb::DecisionRead, list)
}

async fn list(call: Call) -> Answer {
    let page = call.page(Cursor::Id)?;
    let kind = kind(&call)?;
    let number = call.path_text("number").parse();
    let number: u64 =
        number.map_err(|_| Problem::bad_field("number", "in the path is not a number"))?;
    let permit = call.permit(Action::DecisionRead).await?;
    let ledger = &call.app.ledger;
    if ledger.generation(number).await?.is_none() {
        return Err(ChoiceError::NoGeneration(number).into());
    }
    let which = Which {
        generation: number,
        kind,
    };
    let kinds = ledger.shadow_kinds(&permit, number).await?;
    let found = ledger.shadow_differences(&permit, which, &page).await?;
    let next = (found.len() == page.limit as usize)
        .then(|| found.last().map(|last| last.decision.id))
        .flatten();
    let kinds: Vec<Value> = kinds.iter().map(shown_kind).collect();
    let differences: Vec<Value> = found.iter().map(difference).collect();
    Ok(json_response(
        StatusCode::OK,
        &json!({
            "generation": number,
            "kinds": kinds,
            "differences": differences,
            "next_cursor": next,
        }),
    ))
}

/// The kind of differences to which the query narrows, by its number.
pub fn kind(call: &Call) -> Result<Option<u32>, Problem> {
    let kind = call.query.get("kind").map(|kind| kind.parse());
    kind.transpose()
        .map_err(|_| Problem::bad_field("kind", "is not the number of a kind of differences"))
}

fn shown_kind(found: &KindOfDifference) -> Value {
    json!({
        "kind": found.number,
        "verb": found.kind.verb,
        "change": found.kind.change,
        "was": found.kind.was,
        "would_be": found.kind.would_be,
        "count": found.seen,
        "last_decision_id": found.last,
    })
}

fn difference(found: &Differing) -> Value {
    let would_be = &found.beside.would_be;
    json!({
        "decision_id": found.decision.id,
        "verb": found.decision.verb,
        "change": found.beside.change,
        "was": Gist::from(&found.decision.judgement),
        "class": would_be.class,
        "effect": would_be.ruling.effect(),
        "rule": would_be.ruling.ground().rule,
        "reason": would_be.ruling.ground().reason,
        "policy": would_be.ruling.policy(),
        "ruling": would_be.ruling,
        "opinions": would_be.opinions,
    })
}

//! What happened: decisions and the audit log. Reading is a verb like any other.

use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::audit::SignedHead;
use countersign_core::decision::Decision;
use countersign_core::id::DecisionId;
use countersign_core::permit::Permit;
use countersign_core::verb::Verb;
use serde_json::{Value, json};

use super::{Answer, Call, Cursor, Routes};
use crate::heads::HeadsError;
use crate::problem::{Problem, json_response};
use crate::report;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .verb(Method::GET, "/decisions", Verb::DecisionRead, decisions)
        .verb(Method::GET, "/decisions/{id}", Verb::DecisionRead, decision)
        .verb(Method::GET, "/audit", Verb::AuditRead, audit)
        .verb(Method::GET, "/audit/verify", Verb::AuditRead, verify)
}

async fn decisions(call: Call) -> Answer {
    let page = call.page(Cursor::Id)?;
    let shown = match call.query.get("whole").map(String::as_str) {
        None | Some("false") => summary,
        Some("true") => whole,
        Some(_) => return Err(Problem::bad_field("whole", "is neither true nor false")),
    };
    let permit = call.permit(Action::DecisionRead).await?;
    let decisions = call.app.ledger.decisions(&permit, &page).await?;
    let next = (decisions.len() == page.limit as usize)
        .then(|| decisions.last().map(|last| last.id))
        .flatten();
    let decisions: Vec<Value> = decisions.iter().map(shown).collect();
    Ok(json_response(
        StatusCode::OK,
        &json!({ "decisions": decisions, "next_cursor": next }),
    ))
}

async fn decision(call: Call) -> Answer {
    let id = call.path("id", DecisionId::parse)?;
    let permit = call.permit(Action::DecisionRead).await?;
    let decision = call
        .app
        .ledger
        .decision(&permit, id)
        .await?
        .ok_or_else(|| {
            Problem::new(
                StatusCode::NOT_FOUND,
                "not_found",
                "there is no such decision",
            )
        })?;
    Ok(json_response(StatusCode::OK, &whole(&decision)))
}

/// All that is recorded of a decision: enough to ask the policies again.
fn whole(decision: &Decision) -> Value {
    let mut shown = summary(decision);
    shown["question"] = json!(decision.question);
    shown["opinions"] = json!(decision.judgement.opinions);
    shown["ruling"] = json!(decision.judgement.ruling);
    shown
}

fn summary(decision: &Decision) -> Value {
    let ruling = &decision.judgement.ruling;
    let mut shown = json!({
        "id": decision.id,
        "at": decision.at,
        "actor": decision.actor,
        "class": decision.judgement.class,
        "verb": decision.verb,
        "digest": decision.digest,
        "effect": ruling.effect(),
        "rule": ruling.ground().rule,
        "reason": ruling.ground().reason,
        "policy": ruling.policy(),
        "policy_generation": decision.judgement.generation,
        "outcome": decision.outcome,
        "approval_id": decision.approval,
    });
    if let Some(micros) = decision.judgement.took.micros() {
        shown["duration_us"] = micros.into();
    }
    shown
}

async fn audit(call: Call) -> Answer {
    let page = call.page(Cursor::Number)?;
    let permit = call.permit(Action::AuditRead).await?;
    let entries = call.app.ledger.audit(&permit, &page).await?;
    let next = (entries.len() == page.limit as usize)
        .then(|| entries.last().map(|last| last.seq.to_string()))
        .flatten();
    Ok(json_response(
        StatusCode::OK,
        &json!({ "entries": entries, "next_cursor": next }),
    ))
}

/// What a walk of the whole chain found, and the head that was signed after it.
pub struct Walk {
    /// How many entries there are, or where the chain does not hold.
    pub walked: Result<i64, String>,
    /// The head, where it could be signed.
    pub head: Option<SignedHead>,
}

/// Walks the chain, and signs its head: of this moment, if the ledger still holds those that this host signed
/// before.
pub async fn walk(call: &Call, permit: &Permit) -> Result<Walk, Problem> {
    let ledger = &*call.app.ledger;
    let walked = ledger.verify_audit(permit).await?;
    let mut walked = walked.map_err(|broken| broken.to_string());
    let (heads, now) = (&call.app.heads, call.app.clock.now());
    let head = match heads.sign(ledger, now).await {
        Ok(head) => Some(head),
        Err(HeadsError::Ledger(error)) => return Err(error.into()),
        Err(HeadsError::Contradicted(why)) => {
            walked = Err(why.to_string());
            None
        }
        Err(HeadsError::Unkept(error)) => {
            tracing::error!(error = %report(&error), "the audit's head cannot be kept");
            None
        }
    };
    heads.note_walk(now, walked.clone());
    Ok(Walk { walked, head })
}

/// The chain, and its head.
async fn verify(call: Call) -> Answer {
    let permit = call.permit(Action::AuditRead).await?;
    let Walk { walked, head } = walk(&call, &permit).await?;
    let mut body = match walked {
        Ok(entries) => json!({ "whole": true, "entries": entries }),
        Err(broken) => json!({ "whole": false, "broken": broken }),
    };
    if let Some(head) = head {
        body["head"] = json!(head);
    }
    body["public_key"] = json!(call.app.heads.public_key());
    Ok(json_response(StatusCode::OK, &body))
}

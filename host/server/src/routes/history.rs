//! What happened: decisions and the audit log. Reading is a verb like any other.

use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::decision::Decision;
use countersign_core::id::DecisionId;
use countersign_core::verb::Verb;
use serde_json::{Value, json};

use super::{Answer, Call, Routes};
use crate::problem::{Problem, json_response};

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .verb(Method::GET, "/decisions", Verb::DecisionRead, decisions)
        .verb(Method::GET, "/decisions/{id}", Verb::DecisionRead, decision)
        .verb(Method::GET, "/audit", Verb::AuditRead, audit)
        .verb(Method::GET, "/audit/verify", Verb::AuditRead, verify)
}

async fn decisions(call: Call) -> Answer {
    let page = call.page()?;
    let permit = call.permit(Action::DecisionRead).await?;
    let decisions = call.app.ledger.decisions(&permit, &page).await?;
    let next = (decisions.len() == page.limit as usize)
        .then(|| decisions.last().map(|last| last.id))
        .flatten();
    let decisions: Vec<Value> = decisions.iter().map(summary).collect();
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
    let mut shown = summary(&decision);
    shown["question"] = json!(decision.question);
    shown["opinions"] = json!(decision.judgement.opinions);
    shown["ruling"] = json!(decision.judgement.ruling);
    Ok(json_response(StatusCode::OK, &shown))
}

fn summary(decision: &Decision) -> Value {
    let ruling = &decision.judgement.ruling;
    json!({
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
    })
}

async fn audit(call: Call) -> Answer {
    let page = call.page()?;
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

async fn verify(call: Call) -> Answer {
    let permit = call.permit(Action::AuditRead).await?;
    let body = match call.app.ledger.verify_audit(&permit).await? {
        Ok(entries) => json!({ "whole": true, "entries": entries }),
        Err(broken) => json!({ "whole": false, "broken": broken.to_string() }),
    };
    Ok(json_response(StatusCode::OK, &body))
}

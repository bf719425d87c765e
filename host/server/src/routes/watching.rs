//! What watches over the host asks it: whether it lives, whether it can work, and how much it does.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use countersign_core::gate::GateError;
use prometheus_client::encoding::prometheus_text;
use serde_json::json;

use super::{Answer, Routes, Visit};
use crate::problem::{Problem, json_response};

/// Adds them.
pub fn add(routes: Routes) -> Routes {
    routes
        .open(
            Method::GET,
            "/health",
            "says only that the process lives",
            health,
        )
        .open(
            Method::GET,
            "/ready",
            "says only whether the host can work",
            ready,
        )
        .open(
            Method::GET,
            "/metrics",
            "says how much of what kind is done, and nothing of who asks for what",
            metrics,
        )
}

async fn health(_: Visit) -> Answer {
    Ok(json_response(StatusCode::OK, &json!({ "status": "ok" })))
}

async fn ready(visit: Visit) -> Answer {
    let app = &visit.app;
    if !app.readiness.look(&*app.ledger, app.clock.now()).await {
        return Err(Problem::unavailable());
    }
    if app.policies.is_behind() {
        return Err(GateError::Outdated.into());
    }
    Ok(json_response(
        StatusCode::OK,
        &json!({ "status": "ready", "policy_generation": visit.app.policies.generation() }),
    ))
}

async fn metrics(visit: Visit) -> Answer {
    let text = visit.app.metrics.text(&visit.app.policies);
    let mut response = Response::new(Body::from(text.map_err(|_| Problem::internal())?));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(prometheus_text::CONTENT_TYPE),
    );
    Ok(response)
}

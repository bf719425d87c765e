//! The floor: a server that takes the same requests, parses the same JSON, and answers a constant.
//!
//! Its answers are as long as the host's, so that what differs is what the host does for them.
//! It is the host's control plane too, to which everybody is a member.

use std::net::SocketAddr;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Serves on a free port of loopback, which it says in one line on standard output, until standard input
/// ends.
pub async fn serve() -> anyhow::Result<()> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("{}", listener.local_addr()?);
    std::thread::spawn(|| {
        // Whoever started this says nothing; what ends the input is its own end, however that came.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0)
    });
    Ok(axum::serve(listener, router()).await?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is no part of the host: its routes have no verbs"
)]
fn router() -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/org/tokens", get(tokens).post(mint))
        .route("/settings/secrets", post(write))
        .route("/cp/auth/tenant-member", get(member))
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

async fn tokens() -> Json<Value> {
    Json(json!({ "count": 1, "tokens": [{
        "created_at": "2026-01-01T00:00:00.000000Z", "created_by": "session:0123456789abcdef",
        "id": ID, "last_used_at": "2026-01-01T00:00:00.000000Z", "name": "load", "org_id": ID,
        "prefix": "cso_Zk3p", "role": "admin",
    }]}))
}

async fn mint(Json(_): Json<Value>) -> (StatusCode, Json<Value>) {
    let pending = json!({
        "action": "org_token_mint", "approval_id": ID,
        "approve_url": format!("http://127.0.0.1:8080/console/approvals/{ID}"),
        "expires_at": "2026-01-01T00:00:00.000000Z", "poll": format!("/approvals/{ID}"),
        "reason": "mint organisation token `ci` (admin, never expires): agents need a person for this",
        "status": "pending_approval",
    });
    (StatusCode::ACCEPTED, Json(pending))
}

async fn write(Json(_): Json<Value>) -> Json<Value> {
    Json(json!({ "key": "API_KEY", "scope": "global", "status": "saved" }))
}

async fn member() -> Json<Value> {
    Json(json!({ "member": true, "user_id": "ann" }))
}

const ID: &str = "5f0c7a4e-0000-4000-8000-000000000001";

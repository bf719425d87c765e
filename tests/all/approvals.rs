//! Approvals from end to end, as callers and people meet them on the wire.

mod ahead;
mod endings;
mod ends;
mod events;
mod lists;
mod lives;
mod lost;
mod quorums;
mod states;
mod waiting;

use countersign_tests::{Caller, Reply};
use serde_json::json;

async fn mint(caller: &Caller, name: &str) -> Reply {
    caller.post("/org/tokens", json!({ "name": name })).await
}

async fn withdraw(caller: &Caller, id: &str) -> Reply {
    let path = format!("/approvals/{id}/withdraw");
    caller.post(&path, json!({})).await
}

async fn revoke(caller: &Caller, id: &str) -> Reply {
    let path = format!("/approvals/{id}/revoke");
    caller
        .post(&path, json!({ "reason": "the wrong key" }))
        .await
}

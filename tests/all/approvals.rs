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

use std::path::Path;

use countersign_tests::{Caller, Host, Reply};
use serde_json::json;

use crate::stage::Stage;

/// With the policy by which people need each other, as `settings` say.
async fn gated(settings: &str) -> Stage {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/two-person");
    let module = std::fs::read(folder.join("two-person.wasm")).expect("it is committed");
    let builder = Host::builder()
        .policy("two-person.wasm", module)
        .policy("two-person.toml", settings);
    Stage::set_for(builder).await
}

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

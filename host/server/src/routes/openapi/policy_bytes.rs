//! A policy's bytes.

use serde_json::json;

use super::operation::{Callers, Operation};

pub(super) fn operations() -> Vec<Operation> {
    let bytes = json!({ "type": "string", "contentEncoding": "binary" });
    vec![
        Operation::get(
            "/policies/{name}/versions/{digest}",
            "Takes the bytes of a version of a policy along.",
        )
        .only_for(Callers::People)
        .answers_as(200, "The component.", ("application/wasm", bytes))
        .refuses(404, &["not_found"]),
    ]
}

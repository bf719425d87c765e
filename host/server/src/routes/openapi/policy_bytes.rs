//! A policy's bytes.

use super::operation::{Callers, Operation};
use super::schema::text;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/policies/{name}/versions/{digest}",
            "Takes the bytes of a version of a policy along.",
        )
        .only_for(Callers::People)
        .answers_as(200, "The component.", ("application/wasm", text()))
        .refuses(404, &["not_found"]),
    ]
}

//! The routes, described in OpenAPI 3.1. Paths and verbs are those that [`Routes`](super::Routes) made,
//! bodies are the structs that are parsed, and words come from the code; what is told of an answer is
//! written down here, noun by noun, and tests hold real answers against it.

mod approvals;
mod assembly;
mod components;
mod history;
mod operation;
mod policies;
mod policy_bytes;
mod refusals;
mod schema;
mod secrets;
mod tokens;
mod watching;
mod workspaces;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, header};
use countersign_core::verb::Verb;

use self::operation::Operation;
use super::{Answer, Routes, Visit};

/// A route that was made.
pub(super) struct Made {
    /// Its method; `None`: any.
    pub method: Option<Method>,
    /// Its path, with the names of its pieces in braces.
    pub path: &'static str,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a route is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It serves a verb.
    Verb(Verb),
    /// It has people asked ahead, for the verb that the body names.
    Ahead,
    /// It needs no verb, for this reason.
    Open(&'static str),
    /// It is the control plane's.
    Forwarded,
}

pub(super) fn add(routes: Routes) -> Routes {
    routes.open(
        Method::GET,
        "/openapi.json",
        "says of the routes what their documentation says to everybody",
        document,
    )
}

async fn document(_: Visit) -> Answer {
    static TEXT: LazyLock<String> = LazyLock::new(|| text(&super::all().made));
    let mut response = Response::new(Body::from(TEXT.as_str()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

/// The document, for people's eyes as well: indented, its members in order.
fn text(made: &[Made]) -> String {
    let document = assembly::document(made);
    let text = serde_json::to_string_pretty(&document).expect("INVARIANT: a value is JSON");
    text + "\n"
}

/// All that is described.
fn operations() -> Vec<Operation> {
    [
        watching::operations(),
        tokens::operations(),
        secrets::operations(),
        workspaces::operations(),
        approvals::operations(),
        policies::operations(),
        policy_bytes::operations(),
        history::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

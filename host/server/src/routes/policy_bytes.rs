//! A policy's bytes, for people who ask recorded decisions again where no host is.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use countersign_core::action::Action;
use countersign_core::verb::Verb;

use super::{Answer, Call, Routes};
use crate::problem::Problem;

/// SHA-256 in hex.
const DIGEST_LENGTH: usize = 64;

pub(super) fn add(routes: Routes) -> Routes {
    routes.verb(
        Method::GET,
        "/policies/{name}/versions/{digest}",
        Verb::PolicyRead,
        bytes,
    )
}

async fn bytes(call: Call) -> Answer {
    let (name, digest) = (call.path_text("name"), call.path_text("digest"));
    if !is_digest(digest) {
        let why = "in the path is no SHA-256 digest in lower-case hex";
        return Err(Problem::bad_field("digest", why));
    }
    let action = Action::PolicyFetch {
        name: name.to_owned(),
        digest: digest.to_owned(),
    };
    let permit = call.permit(action).await?;
    let ledger = &call.app.ledger;
    let bytes = ledger.policy_bytes(&permit, name, digest).await?;
    let bytes = bytes.ok_or_else(|| {
        let error = "no such version of such a policy is kept: GET /policies/{name}/versions lists those that are";
        Problem::new(StatusCode::NOT_FOUND, "not_found", error)
    })?;
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/wasm"),
    );
    Ok(response)
}

fn is_digest(text: &str) -> bool {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == DIGEST_LENGTH && text.bytes().all(is_hex)
}

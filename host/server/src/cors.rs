//! What browsers let pages of `CORS_ORIGINS` ask of this host, and read of its answers.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use crate::origins::{Origins, only};
use crate::rates::Lane;

/// A preflight is remembered for ten minutes, so that an origin that is no longer named is out by then.
const MAX_AGE: &str = "600";
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
/// A session's proof is not among them: only this host's own pages have it.
const SENT: &str = "authorization, content-type, approval-id, x-molecule-org-id, last-event-id";
const READ: &str = "approval-id, location, retry-after, x-decision-id, x-next-cursor, x-policy-generation, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, x-request-id, x-token-draining";

/// Whether pages of other origins may use a route: not what people see and do in the console, and not to
/// sign in, to decide or to change policies.
pub fn is_open(method: &Method, path: &str) -> bool {
    let changes = !matches!(*method, Method::GET | Method::HEAD);
    let changes_policies = changes && (path == "/policies" || path.starts_with("/policies/"));
    match Lane::of(method, path) {
        Some(Lane::Console | Lane::Deciding) => false,
        Some(Lane::SignIn) => path.starts_with("/cp/") && !changes,
        _ => !changes_policies,
    }
}

/// The answer to a preflight of an origin that was named. `None`: it is none.
pub fn preflight(origins: &Origins, head: &Parts) -> Option<Response<Body>> {
    origins
        .other(&head.headers)
        .filter(|_| is_preflight(head))?;
    let mut response = Response::new(Body::empty());
    if reader(origins, head).is_none() {
        *response.status_mut() = StatusCode::FORBIDDEN;
        return Some(response);
    }
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, SENT),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}

/// Whose pages may read the answer to a request: those of the origin that asks, where it was named and the
/// route is open to it.
pub fn reader(origins: &Origins, head: &Parts) -> Option<HeaderValue> {
    let origin = origins.other(&head.headers)?;
    is_open(&method(head)?, head.uri.path()).then(|| origin.clone())
}

/// Says so in the answer.
pub fn stamp(origins: &Origins, reader: Option<HeaderValue>, headers: &mut HeaderMap) {
    if !origins.has_others() {
        return;
    }
    // Whether or not it may: a cache must not give one origin's answer to another.
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = reader else {
        return;
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        HeaderValue::from_static("true"),
    );
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(READ),
    );
}

fn is_preflight(head: &Parts) -> bool {
    head.method == Method::OPTIONS
        && head
            .headers
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The method that is asked about: of a preflight, that of the request which is to follow. `None`: it is odd,
/// and open to nobody.
fn method(head: &Parts) -> Option<Method> {
    if !is_preflight(head) {
        return Some(head.method.clone());
    }
    let asked = only(
        &head.headers,
        header::ACCESS_CONTROL_REQUEST_METHOD.as_str(),
    )?;
    Method::from_bytes(asked.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_origins_do_not_sign_in_decide_or_change_policies() {
        for (method, path, open) in [
            (Method::GET, "/org/tokens", true),
            (Method::POST, "/org/tokens", true),
            (Method::DELETE, "/workspaces/x", true),
            (Method::GET, "/approvals/pending", true),
            (Method::POST, "/workspaces/w/approvals/x/withdraw", true),
            (Method::GET, "/health", true),
            (Method::GET, "/cp/orgs", true),
            (Method::POST, "/cp/orgs", true),
            (Method::GET, "/cp/auth/me", true),
            (Method::POST, "/cp/auth/login", false),
            (Method::POST, "/approvals/x/decide", false),
            (Method::POST, "/approvals/x/revoke", false),
            (Method::POST, "/workspaces/w/approvals/x/decide", false),
            (Method::GET, "/policies", true),
            (Method::GET, "/policies/generations", true),
            (Method::PUT, "/policies/x", false),
            (Method::POST, "/policies/rollback", false),
            (Method::GET, "/console/keys", false),
            (Method::POST, "/console/keys", false),
            (Method::POST, "/sign-in", false),
            (Method::GET, "/console/sign-in", false),
            (Method::POST, "/console/sign-in", false),
            (Method::POST, "/console/sign-out", false),
        ] {
            assert_eq!(is_open(&method, path), open, "{method} {path}");
        }
    }
}

//! What routes refuse with: the codes of a route's kind, and its own.

use std::collections::{BTreeMap, BTreeSet};

use countersign_core::verb::Verb;
use serde_json::{Value, json};

use super::operation::Operation;
use super::{Made, Purpose, components};
use crate::tenant;

/// The codes, by status.
type Codes = BTreeMap<u16, BTreeSet<&'static str>>;

/// What an approval that does not open a request can be.
const APPROVALS: &[&str] = &[
    "approval_denied",
    "approval_expired",
    "approval_mismatch",
    "approval_revoked",
    "approval_withdrawn",
    "grant_expired",
    "grant_used",
];

/// Whether a request for this verb can come to wait for people.
pub(super) fn can_wait(verb: Verb) -> bool {
    !verb.is_judged_by_core_alone() || verb == Verb::PolicyActivate
}

/// Whether a request for this verb passes the gate. Votes are judged where they are counted.
pub(super) fn is_judged(verb: Verb) -> bool {
    verb != Verb::ApprovalDecide
}

/// All that a route refuses with.
pub(super) fn of(route: &Made, method: &str, told: Option<&Operation>) -> Codes {
    let mut codes = Codes::new();
    let mut add = |status: u16, more: &[&'static str]| {
        codes.entry(status).or_default().extend(more);
    };
    add(421, &["wrong_host"]);
    add(503, &["timeout"]);
    if components::is_counted(route.path) {
        add(429, &["rate_limited"]);
    }
    if route.purpose != Purpose::Forwarded {
        add(400, &["bad_request"]);
        add(500, &["internal"]);
        add(503, &["platform_unavailable"]);
    }
    if !tenant::is_for_everybody(route.path) {
        add(404, &["not_found"]);
    }
    if method != "GET" {
        add(408, &["body_too_slow"]);
        add(413, &["body_too_long"]);
    }
    if matches!(route.purpose, Purpose::Verb(_) | Purpose::Ahead) {
        add(401, &["unauthenticated"]);
        add(503, &["control_plane_unavailable"]);
        if method != "GET" {
            add(403, &["cross_site", "proof_missing"]);
        }
    }
    let (judged, waits) = match route.purpose {
        Purpose::Verb(verb) => (is_judged(verb), can_wait(verb)),
        Purpose::Ahead => (true, true),
        Purpose::Open(_) | Purpose::Forwarded => (false, false),
    };
    if judged {
        add(403, &["denied_by_policy"]);
        add(503, &["contended", "keys_replaced", "policies_outdated"]);
    }
    if waits {
        add(400, &["no_approval_anchor"]);
        add(403, APPROVALS);
        add(409, &["approval_stale"]);
        add(429, &["too_many_pending"]);
    }
    for (status, more) in told.into_iter().flat_map(|told| &told.refusals) {
        add(*status, more);
    }
    codes
}

/// The name among the shared responses: equal refusals are told of once.
pub(super) fn name(status: u16, codes: &BTreeSet<&'static str>) -> String {
    let codes: Vec<&str> = codes.iter().copied().collect();
    format!("{status}.{}", codes.join("."))
}

/// A refusal with `status` and one of `codes`.
pub(super) fn response(status: u16, codes: &BTreeSet<&'static str>) -> Value {
    let mut headers = components::EVERY_HEADER.to_vec();
    match status {
        401 => headers.push("WWW-Authenticate"),
        429 | 503 => headers.push("Retry-After"),
        _ => {}
    }
    json!({
        "description": meaning(status),
        "headers": components::headers(&headers),
        "content": { "application/json": { "schema": {
            "$ref": "#/components/schemas/Error",
            "properties": { "code": { "enum": codes } },
        }}},
    })
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The request is not one: `field` says what is wrong, where it is one field.",
        401 => "This needs a credential, and the sentence says which would do.",
        403 => "The caller may not do this.",
        404 => "What it is about is not there, or is not the caller's, or this is another tenant.",
        405 => "The control plane does not take this method.",
        408 => "The body did not arrive in time.",
        409 => "What it is about is not in a state in which this can be done.",
        413 => "The body is too long.",
        421 => "The `Host` is not this host's.",
        429 => "It is too much: `Retry-After` says when to come back.",
        500 => "The host made a mistake; nothing was done.",
        502 => "The control plane cannot be reached.",
        _ => "The host cannot work now; nothing was done, unless the code is `timeout`.",
    }
}
